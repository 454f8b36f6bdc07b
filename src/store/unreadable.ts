import { errnoOf } from "../core/errors.js"
import { UNREADABLE } from "../core/file-system.js"

/**
 * Whether a call failed because of the file that it was about, which is there and cannot be read, or is no file. Such a
 * failure says nothing of other files.
 */
export function isUnreadable(error: unknown): boolean {
  return isRefused(error) || NO_FILE.has(errnoOf(error) ?? "")
}

/** Whether the system does not give what is in a file: it may be as good as ever. */
export function isRefused(error: unknown): boolean {
  return UNREADABLE.has(errnoOf(error) ?? "")
}

/** What the system says of a folder, a link or something special where a file should be. */
const NO_FILE: ReadonlySet<string> = new Set(["EISDIR", "ELOOP", "ENOTDIR", "ENXIO", "EOPNOTSUPP"])
