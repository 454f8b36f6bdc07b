import { SnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { pinnedRef, PINS, toRefName, type RefName } from "../core/ref-name.js"

/** The pins whose snapshots have no ref: pins go first, so that only damage leaves such a one. */
export function lonePins(refs: ReadonlyMap<string, Oid>): RefName[] {
  const pins = [...refs.keys()].filter((name) => name.startsWith(PINS)).map(toRefName)
  return pins.filter((pin) => pin !== undefined).filter((pin) => !refs.has(pinnedRef(pin)))
}

/** Lets nothing go while a snapshot's ref is gone that somebody pinned: REF_INVALID. */
export function refuseLonePins(refs: ReadonlyMap<string, Oid>): void {
  const [pin] = lonePins(refs)
  if (pin === undefined) return
  const ref = pinnedRef(pin)
  throw new SnapshotError(
    "REF_INVALID",
    `The ref ${ref} is gone, and ${pin} still pins its snapshot, so nothing can be removed: others may be gone with it. Verify the store and repair it: treeshot verify --repair sets it anew.`,
    { ref },
  )
}
