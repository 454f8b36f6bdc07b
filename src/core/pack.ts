/*
 * A pack, version 2:
 *
 *   "PACK"  4 bytes: 2  4 bytes: number of entries        numbers with the highest byte first
 *   entry … entry
 *   20 bytes: SHA-1 of all that stands before
 *
 * An entry is a header and a zlib stream. The header:
 *
 *   1tttssss  1sssssss … 0sssssss    type, and size of the inflated content with the lowest bits first;
 *                                    the highest bit says that another byte follows
 *   1ddddddd … 0ddddddd              offset delta only: how far back its base begins, highest bits first,
 *                                    one added for each byte that follows
 *   20 bytes                         ref delta only: the oid of its base
 *
 * Types: 1 commit, 2 tree, 3 blob, 4 tag, 6 offset delta, 7 ref delta. A delta's content is that of core/delta.ts.
 * Source: https://git-scm.com/docs/gitformat-pack
 */
import { concat, utf8 } from "./bytes.js"
import { OID_BYTES, oidAt, oidBytes, type Oid } from "./oid.js"
import type { ObjectType } from "./object.js"

/** Length of what stands before the first entry. */
export const PACK_HEADER_BYTES = 12

/** Length of the checksum behind the last entry. */
export const PACK_TRAILER_BYTES = 20

/** Offset deltas name their base by its distance, ref deltas by its oid. */
export type PackEntryHeader =
  | { readonly type: ObjectType; readonly sizeBytes: number }
  | { readonly type: "offset-delta"; readonly sizeBytes: number; readonly distance: number }
  | { readonly type: "ref-delta"; readonly sizeBytes: number; readonly base: Oid }

/** An object as it stands in a pack, in full. */
export interface PackedObject {
  readonly oid: Oid
  /** Its header and its zlib stream. */
  readonly entry: Uint8Array
  /** Of the entry. */
  readonly crc32: number
}

/** The first bytes of a pack with `count` entries. */
export function encodePackHeader(count: number): Uint8Array {
  const bytes = new Uint8Array(PACK_HEADER_BYTES)
  bytes.set(MAGIC)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, VERSION)
  view.setUint32(8, count)
  return bytes
}

/** The number of entries, or undefined when `bytes` begin no pack of version 2. */
export function decodePackHeader(bytes: Uint8Array): number | undefined {
  if (bytes.length < PACK_HEADER_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return view.getUint32(4) === VERSION ? view.getUint32(8) : undefined
}

/** What stands before an entry's zlib stream. */
export function encodeEntryHeader(header: PackEntryHeader): Uint8Array {
  const start = encodeTypeAndSize(TYPES.indexOf(header.type), header.sizeBytes)
  if (header.type === "offset-delta") return concat([start, encodeDistance(header.distance)])
  if (header.type === "ref-delta") return concat([start, oidBytes(header.base)])
  return start
}

/** The entry header at `at`, and the position of the byte behind it; undefined when there is none or it is cut off. */
export function decodeEntryHeader(
  bytes: Uint8Array,
  at = 0,
): { readonly header: PackEntryHeader; readonly end: number } | undefined {
  const first = bytes[at]
  const type = first === undefined ? undefined : TYPES[(first >> 4) & 7]
  if (first === undefined || type === undefined) return undefined
  let end = at + 1
  let sizeBytes = first & 15
  let unit = 16
  for (let byte = first; byte & MORE; end++) {
    byte = bytes[end] ?? -1
    if (byte < 0) return undefined
    sizeBytes += (byte & 127) * unit
    unit *= 128
    if (sizeBytes > Number.MAX_SAFE_INTEGER || unit > 2 ** 60) return undefined
  }
  if (type === "offset-delta") {
    const base = decodeDistance(bytes, end)
    return base && { header: { type, sizeBytes, distance: base.distance }, end: base.end }
  }
  if (type !== "ref-delta") return { header: { type, sizeBytes }, end }
  if (end + OID_BYTES > bytes.length) return undefined
  return { header: { type, sizeBytes, base: oidAt(bytes, end) }, end: end + OID_BYTES }
}

function encodeTypeAndSize(type: number, sizeBytes: number): Uint8Array {
  const bytes = [(type << 4) | (sizeBytes % 16)]
  for (let rest = Math.floor(sizeBytes / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | MORE
    bytes.push(rest % 128)
  }
  return Uint8Array.from(bytes)
}

function encodeDistance(distance: number): Uint8Array {
  const bytes = [distance % 128]
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest--
    bytes.unshift(MORE | (rest % 128))
  }
  return Uint8Array.from(bytes)
}

function decodeDistance(bytes: Uint8Array, at: number): { distance: number; end: number } | undefined {
  let distance = 0
  for (let end = at; end < bytes.length; end++) {
    const byte = bytes[end] as number
    distance = distance * 128 + (byte & 127)
    if (distance > Number.MAX_SAFE_INTEGER) return undefined
    if (!(byte & MORE)) return { distance, end: end + 1 }
    distance++
  }
  return undefined
}

const MAGIC = utf8("PACK")
const VERSION = 2
const MORE = 0x80
const TYPES: readonly (PackEntryHeader["type"] | undefined)[] = [
  undefined,
  "commit",
  "tree",
  "blob",
  "tag",
  undefined,
  "offset-delta",
  "ref-delta",
]
