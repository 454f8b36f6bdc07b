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
    throw new SnapshotError("OBJECT_CORRUPT", `${oid} is a ${object.type} where a ${type} belongs.`, { oid })
  return object.bytes
}

/**
 * Splits `<type> <size>\0<bytes>`, the content of a loose object. A header that is none, or a size that is not that
 * of the bytes behind it, gives undefined.
 */
export function splitLoose(content: Uint8Array): GitObject | undefined {
  const end = content.subarray(0, 32).indexOf(0)
  if (end < 0) return undefined
  const header = /^(blob|tree|commit|tag) (\d{1,15})$/.exec(String.fromCharCode(...content.subarray(0, end)))
  const bytes = content.subarray(end + 1)
  if (header === null || Number(header[2]) !== bytes.length) return undefined
  return { type: header[1] as ObjectType, bytes }
}

/** The content of a loose object before it is deflated. */
export function joinLoose(type: ObjectType, bytes: Uint8Array): Uint8Array {
  return concat([objectHeader(type, bytes.length), bytes])
}
