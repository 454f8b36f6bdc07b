/*
 * Reads a file so that what comes out is what the file held at one moment, as far as the system lets us see: its times
 * and size are the same before and after. Times have a grain; a file that was written within it may change without
 * showing, so it is read twice and has to be the same.
 */
import { errnoOf } from "../core/errors.js"
import { UNREADABLE, type FileStat, type FileSystem, type FolderHandle, type OpenFile } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import { hashObject, objectHeader } from "../core/object.js"
import { oidAt, type Oid } from "../core/oid.js"
import { isFresh, sameStat } from "../core/stable-read.js"

/** What reads need. */
export interface ReadPorts {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
}

/** A file as it was at one moment. */
export interface FileContent {
  readonly oid: Oid
  readonly stat: FileStat
  /** The content; undefined for a file too large to be held in memory. */
  readonly bytes: Uint8Array | undefined
}

/** Why a file could not be read. `absent`: it is gone, or no plain file any more. */
export type ReadFailure = "unreadable" | "changed-while-reading" | "absent"

/** Files above this many bytes are read in pieces and never held as a whole. */
export const WHOLE_FILE_BYTES: number = 16 * 1024 * 1024

const PIECE_BYTES = 1024 * 1024

const ATTEMPTS = 4

/**
 * Opens `name` in `folder`, never through a link and never blocking, and gives what `step` makes of it, or why not.
 * Failures that are not the file's own (too many open files, no memory) throw IO_FAILED.
 */
export async function withFile<Value>(
  ports: ReadPorts,
  folder: FolderHandle,
  name: string,
  step: (file: OpenFile) => Promise<Value>,
): Promise<Value | ReadFailure> {
  let file: OpenFile | undefined
  try {
    file = await ports.fileSystem.open(folder.at(name), "read")
    return await step(file)
  } catch (error) {
    const failure = failureOf(errnoOf(error))
    if (failure === undefined) throw error
    return failure
  } finally {
    // A file that was only read loses nothing when it cannot be closed.
    await file?.close().catch(() => {})
  }
}

/** Reads an open file as it was at one moment. `nowMs` is the time of day, `opened` its stat when that is known already. */
export async function readStable(
  ports: ReadPorts,
  file: OpenFile,
  nowMs: () => number,
  opened?: FileStat,
): Promise<FileContent | "changed-while-reading"> {
  let previous: FileContent | undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // What is written from here on may share the grain of the times, however long the read takes.
    const beganMs = nowMs()
    const before = attempt === 0 && opened !== undefined ? opened : await file.stat()
    const content = await readOnce(ports.hasher, file, before)
    const after = await file.stat()
    if (content === undefined || !sameStat(before, after)) {
      previous = undefined
      continue
    }
    if (!isFresh(after, beganMs) || previous?.oid === content.oid) return content
    previous = content
  }
  return "changed-while-reading"
}

/** The pieces of an open file up to `sizeBytes`. Ends early when the file is shorter. */
export async function* piecesOf(file: OpenFile, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytes;) {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, sizeBytes - at))
    const length = await file.read(piece, at)
    if (length === 0) return
    yield piece.subarray(0, length)
    at += length
  }
}

async function readOnce(hasher: Hasher, file: OpenFile, stat: FileStat): Promise<FileContent | undefined> {
  const { sizeBytes } = stat
  if (sizeBytes <= WHOLE_FILE_BYTES) {
    const bytes = new Uint8Array(sizeBytes)
    if ((await file.read(bytes, 0)) !== sizeBytes) return undefined
    return { oid: await hashObject(hasher, "blob", bytes), stat, bytes }
  }
  const hash = hasher.start()
  hash.update(objectHeader("blob", sizeBytes))
  let length = 0
  for await (const piece of piecesOf(file, sizeBytes)) {
    hash.update(piece)
    length += piece.length
  }
  return length === sizeBytes ? { oid: oidAt(hash.digest()), stat, bytes: undefined } : undefined
}

function failureOf(errno: string | undefined): ReadFailure | undefined {
  if (errno === undefined) return undefined
  if (UNREADABLE.has(errno)) return "unreadable"
  return NOT_A_FILE.has(errno) ? "absent" : undefined
}

const NOT_A_FILE: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "EISDIR",
  "ENXIO",
  "EOPNOTSUPP",
  "ENODEV",
  "EINVAL",
])
