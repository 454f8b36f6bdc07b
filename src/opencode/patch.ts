import type { Place } from "./place.js"
import { requireHash } from "./snapshot-of.js"
import { visibleChanges } from "./visible-changes.js"

/** Which files differ from a tree. */
export interface Patch {
  readonly hash: string
  /** Absolute paths with forward slashes, sorted. Mutable, as OpenCode has it. */
  readonly files: string[]
}

/** The files that differ from the tree `hash` now. NOT_FOUND for a hash that does not exist. */
export async function patch(place: Place, hash: string): Promise<Patch> {
  const changes = await place.store.changes(requireHash(hash), "worktree", place.filter)
  const visible = await visibleChanges(place, hash, changes)
  return { hash, files: visible.map(({ path }) => place.absolute(path)) }
}
