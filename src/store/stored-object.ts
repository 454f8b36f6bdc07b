import { SnapshotError } from "../core/errors.js"
import type { Deflater } from "../core/deflater.js"
import type { FileSystem } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import { hashObject, objectHeader, type GitObject, type ObjectType } from "../core/object.js"
import { compareOidAt, oidAt, type Oid } from "../core/oid.js"

/** What stored objects are read with. */
export interface ObjectPorts {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly deflater: Deflater
}

/** An object whose content comes in pieces. */
export interface ObjectStream {
  readonly type: ObjectType
  readonly sizeBytes: number
  /**
   * To be read once. Throws OBJECT_CORRUPT when the content turns out not to be what the oid names, at the latest
   * behind the last piece: what came before counts only when it ends without an error.
   */
  readonly chunks: AsyncIterable<Uint8Array>
}

/** Objects up to this size are given in one piece. */
export const ONE_PIECE_BYTES: number = 1 << 20

/** `object`, when it is what `oid` names; OBJECT_CORRUPT otherwise, with the place that it came from. */
export async function verified(hasher: Hasher, oid: Oid, object: GitObject, path: string): Promise<GitObject> {
  if (await isNamed(hasher, oid, object)) return object
  const actual = await hashObject(hasher, object.type, object.bytes)
  throw damaged(oid, path, new Error(`Its content is that of ${actual}.`))
}

/** Whether `object` is what `oid` names. */
export async function isNamed(hasher: Hasher, oid: Oid, object: GitObject): Promise<boolean> {
  const hash = await hasher.sha1([objectHeader(object.type, object.bytes.length), object.bytes])
  return compareOidAt(hash, 0, oid) === 0
}

/** `chunks` as they come; throws OBJECT_CORRUPT as soon as they cannot be the object that `oid` names. */
export async function* verifiedChunks(
  hasher: Hasher,
  oid: Oid,
  object: Omit<ObjectStream, "chunks">,
  chunks: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Uint8Array> {
  const hash = hasher.start()
  hash.update(objectHeader(object.type, object.sizeBytes))
  let length = 0
  try {
    for await (const chunk of chunks) {
      length += chunk.length
      if (length > object.sizeBytes) break
      hash.update(chunk)
      yield chunk
    }
  } catch (cause) {
    throw asDamage(oid, path, cause)
  }
  if (length !== object.sizeBytes) throw damaged(oid, path, new Error(`It is not ${object.sizeBytes} bytes long.`))
  const actual = oidAt(hash.digest())
  if (actual !== oid) throw damaged(oid, path, new Error(`Its content is that of ${actual}.`))
}

/** An object in memory, as a stream of one piece. */
export function inOnePiece({ type, bytes }: GitObject): ObjectStream {
  return { type, sizeBytes: bytes.length, chunks: onePiece(bytes) }
}

/** The error for an object whose copy at `path` cannot be what it should be. */
function damaged(oid: Oid, path: string, cause?: unknown): SnapshotError {
  return new SnapshotError(
    "OBJECT_CORRUPT",
    `The object ${oid} is damaged in ${path}. Verify the store and repair it.`,
    { oid },
    cause,
  )
}

/** What went wrong while reading the copy of an object: a failure of the system as it is, all else as damage. */
export function asDamage(oid: Oid, path: string, cause: unknown): SnapshotError {
  return cause instanceof SnapshotError ? cause : damaged(oid, path, cause)
}

/** The error for an object that is not read into memory as a whole. */
export function tooLarge(oid: Oid, sizeBytes: number): SnapshotError {
  return new SnapshotError(
    "UNSUPPORTED",
    `The object ${oid} has ${sizeBytes} bytes, which is more than is read into memory as a whole. Read it in pieces.`,
    { capability: "objects of this size in memory" },
  )
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
