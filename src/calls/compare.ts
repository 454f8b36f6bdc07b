import { concat } from "../core/bytes.js"
import type { Change, FileDiff } from "../core/change.js"
import { SnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import type { DiffOptions, Filter, Rev } from "../snapshot-store.js"
import { compareTrees } from "../tree/compare-trees.js"
import { fileDiff } from "../tree/file-diff.js"
import { filePatch } from "../tree/patch.js"
import { pathFilter } from "../tree/path-filter.js"
import type { StoreContext } from "./context.js"
import { makeDiffs, MANY_CHANGES, type DiffMaker } from "./make-diffs.js"
import { isKnown, storedSide, worktreeSide, type Side } from "./side.js"

/** The files that differ between two revisions, or a revision and the work tree. */
export async function changes(
  store: StoreContext,
  from: Rev,
  to: Rev | "worktree" = "worktree",
  options: Filter = {},
): Promise<Change[]> {
  return withSides(store, from, to, undefined, (before, after) => compare(before, after, options))
}

/** As `changes`, with lines. */
export async function diff(
  store: StoreContext,
  from: Rev,
  to: Rev | "worktree" = "worktree",
  options: DiffOptions = {},
): Promise<FileDiff[]> {
  const { differ } = store.platform
  const context = contextOf(options)
  return makeOfChanges(store, from, to, options, {
    one: (change, before, after) => fileDiff(change, before, after, context),
    ...(differ === undefined ? {} : { some: (questions) => differ.diff(questions, context.context) }),
  })
}

/** As `changes`, as one patch. */
export async function patch(
  store: StoreContext,
  from: Rev,
  to: Rev | "worktree" = "worktree",
  options: DiffOptions = {},
): Promise<Uint8Array> {
  const { deflater } = store.platform
  const context = contextOf(options)
  const parts = await makeOfChanges(store, from, to, options, {
    one: (change, before, after) => filePatch(deflater, change, before, after, context),
  })
  return concat(parts)
}

async function withSides<Value>(
  store: StoreContext,
  from: Rev,
  to: Rev | "worktree",
  signal: AbortSignal | undefined,
  step: (before: Side, after: Side) => Promise<Value>,
): Promise<Value> {
  signal?.throwIfAborted()
  const before = await storedSide(store, from)
  const after = to === "worktree" ? await worktreeSide(store, before.tree, signal) : await storedSide(store, to)
  try {
    return await step(before, after)
  } finally {
    await after.close()
  }
}

/** What `maker` gives for each change. */
function makeOfChanges<Value>(
  store: StoreContext,
  from: Rev,
  to: Rev | "worktree",
  options: DiffOptions,
  maker: DiffMaker<Value>,
): Promise<Value[]> {
  return withSides(store, from, to, options.signal, async (before, after) => {
    const { differ } = store.platform
    const changes = await compare(
      before,
      watched(after, () => differ?.expect()),
      options,
    )
    return makeDiffs(store, { before, after, changes }, maker, options.signal)
  })
}

/** A side that says when many folders differ: then many files will, and what takes time to start can start now. */
function watched(side: Side, whenMany: () => void): Side {
  const { readTree } = side
  const ahead = async (oids: readonly Oid[]): Promise<void> => {
    if (oids.length >= MANY_CHANGES) whenMany()
    await readTree.ahead?.(oids)
  }
  return { ...side, readTree: Object.assign((oid: Oid) => readTree(oid), { ...readTree, ahead }) }
}

async function compare(before: Side, after: Side, filter: Filter): Promise<Change[]> {
  const found = await compareTrees(after.readTree, before.tree, after.tree, pathFilter(filter))
  return found.filter((change) => isKnown(change, after))
}

function contextOf({ context }: DiffOptions): { readonly context?: number } {
  if (context === undefined) return {}
  if (!Number.isInteger(context) || context < 0)
    throw new SnapshotError("INVALID_ARGUMENT", "Context is a whole number of lines, 0 or more.", {
      argument: "context",
    })
  return { context }
}
