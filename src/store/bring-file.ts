import { errnoOf } from "../core/errors.js"
import { NO_HARD_LINKS, type FileSystem } from "../core/file-system.js"
import { readPieces } from "./file-pieces.js"

/**
 * Gives the file at `from`, which nobody writes to any more, the name `to` as well: as a file of its own that shares its
 * blocks where the file system has such a thing, else as a hard link, else as a copy of at most `mostBytes()`. False when
 * only a larger copy would do. When it fails, `to` may be there in part.
 */
export async function bringFile(
  fileSystem: FileSystem,
  from: string,
  to: string,
  mostBytes: () => number,
): Promise<boolean> {
  if (await fileSystem.cloneFile(from, to)) return true
  try {
    await fileSystem.linkFile(from, to)
    return true
  } catch (error) {
    const errno = errnoOf(error) ?? ""
    if (errno !== "EXDEV" && !NO_HARD_LINKS.has(errno)) throw error
  }
  return copyFile(fileSystem, from, to, mostBytes())
}

async function copyFile(fileSystem: FileSystem, from: string, to: string, mostBytes: number): Promise<boolean> {
  const source = await fileSystem.open(from, "read")
  try {
    const { sizeBytes } = await source.stat()
    if (sizeBytes > mostBytes) return false
    const target = await fileSystem.open(to, "create", READ_ONLY)
    try {
      let at = 0
      for await (const piece of readPieces(source, 0, sizeBytes)) {
        await target.write(piece, at)
        at += piece.length
      }
    } finally {
      await target.close()
    }
    return true
  } finally {
    await source.close()
  }
}

/** As Git has its packs: nothing writes into them again. */
const READ_ONLY = 0o444
