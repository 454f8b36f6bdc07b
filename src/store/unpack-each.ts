import type { GitObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { decodeEntryHeader } from "../core/pack.js"
import { pauses } from "../core/turns.js"
import type { PackedEntry, Unpacker } from "../core/unpacker.js"
import { isNamed, type ObjectPorts } from "./stored-object.js"

/** Gives `take` the objects of `entries` that are what they should be; the others are passed over. */
export async function unpackEach(
  unpacker: Unpacker | undefined,
  ports: Pick<ObjectPorts, "hasher" | "deflater">,
  entries: Iterable<PackedEntry>,
  take: (oid: Oid, object: GitObject) => void,
): Promise<void> {
  const pause = pauses()
  for (const packed of entries) {
    await pause()
    const object = unpacker === undefined ? await unpacked(ports, packed) : unpacker.unpack(packed)
    if (object !== undefined) take(packed.oid, object)
  }
}

async function unpacked(
  { deflater, hasher }: Pick<ObjectPorts, "hasher" | "deflater">,
  { oid, entry }: PackedEntry,
): Promise<GitObject | undefined> {
  const { header, end = 0 } = decodeEntryHeader(entry) ?? {}
  if (header === undefined || header.type === "offset-delta" || header.type === "ref-delta") return undefined
  const bytes = await deflater.inflate(entry.subarray(end), header.sizeBytes).catch(() => undefined)
  const object = bytes && { type: header.type, bytes }
  return object && (await isNamed(hasher, oid, object)) ? object : undefined
}
