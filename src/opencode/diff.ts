import type { Place } from "./place.js"
import { requireHash } from "./snapshot-of.js"
import { visibleChanges } from "./visible-changes.js"

/**
 * What changed since the tree `hash`, as Git writes a patch for people: binaries are named only, and bytes that are no
 * UTF-8 show as U+FFFD. NOT_FOUND for a hash that does not exist.
 */
export async function diff(place: Place, hash: string): Promise<string> {
  const changes = await place.store.diff(requireHash(hash), "worktree", { ...place.filter, signal: place.closing })
  const visible = await visibleChanges(place, hash, changes)
  return visible.map(({ patch }) => patch).join("")
}
