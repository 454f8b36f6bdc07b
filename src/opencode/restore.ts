import { EMPTY_TREE } from "../core/oid.js"
import type { Keep, RestorePlan } from "../snapshot-store.js"
import { carryOut } from "./carry-out.js"
import type { Place } from "./place.js"
import { requireHash, snapshotOf } from "./snapshot-of.js"
import { takeAtItsWord } from "./take-at-its-word.js"

/**
 * Makes all files what they were in the tree `hash`. Files added since stay, unless one stands where the tree has a
 * folder with files: it gives way. `tell` gets what could not be done.
 */
export async function restore(place: Place, hash: string, tell: (error: unknown) => void): Promise<void> {
  const { store, filter, closing } = place
  const snapshot = await snapshotOf(store, requireHash(hash))
  const to = snapshot?.id ?? hash
  const plan = await store.plan({ to }, { ...filter, added: "keep", signal: closing })
  const inTheWay = addedInTheWay(plan.keeps)
  if (inTheWay.length === 0) return carryOut(store, withoutStaying(plan), tell, closing)
  const made = await store.plan({ to }, { paths: inTheWay, signal: closing })
  const cleared = snapshot === undefined ? await takeAtItsWord(place, hash, made) : made
  await carryOut(store, withoutStaying(joined(plan, cleared, inTheWay)), tell, closing, whereNeeded)
}

/** The added files and links that stand where files of the tree have a folder above them. */
function addedInTheWay(keeps: readonly Keep[]): string[] {
  const blocked = keeps.filter(({ theirs }) => theirs !== undefined && theirs !== EMPTY_TREE)
  const above = new Set(blocked.flatMap(({ path }) => foldersAbove(path)))
  const added = keeps.filter(({ reason, theirs }) => reason === "added" && theirs === undefined)
  return added.map(({ path }) => path).filter((path) => above.has(path))
}

/** `plan`, but what `cleared` says of `paths` and all that is in them. */
function joined(plan: RestorePlan, cleared: RestorePlan, paths: readonly string[]): RestorePlan {
  const known = new Set(paths)
  const isElsewhere = ({ path }: { readonly path: string }): boolean =>
    !known.has(path) && !foldersAbove(path).some((folder) => known.has(folder))
  return whereNeeded({
    ...plan,
    writes: [...plan.writes.filter(isElsewhere), ...cleared.writes],
    deletes: [...plan.deletes.filter(isElsewhere), ...cleared.deletes],
    keeps: [...plan.keeps.filter(isElsewhere), ...cleared.keeps],
  })
}

/** Nothing gives way to what is not written. */
function whereNeeded(plan: RestorePlan): RestorePlan {
  const files = plan.writes.filter(({ after }) => after?.mode !== "40000")
  const above = new Set(files.flatMap(({ path }) => foldersAbove(path)))
  return { ...plan, deletes: plan.deletes.filter(({ path }) => above.has(path)) }
}

/** What the tree does not have is to stay, so there is nothing to tell of it: added files, those of nested repositories. */
function withoutStaying(plan: RestorePlan): RestorePlan {
  return { ...plan, keeps: plan.keeps.filter(({ theirs }) => theirs !== undefined) }
}

function foldersAbove(path: string): string[] {
  const parts = path.split("/")
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"))
}
