import { concat } from "../core/bytes.js"
import { changeBetween, type Change, type FileDiff, type FileVersion } from "../core/change.js"
import { SnapshotError } from "../core/errors.js"
import type { GitObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import type { RepoPath } from "../core/path.js"
import { pauses } from "../core/turns.js"
import type { DiffOptions, Filter, Rev } from "../snapshot-store.js"
import { compareTrees } from "../tree/compare-trees.js"
import { fileDiff } from "../tree/file-diff.js"
import { filePatch } from "../tree/patch.js"
import { pathFilter } from "../tree/path-filter.js"
import type { StoreContext } from "./context.js"
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
  return mapChanges(store, from, to, options, async (change, before, after) =>
    fileDiff(change, before, after, contextOf(options)),
  )
}

/** As `changes`, as one patch. */
export async function patch(
  store: StoreContext,
  from: Rev,
  to: Rev | "worktree" = "worktree",
  options: DiffOptions = {},
): Promise<Uint8Array> {
  const { deflater } = store.platform
  const parts = await mapChanges(store, from, to, options, (change, before, after) =>
    filePatch(deflater, change, before, after, contextOf(options)),
  )
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

async function compare(before: Side, after: Side, filter: Filter): Promise<Change[]> {
  const found = await compareTrees(after.readTree, before.tree, after.tree, pathFilter(filter))
  return found.filter((change) => isKnown(change, after))
}

/** What `make` gives for each change. Short contents are read for some changes at a time, long ones for one. */
async function mapChanges<Value>(
  store: StoreContext,
  from: Rev,
  to: Rev | "worktree",
  options: DiffOptions,
  make: (change: Change, before: Uint8Array | undefined, after: Uint8Array | undefined) => Promise<Value> | Value,
): Promise<Value[]> {
  contextOf(options)
  return withSides(store, from, to, options.signal, async (before, after) => {
    const made: Value[] = []
    const pause = pauses()
    const all = await compare(before, after, options)
    const readFrom = (at: number): Promise<ReadonlyMap<Oid, GitObject>> =>
      store.objects.readTogether(storedOids(before, after, all.slice(at, at + READ_AT_ONCE)))
    let ahead = readFrom(0)
    try {
      for (let at = 0; at < all.length; at += READ_AT_ONCE) {
        const read = await ahead
        ahead = readFrom(at + READ_AT_ONCE)
        for (const change of all.slice(at, at + READ_AT_ONCE)) {
          await pause()
          options.signal?.throwIfAborted()
          const old = await contentOf(before, change.path as RepoPath, change.before, read)
          const now = await contentOf(after, change.path as RepoPath, change.after, read)
          // The work tree may have moved on since it was compared: what is shown is what was read.
          const current = changeBetween(change.path, old?.version, now?.version)
          if (current !== undefined) made.push(await make(current, old?.bytes, now?.bytes))
        }
      }
    } finally {
      // Nothing may be read any more when the call is over; a failure has been told where it was waited for.
      await ahead.catch(() => {})
    }
    return made
  })
}

const READ_AT_ONCE = 128

function storedOids(before: Side, after: Side, changes: readonly Change[]): Oid[] {
  return changes.flatMap((change) => [
    ...(before.isStored && change.before ? [change.before.oid as Oid] : []),
    ...(after.isStored && change.after ? [change.after.oid as Oid] : []),
  ])
}

function contentOf(
  side: Side,
  path: RepoPath,
  version: FileVersion | undefined,
  read: ReadonlyMap<string, GitObject>,
): ReturnType<Side["content"]> {
  return version === undefined ? Promise.resolve(undefined) : side.content(path, version, read)
}

function contextOf({ context }: DiffOptions): { readonly context?: number } {
  if (context === undefined) return {}
  if (!Number.isInteger(context) || context < 0)
    throw new SnapshotError("INVALID_ARGUMENT", "Context is a whole number of lines, 0 or more.", {
      argument: "context",
    })
  return { context }
}
