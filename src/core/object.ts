import { concat, utf8 } from "./bytes.js"
import { SnapshotError } from "./errors.js"
import type { Hasher } from "./hasher.js"
import { oidAt, type Oid } from "./oid.js"

/** What a Git object can be. Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects */
export type ObjectType = "blob" | "tree" | "commit" | "tag"

/** An object as it was stored, without its header. */
export interface GitObject {
  readonly type: ObjectType
  readonly bytes: Uint8Array
}

/** Reads objects by oid. What it gives has been hashed: it is what the oid names. */
export interface ObjectReader {
  /** The object; undefined when nothing holds it. Damaged everywhere: OBJECT_CORRUPT. */
  read(oid: Oid): Promise<GitObject | undefined>
}

/** The bytes that are hashed, and stored loose, ahead of an object's own: its type, its size, a NUL. */
export function objectHeader(type: ObjectType, sizeBytes: number): Uint8Array {
  return utf8(`${type} ${sizeBytes}\0`)
}

/** The oid of an object. */
export async function hashObject(hasher: Hasher, type: ObjectType, bytes: Uint8Array): Promise<Oid> {
  return oidAt(await hasher.sha1([objectHeader(type, bytes.length), bytes]))
}

/** The object, which has to be there and of this type: OBJECT_MISSING, OBJECT_CORRUPT. */
export async function readAs(reader: ObjectReader, oid: Oid, type: ObjectType): Promise<Uint8Array> {
  const object = await reader.read(oid)
  if (object === undefined)
    throw new SnapshotError(
      "OBJECT_MISSING",
      `The ${type} ${oid} is missing from the store. Capture again to store what is still in the work tree.`,
      { oid },
    )
  if (object.type !== type)
    throw new SnapshotError(
      "OBJECT_CORRUPT",
      `${oid} is a ${object.type} where a ${type} belongs. Verify the store: that names the snapshots that it touches.`,
      { oid },
    )
  return object.bytes
}

/** What a loose object says of itself, and where its own bytes begin. */
export interface LooseHeader {
  readonly type: ObjectType
  readonly sizeBytes: number
  readonly end: number
}

/** The header at the start of a loose object's content, of which the first 32 bytes are enough; undefined when it is none. */
export function looseHeader(content: Uint8Array): LooseHeader | undefined {
  const end = content.subarray(0, 32).indexOf(0)
  if (end < 0) return undefined
  const header = /^(blob|tree|commit|tag) (\d{1,15})$/.exec(String.fromCharCode(...content.subarray(0, end)))
  return header === null ? undefined : { type: header[1] as ObjectType, sizeBytes: Number(header[2]), end: end + 1 }
}

/**
 * Splits `<type> <size>\0<bytes>`, the content of a loose object. A header that is none, or a size that is not that
 * of the bytes behind it, gives undefined.
 */
export function splitLoose(content: Uint8Array): GitObject | undefined {
  const header = looseHeader(content)
  if (header === undefined || content.length !== header.end + header.sizeBytes) return undefined
  return { type: header.type, bytes: content.subarray(header.end) }
}

/** The content of a loose object before it is deflated. */
export function joinLoose(type: ObjectType, bytes: Uint8Array): Uint8Array {
  return concat([objectHeader(type, bytes.length), bytes])
}
