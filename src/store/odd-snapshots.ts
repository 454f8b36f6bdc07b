import type { Oid } from "../core/oid.js"
import { PINS, SNAPSHOTS } from "../core/ref-name.js"
import { drain } from "../core/settle-all.js"
import type { ObjectDatabase } from "./object-database.js"
import { damagedRef, type RefRoots } from "./roots.js"

/** Whether a ref is to name a snapshot's commit. */
export function isForSnapshot(name: string): boolean {
  return name.startsWith(SNAPSHOTS) || name.startsWith(PINS)
}

/**
 * Lets nothing go while a snapshot's ref, or a pin, names an object that is no commit: its snapshot is still stored, maybe,
 * and reached by nothing. REF_INVALID. What is missing or damaged is left to whoever marks.
 */
export async function refuseOddSnapshots(
  objects: ObjectDatabase,
  { oids }: RefRoots,
  signal: AbortSignal | undefined,
): Promise<void> {
  const commits = new Set<Oid>()
  const open = [...oids].filter(([name]) => isForSnapshot(name))
  await drain(open, AT_ONCE, async ([name, oid]) => {
    signal?.throwIfAborted()
    if (commits.has(oid)) return
    commits.add(oid)
    const type = (await objects.stream(oid))?.type
    if (type !== undefined && type !== "commit") throw damagedRef(name)
  })
}

const AT_ONCE = 16
