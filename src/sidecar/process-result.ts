/**
 * How a process ended, or was ended.
 *
 * - `exited`: by itself, with `code`.
 * - `signaled`: by `signal`, which somebody else sent.
 * - `spawn-failed`: it never ran; `reason` says why.
 * - `timed-out`, `aborted`, `output-limit`: it was ended for that, even if it then left with code 0.
 * - `input-failed`: it left with code 0, but its input broke, or it did not get all of it and `requireFullInput` was set.
 */
export type ProcessKind =
  | "exited"
  | "signaled"
  | "spawn-failed"
  | "timed-out"
  | "aborted"
  | "output-limit"
  | "input-failed"

/** Why a process could not be started. A command is missing, too, when its `#!` line names what is not there. */
export type SpawnFailureReason =
  | "command-missing"
  | "command-not-executable"
  | "cwd-unusable"
  | "arguments-too-long"
  | "nul-byte"
  | "other"

/** What became of a process's input. */
export interface InputOutcome {
  /**
   * - `none`: it was given no input.
   * - `finished`: all of it was handed to the system. That the process read it cannot be known.
   * - `aborted`: the process stopped reading, or ended, before that.
   * - `failed`: it broke for a reason that is not the process's.
   */
  readonly state: "none" | "finished" | "aborted" | "failed"
  /** Node's name for what the stream met, such as `EPIPE`. */
  readonly errorCode?: string
}

/** How a process ended and what it gave. */
export interface ProcessResult {
  readonly kind: ProcessKind
  /** It exited with code 0 and nothing spoke against it. */
  readonly ok: boolean
  /** Never negative; undefined when it did not exit by itself. */
  readonly code: number | undefined
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | undefined
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** There was more than `stdout` holds, because of a limit. */
  readonly stdoutTruncated: boolean
  readonly stderrTruncated: boolean
  /** Somebody else still held an output when the result was given: what came after is not in it. */
  readonly outputIncomplete: boolean
  readonly stdin: InputOutcome
  /** Undefined when it was not started. */
  readonly pid?: number
  /** From the start to the end of the process. */
  readonly durationMs: number
  readonly command: string
  readonly args: readonly string[]
  /** Only with `spawn-failed`. */
  readonly reason?: SpawnFailureReason
  /** With `spawn-failed`: the system's name for it, such as `ENOENT`, where it has one. */
  readonly errorCode?: string
  /** With `spawn-failed`: the error behind it. With `aborted`: the reason of the signal. */
  readonly cause?: unknown
}
