import { readAs } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { decodeEntryHeader } from "../core/pack.js"
import { drain } from "../core/settle-all.js"
import { pauses } from "../core/turns.js"
import type { ObjectDatabase } from "./object-database.js"

/**
 * How many bytes the objects of `oids` have. Of short ones that stand whole in a pack, what their headers say is believed:
 * nothing is inflated. One that is not stored: OBJECT_MISSING.
 */
export async function contentSizes(objects: ObjectDatabase, oids: Iterable<Oid>): Promise<Map<Oid, number>> {
  const sizes = new Map<Oid, number>()
  const left = new Set(oids)
  const pause = pauses()
  for (let found = -1; found !== 0 && left.size > 0;) {
    const packed = await objects.packedTogether(left)
    found = packed.size
    for (const [oid, { entry }] of packed) {
      await pause()
      const header = decodeEntryHeader(entry)?.header
      if (header !== undefined) sizes.set(oid, header.sizeBytes)
      left.delete(oid)
    }
  }
  await drain([...left], READS_AT_ONCE, async (oid) => {
    await pause()
    const stream = await objects.stream(oid)
    sizes.set(oid, stream?.sizeBytes ?? (await readAs(objects, oid, "blob")).length)
  })
  return sizes
}

const READS_AT_ONCE = 8
