import { errnoOf } from "../core/errors.js"
import { UNREADABLE } from "../core/file-system.js"

/**
 * Whether a call failed because of the file that it was about, which is there and cannot be read, or is no file. Such a
 * failure says nothing of other files.
 */
export function isUnreadable(error: unknown): boolean {
  const errno = errnoOf(error) ?? ""
  return UNREADABLE.has(errno) || NO_FILE.has(errno)
}

/** What the system says of a folder, a link or something special where a file should be. */
const NO_FILE: ReadonlySet<string> = new Set(["EISDIR", "ELOOP", "ENOTDIR", "ENXIO", "EOPNOTSUPP"])
