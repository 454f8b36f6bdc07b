import { SnapshotError } from "../core/errors.js"
import { escapePath } from "../core/path.js"

/**
 * The error for a file system call that failed: NO_SPACE or IO_FAILED, with `action`, the path and the system's name
 * for the reason. `action` names what was tried, such as "open the file". A SnapshotError is given back as it is.
 */
export function ioError(action: string, path: string, cause: unknown): SnapshotError {
  if (cause instanceof SnapshotError) return cause
  const errno = errorName(cause)
  const why = REASONS[errno] ?? { reason: systemReason(cause) }
  const message = `Could not ${action} at ${escapePath(path)}: ${why.reason}.${why.advice === undefined ? "" : ` ${why.advice}`}`
  return new SnapshotError(NO_SPACE.has(errno) ? "NO_SPACE" : "IO_FAILED", message, { action, path, errno }, cause)
}

/** The error for a call that is refused without asking the system, as the system would refuse it with `errno`. */
export function refusal(action: string, path: string, errno: string): SnapshotError {
  return ioError(action, path, { code: errno })
}

/** Whether a raw error of the system says that there is nothing at the path. What has too long a name cannot be there. */
export function meansMissing(error: unknown): boolean {
  const errno = errorName(error)
  return errno === "ENOENT" || errno === "ENOTDIR" || errno === "ENAMETOOLONG"
}

/** The system's name for a raw error, such as `EACCES`; `UNKNOWN` where it gave none. */
export function errorName(error: unknown): string {
  if (error instanceof RangeError) return "ENOMEM"
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined
  if (typeof code !== "string") return "UNKNOWN"
  if (code === "ERR_INVALID_ARG_VALUE" || code === "ERR_INVALID_ARG_TYPE") return "EINVAL"
  return /^E[A-Z0-9]+$/.test(code) ? code : "UNKNOWN"
}

const NO_SPACE: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

/** Reasons in plain words, and what a person can do where there is something. */
const REASONS: Readonly<Record<string, { readonly reason: string; readonly advice?: string }>> = {
  EACCES: { reason: "permission denied", advice: "Give this user access to it." },
  EBADF: { reason: "it is closed or was not opened for this" },
  EBUSY: { reason: "it is in use", advice: "Close what uses it and try again." },
  EDQUOT: { reason: "the disk quota is used up", advice: "Free some space and try again." },
  EEXIST: { reason: "the name is taken" },
  EFBIG: { reason: "the file would be larger than the file system takes" },
  EILSEQ: { reason: "it is no UTF-8, and this file system keeps nothing else" },
  EINVAL: { reason: "the system does not take this path or call for it" },
  EIO: { reason: "the device reported an error", advice: "Check the disk." },
  EISDIR: { reason: "it is a folder" },
  ELOOP: { reason: "it is a symbolic link, or links on the way lead in a circle" },
  EMFILE: {
    reason: "this process has too many open files",
    advice: "Raise the limit of open files (ulimit -n) and try again.",
  },
  EMLINK: { reason: "the file has as many hard links as the file system takes" },
  ENAMETOOLONG: { reason: "the name is too long" },
  ENFILE: { reason: "the system has too many open files", advice: "Close some programs and try again." },
  ENOENT: { reason: "it is not there" },
  ENOMEM: { reason: "it needs more memory than there is" },
  ENOSPC: { reason: "no space is left on the device", advice: "Free some space and try again." },
  ENOTDIR: { reason: "it, or a part of its path, is no folder" },
  ENOTEMPTY: { reason: "the folder is not empty" },
  ENOTSUP: { reason: "the file system does not support it" },
  ENXIO: { reason: "it is a fifo, a socket or a device" },
  EOPNOTSUPP: { reason: "the file system does not support it" },
  EPERM: { reason: "the system does not permit it", advice: "Check who owns it and how it is mounted." },
  EROFS: { reason: "the file system is read-only", advice: "Mount it for writing and try again." },
  ETXTBSY: { reason: "the program in it is running", advice: "Stop the program and try again." },
  EXDEV: { reason: "the two paths are on different file systems" },
}

function systemReason(cause: unknown): string {
  if (!(cause instanceof Error)) return "the system gave no reason"
  return cause.message.replace(/[.\s]+$/, "") || "the system gave no reason"
}
