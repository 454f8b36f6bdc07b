/** The closed list of failures that a caller can tell apart. */
export type ErrorCode =
  | "INVALID_ARGUMENT"
  | "WORKTREE_MISSING"
  | "ROOT_REFUSED"
  | "GITDIR_INVALID"
  | "NOT_FOUND"
  | "AMBIGUOUS"
  | "NOT_A_SNAPSHOT"
  | "IS_FOLDER"
  | "WRONG_WORKSPACE"
  | "OBJECT_MISSING"
  | "OBJECT_CORRUPT"
  | "REF_INVALID"
  | "FORMAT_UNSUPPORTED"
  | "PATH_UNSAFE"
  | "IO_FAILED"
  | "NO_SPACE"
  | "UNSUPPORTED"
  | "GIT_FAILED"
  | "LOCK_HELD"
  | "NOTHING_TO_UNDO"
  | "RESTORE_PENDING"
  | "CAPTURE_INCOMPLETE"
  | "RESTORE_INCOMPLETE"
  | "CLOSED"

/** What each code tells beside its message. */
export interface ErrorDetails {
  readonly INVALID_ARGUMENT: { readonly argument: string }
  readonly WORKTREE_MISSING: { readonly path: string }
  readonly ROOT_REFUSED: { readonly path: string }
  readonly GITDIR_INVALID: { readonly path: string }
  readonly NOT_FOUND: { readonly rev: string }
  readonly AMBIGUOUS: { readonly rev: string; readonly candidates: readonly string[] }
  readonly NOT_A_SNAPSHOT: { readonly rev: string }
  readonly IS_FOLDER: { readonly path: string }
  readonly WRONG_WORKSPACE: { readonly expected: string; readonly found: string }
  readonly OBJECT_MISSING: { readonly oid: string }
  readonly OBJECT_CORRUPT: { readonly oid: string }
  readonly REF_INVALID: { readonly ref: string }
  readonly FORMAT_UNSUPPORTED: { readonly path: string; readonly format: string }
  readonly PATH_UNSAFE: { readonly path: string }
  readonly IO_FAILED: { readonly action: string; readonly path: string; readonly errno: string }
  readonly NO_SPACE: { readonly action: string; readonly path: string; readonly errno: string }
  readonly UNSUPPORTED: { readonly capability: string }
  /** `exitStatus` is undefined when native git did not end by itself: it could not be started, or it was stopped. */
  readonly GIT_FAILED: {
    readonly args: readonly string[]
    readonly exitStatus: number | undefined
    readonly stderr: string
  }
  /** `holder` says who holds the lock, in words. */
  readonly LOCK_HELD: { readonly lock: string; readonly holder: string }
  /** `wanted` is what there is nothing of. */
  readonly NOTHING_TO_UNDO: { readonly wanted: "undo" | "redo" }
  /** `journal` is the file that says what the restore was about to do. */
  readonly RESTORE_PENDING: { readonly journal: string }
  /** The paths that could not be read and are not in the tree as they are, each with a SkipReason. */
  readonly CAPTURE_INCOMPLETE: { readonly paths: readonly { readonly path: string; readonly reason: string }[] }
  /** The paths that stayed as they were, each with a KeepReason, "not-captured", or the system's error name. */
  readonly RESTORE_INCOMPLETE: { readonly paths: readonly { readonly path: string; readonly reason: string }[] }
  readonly CLOSED: Readonly<Record<never, never>>
}

/**
 * The one error class of the library. `message` is a sentence that says what could not be done and
 * what to do about it; `code` and `details` say the same to a program.
 */
export class SnapshotError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "SnapshotError"
  readonly code: Code
  readonly details: ErrorDetails[Code]

  constructor(code: Code, message: string, details: ErrorDetails[Code], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

/** Whether `error` is a SnapshotError with this code. */
export function isSnapshotError<Code extends ErrorCode>(error: unknown, code: Code): error is SnapshotError<Code> {
  return error instanceof SnapshotError && error.code === code
}

/** Whether `error` says that a ref or an object is damaged or missing: one such hides none of the others. */
export function isDamage(error: unknown): boolean {
  return error instanceof SnapshotError && DAMAGE.has(error.code)
}

const DAMAGE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["REF_INVALID", "OBJECT_MISSING", "OBJECT_CORRUPT"])

/** The system's error name, such as `ENOENT`, behind a failed file system call; undefined for other errors. */
export function errnoOf(error: unknown): string | undefined {
  if (!isSnapshotError(error, "IO_FAILED") && !isSnapshotError(error, "NO_SPACE")) return undefined
  return error.details.errno
}
