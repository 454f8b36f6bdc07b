import { errnoOf } from "../core/errors.js"
import type { FileSystem, OpenFile } from "../core/file-system.js"

/** How much of a file is read at a time when its content is taken in pieces. */
const PIECE_BYTES = 256 * 1024

/** Opens one of Git's own files for reading, through a link where it is one. */
export async function openFollowing(fileSystem: FileSystem, path: string): Promise<OpenFile> {
  try {
    return await fileSystem.open(path, "read")
  } catch (error) {
    const target = errnoOf(error) === "ELOOP" ? await fileSystem.realPath(path) : undefined
    if (target === undefined) throw error
    return fileSystem.open(target, "read")
  }
}

/** The bytes from `start` up to `end`; throws when the file ends before. */
export async function readPiece(file: OpenFile, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start)
  if ((await file.read(bytes, start)) < bytes.length) throw new Error("The file is shorter than it should be.")
  return bytes
}

/** The bytes from `start` up to `end`, piece by piece; throws when the file ends before. */
export async function* readPieces(file: OpenFile, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += PIECE_BYTES) yield await readPiece(file, at, Math.min(at + PIECE_BYTES, end))
}
