import { isSnapshotError, SnapshotError } from "../core/errors.js"
import { escapePath, type RepoPath } from "../core/path.js"
import type { Keep, Outcome, PlannedChange, RestorePlan, SnapshotStore } from "../snapshot-store.js"
import { carryOut, tellUnfinished } from "./carry-out.js"
import type { Place } from "./place.js"
import { requireHash, snapshotOf } from "./snapshot-of.js"

/**
 * Makes each file what it was in the first patch that names it, with one restore for each hash. `tell` gets what could
 * not be done: PATH_UNSAFE for files outside of the folder, NOT_FOUND for a hash that does not exist, whose files are
 * left as they are.
 */
export async function revert(
  place: Place,
  patches: readonly { readonly hash: string; readonly files: readonly string[] }[],
  tell: (error: unknown) => void,
): Promise<void> {
  for (const [hash, paths] of firstMentions(place, patches, tell)) {
    try {
      await revertTo(place, requireHash(hash), paths, tell)
    } catch (error) {
      tell(error)
    }
  }
}

/** The paths by the hash of the first patch that names them. */
function firstMentions(
  place: Place,
  patches: readonly { readonly hash: string; readonly files: readonly string[] }[],
  tell: (error: unknown) => void,
): ReadonlyMap<string, ReadonlySet<RepoPath>> {
  const mentions = new Map<string, Set<RepoPath>>()
  const seen = new Set<string>()
  for (const { hash, files } of patches) {
    for (const file of files) {
      const path = place.inFolder(file)
      if (seen.has(path ?? file)) continue
      seen.add(path ?? file)
      if (path === undefined) {
        tell(outside(file))
        continue
      }
      const paths = mentions.get(hash) ?? new Set()
      mentions.set(hash, paths.add(path))
    }
  }
  return mentions
}

function outside(file: string): SnapshotError {
  const path = escapePath(file)
  return new SnapshotError("PATH_UNSAFE", `${path} is not in the folder of these snapshots and stays as it is.`, {
    path,
  })
}

async function revertTo(
  place: Place,
  hash: string,
  named: ReadonlySet<RepoPath>,
  tell: (error: unknown) => void,
): Promise<void> {
  const { store } = place
  const snapshot = await snapshotOf(store, hash)
  const made = await store.plan({ to: snapshot?.id ?? hash }, { paths: [...named] })
  const plan = exactly(snapshot === undefined ? await takeAtItsWord(place, hash, made) : made, named)
  await carryOut(store, plan, tell)
  tellUnfinished(await unseen(place, hash, plan, named), tell)
}

/** A plan's paths stand for all that is in them; a patch means the files that it names. */
function exactly(plan: RestorePlan, named: ReadonlySet<string>): RestorePlan {
  const isNamed = ({ path }: { readonly path: string }): boolean => named.has(path)
  return {
    ...plan,
    writes: plan.writes.filter(isNamed),
    deletes: plan.deletes.filter(isNamed),
    keeps: plan.keeps.filter(isNamed),
  }
}

/**
 * Of a bare tree it is not known what was left out, so a plan keeps what the tree does not have. A patch says that these
 * files were made since: they are deleted, and what they make way for is written. `apply` still checks that the safety
 * snapshot holds each of them.
 */
async function takeAtItsWord({ store, filter }: Place, hash: string, plan: RestorePlan): Promise<RestorePlan> {
  const added = plan.keeps.filter(({ reason }) => reason === "added")
  if (added.length === 0) return plan
  const blocked = plan.keeps.filter(({ reason, theirs }) => reason === "conflict" && theirs !== undefined)
  const changes = new Map((await store.changes(hash, "worktree", filter)).map((change) => [change.path, change]))
  const deletes: PlannedChange[] = []
  const writes: PlannedChange[] = []
  const settled = new Set<Keep>()
  for (const keep of [...added, ...blocked]) {
    const { path } = keep
    const { before, after } = changes.get(path) ?? {}
    if (keep.theirs === undefined && after !== undefined) deletes.push({ path, before: after })
    else if (keep.theirs !== undefined && before !== undefined) writes.push({ path, after: before })
    else continue
    settled.add(keep)
  }
  return {
    ...plan,
    writes: [...plan.writes, ...writes],
    deletes: [...plan.deletes, ...deletes],
    keeps: plan.keeps.filter((keep) => !settled.has(keep)),
  }
}

/** Files that the tree does not have and that no capture sees, such as ignored ones: no safety snapshot would hold them. */
async function unseen(
  { store, isFile }: Place,
  hash: string,
  { writes, deletes, keeps }: RestorePlan,
  named: ReadonlySet<RepoPath>,
): Promise<Outcome[]> {
  const planned = new Set([...writes, ...deletes, ...keeps].map(({ path }) => path))
  const found: Outcome[] = []
  for (const path of named) {
    if (planned.has(path) || !(await isFile(path)) || (await has(store, hash, path))) continue
    found.push({ path, action: "kept", reason: "not-captured" })
  }
  return found
}

/** Whether a tree names a path, be what it names damaged. */
async function has(store: SnapshotStore, tree: string, path: string): Promise<boolean> {
  try {
    return (await store.readFile(tree, path)) !== undefined
  } catch (error) {
    if (NAMED.some((code) => isSnapshotError(error, code))) return true
    throw error
  }
}

const NAMED = ["IS_FOLDER", "OBJECT_MISSING", "OBJECT_CORRUPT"] as const
