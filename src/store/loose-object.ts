import { concat } from "../core/bytes.js"
import { errnoOf, isSnapshotError } from "../core/errors.js"
import type { OpenFile } from "../core/file-system.js"
import { looseHeader, splitLoose, type GitObject, type LooseHeader, type ObjectType } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { openFollowing, readPiece, readPieces } from "./file-pieces.js"
import {
  asDamage,
  inOnePiece,
  ONE_PIECE_BYTES,
  tooLarge,
  verified,
  verifiedChunks,
  type ObjectPorts,
  type ObjectStream,
} from "./stored-object.js"

/** Where an objects folder keeps the loose object `oid`. */
export function loosePath(objectsFolder: string, oid: Oid): string {
  return `${objectsFolder}/${oid.slice(0, 2)}/${oid.slice(2)}`
}

/** Whether the file of a loose object is there. One without content, as a power cut leaves it, does not count. */
export async function hasLoose(ports: ObjectPorts, path: string): Promise<boolean> {
  const stat = await ports.fileSystem.lstat(path)
  return stat !== undefined && stat.sizeBytes > 0 && (stat.kind === "file" || stat.kind === "link")
}

/**
 * What the loose object at `path` says that it is; undefined when it is not there, or damaged at its beginning. Nothing
 * is verified, and little more than the beginning is read.
 */
export async function looseType(ports: ObjectPorts, path: string, oid: Oid): Promise<ObjectType | undefined> {
  try {
    return await withFile(ports, path, oid, async (file) => {
      const start = new Uint8Array(TYPE_BYTES)
      const length = await file.read(start, 0)
      const header = length < TYPE_BYTES ? await wholeHeader(ports, start.subarray(0, length)) : undefined
      return (header ?? (await headerOf(ports, file, (await file.stat()).sizeBytes))).type
    })
  } catch (error) {
    if (isSnapshotError(error, "OBJECT_CORRUPT")) return undefined
    throw error
  }
}

/** The loose object at `path`: undefined when it is not there, OBJECT_CORRUPT, UNSUPPORTED above `limitBytes`. */
export async function readLoose(
  ports: ObjectPorts,
  path: string,
  oid: Oid,
  limitBytes: number,
): Promise<GitObject | undefined> {
  return withFile(ports, path, oid, async (file) => {
    const { sizeBytes } = await file.stat()
    // A small stream cannot hold more than the limit, so there is no need to look at the header first.
    const header = sizeBytes * MOST_SHRINKING <= limitBytes ? undefined : await headerOf(ports, file, sizeBytes)
    if (header !== undefined && header.sizeBytes > limitBytes) throw tooLarge(oid, header.sizeBytes)
    const limit = header === undefined ? limitBytes : header.end + header.sizeBytes
    const object = splitLoose(await ports.deflater.inflateAll(await readPiece(file, 0, sizeBytes), limit))
    if (object === undefined) throw new Error("It has no header, or not the size that this says.")
    return verified(ports.hasher, oid, object, path)
  })
}

/** The loose object at `path`, of any size. A small one is verified before it is given, another at its end. */
export async function streamLoose(
  ports: ObjectPorts,
  path: string,
  oid: Oid,
  limitBytes: number,
): Promise<ObjectStream | undefined> {
  const header = await withFile(ports, path, oid, async (file) => headerOf(ports, file, (await file.stat()).sizeBytes))
  if (header === undefined) return undefined
  if (header.sizeBytes <= ONE_PIECE_BYTES) {
    const object = await readLoose(ports, path, oid, limitBytes)
    return object && inOnePiece(object)
  }
  const { type, sizeBytes } = header
  const object = { type, sizeBytes }
  return { ...object, chunks: verifiedChunks(ports.hasher, oid, object, contentBehind(ports, path, header.end), path) }
}

/**
 * How many bytes the loose object at `path` takes, and how many its file has; undefined when it is not there. A damaged one:
 * OBJECT_CORRUPT.
 */
export async function looseSize(
  ports: ObjectPorts,
  path: string,
  oid: Oid,
): Promise<{ readonly objectBytes: number; readonly fileBytes: number } | undefined> {
  return withFile(ports, path, oid, async (file) => {
    const { sizeBytes: fileBytes } = await file.stat()
    let objectBytes = 0
    const content = ports.deflater.inflateStream(readPieces(file, 0, fileBytes), (bytes) => (objectBytes = bytes))
    for await (const chunk of content) if (chunk.length === 0) continue
    return { objectBytes, fileBytes }
  })
}

/** What `work` gives for the file at `path`; undefined when it is not there. What it throws counts as damage of `oid`. */
async function withFile<T>(
  ports: ObjectPorts,
  path: string,
  oid: Oid,
  work: (file: OpenFile) => Promise<T>,
): Promise<T | undefined> {
  let file: OpenFile
  try {
    file = await openFollowing(ports.fileSystem, path)
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined
    throw error
  }
  try {
    return await work(file)
  } catch (cause) {
    throw asDamage(oid, path, cause)
  } finally {
    await file.close()
  }
}

/** The header of a short object: inflating all of it costs less than beginning a stream. */
async function wholeHeader({ deflater }: ObjectPorts, stored: Uint8Array): Promise<LooseHeader | undefined> {
  try {
    return looseHeader(await deflater.inflateAll(stored, TYPE_BYTES * USUAL_SHRINKING))
  } catch {
    return undefined
  }
}

async function headerOf(ports: ObjectPorts, file: OpenFile, fileBytes: number): Promise<LooseHeader> {
  let start: Uint8Array = new Uint8Array(0)
  for await (const chunk of ports.deflater.inflateStream(readPieces(file, 0, fileBytes))) {
    start = concat([start, chunk])
    if (start.length >= HEADER_BYTES) break
  }
  const header = looseHeader(start)
  if (header === undefined) throw new Error("It has no header.")
  return header
}

/** The content of the loose object at `path` from position `start` on. */
async function* contentBehind(ports: ObjectPorts, path: string, start: number): AsyncGenerator<Uint8Array> {
  const file = await openFollowing(ports.fileSystem, path)
  try {
    const { sizeBytes } = await file.stat()
    let skip = start
    for await (const chunk of ports.deflater.inflateStream(readPieces(file, 0, sizeBytes))) {
      if (chunk.length > skip) yield chunk.subarray(skip)
      skip = Math.max(0, skip - chunk.length)
    }
  } finally {
    await file.close()
  }
}

/** No zlib stream shrinks its content to less than one part in so many. Source: https://zlib.net/zlib_tech.html */
const MOST_SHRINKING = 1032
/** Most objects of source code are stored in less. */
const TYPE_BYTES = 4096
const USUAL_SHRINKING = 16
/** No header is longer. */
const HEADER_BYTES = 32
