import { errnoOf } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { decodeName } from "../core/path.js"

/**
 * The text of a small file of Git's: rules or configuration, byte for byte as decodeName gives it. Links are followed.
 * Undefined for what is not there, is no regular file, is above 16 MiB or may not be read: Git goes on without it, too.
 * What the system fails to read, for now or for good, is another matter: IO_FAILED.
 */
export async function readSmallFile(fs: FileSystem, path: string, onDenied?: OnDenied): Promise<string | undefined> {
  try {
    const real = await fs.realPath(path)
    return real === undefined ? undefined : await readUnlinked(fs, real)
  } catch (error) {
    return unlessRefused(error, path, onDenied)
  }
}

/** The same of a file that is no link; a link gives undefined, as Git takes no ignore file of a work tree through a link. */
export async function readSmallPlainFile(
  fs: FileSystem,
  path: string,
  onDenied?: OnDenied,
): Promise<string | undefined> {
  try {
    return await readUnlinked(fs, path)
  } catch (error) {
    return unlessRefused(error, path, onDenied)
  }
}

async function readUnlinked(fs: FileSystem, path: string): Promise<string | undefined> {
  const found = await fs.lstat(path)
  if (found?.kind !== "file" || found.sizeBytes > MOST_BYTES) return undefined
  const file = await fs.open(path, "read")
  try {
    const { sizeBytes } = await file.stat()
    if (sizeBytes > MOST_BYTES) return undefined
    const bytes = new Uint8Array(sizeBytes)
    return decodeName(bytes.subarray(0, await file.read(bytes, 0)))
  } finally {
    await file.close()
  }
}

/** Told of a file that is there and may not be read. */
export type OnDenied = (path: string) => void

/** Undefined for a call that the system refused for good reasons of its own: what may not be looked at is not there. */
export function unlessRefused(error: unknown, path = "", onDenied?: OnDenied): undefined {
  const errno = errnoOf(error) ?? ""
  if (!REFUSED.has(errno)) throw error
  if (errno === "EACCES" || errno === "EPERM") onDenied?.(path)
}

const REFUSED: ReadonlySet<string> = new Set([
  "EACCES",
  "EILSEQ",
  "EINVAL",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENODEV",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EOPNOTSUPP",
  "EPERM",
])

const MOST_BYTES = 16 * 1024 * 1024
