import { isSnapshotError, SnapshotError } from "../core/errors.js"
import { escapePath, type RepoPath } from "../core/path.js"
import type { Outcome, RestorePlan, SnapshotStore } from "../snapshot-store.js"
import { carryOut, tellUnfinished } from "./carry-out.js"
import type { Place } from "./place.js"
import { requireHash, snapshotOf } from "./snapshot-of.js"
import { takeAtItsWord } from "./take-at-its-word.js"

/**
 * Makes each file what it was in the first patch that names it, with one restore for each hash. `tell` gets what could
 * not be done: INVALID_ARGUMENT for what is no patch or no path, PATH_UNSAFE for files outside of the folder, NOT_FOUND for a hash that does not exist, whose files are
 * left as they are.
 */
export async function revert(
  place: Place,
  patches: readonly { readonly hash: string; readonly files: readonly string[] }[],
  tell: (error: unknown) => void,
): Promise<void> {
  for (const [hash, paths] of firstMentions(place, patches, tell)) {
    place.closing.throwIfAborted()
    try {
      await revertTo(place, requireHash(hash), paths, tell)
    } catch (error) {
      if (place.closing.aborted) throw error
      tell(error)
    }
  }
}

/** The paths by the hash of the first patch that names them. `tell` gets what has not the form of a patch. */
function firstMentions(
  place: Place,
  patches: unknown,
  tell: (error: unknown) => void,
): ReadonlyMap<string, ReadonlySet<RepoPath>> {
  if (!Array.isArray(patches)) throw noPatch("patches are a list of patches.")
  const mentions = new Map<string, Set<RepoPath>>()
  const seen = new Set<string>()
  for (const patch of patches as readonly unknown[]) {
    const { hash, files } = (patch ?? {}) as { readonly hash?: unknown; readonly files?: unknown }
    if (typeof hash !== "string" || !Array.isArray(files)) {
      tell(noPatch("a patch is an object with a hash and a list of files. The other patches are reverted."))
      continue
    }
    for (const file of files as readonly unknown[]) {
      if (typeof file !== "string") {
        tell(noPatch("a file of a patch is a path. The other files are reverted."))
        continue
      }
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

function noPatch(why: string): SnapshotError {
  return new SnapshotError("INVALID_ARGUMENT", `Wrong patches: ${why}`, { argument: "patches" })
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
  const { store, closing } = place
  const snapshot = await snapshotOf(store, hash)
  const made = await store.plan({ to: snapshot?.id ?? hash }, { paths: [...named], signal: closing })
  const plan = exactly(snapshot === undefined ? await takeAtItsWord(place, hash, made) : made, named)
  await carryOut(store, plan, tell, closing)
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
