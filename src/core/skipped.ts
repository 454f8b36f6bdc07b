/**
 * Why a path of the work tree is not in a snapshot.
 * - `too-large`: new, and above the new-file limit.
 * - `unreadable`: the system refused to open or read it.
 * - `changed-while-reading`: it changed each time it was read.
 * - `special-file`: a fifo, a socket or a device.
 * - `unsafe-name`: a name that Git forbids or that is not UTF-8, or one that restores keep for themselves.
 */
export type SkipReason = "too-large" | "unreadable" | "changed-while-reading" | "special-file" | "unsafe-name"

/** A path that a snapshot left out. A folder stands for all that is in it. */
export interface Skipped {
  /** Relative to the work tree; an unsafe name is shown with escapes. */
  readonly path: string
  readonly reason: SkipReason
}
