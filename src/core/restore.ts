import type { FileVersion } from "./change.js"

/** A file, link or empty folder before and after; absent where `before` or `after` is. */
export interface PlannedChange {
  readonly path: string
  readonly before?: FileVersion
  readonly after?: FileVersion
  /** What is written is a merge of what is there with what is taken back, which both stay in effect. */
  readonly merged?: true
}

/**
 * Why a path is left as it is.
 * - `ignored`, `was-ignored`: a rule names it now, or named it then.
 * - `was-skipped`: the snapshot, or the look at the work tree now, left it out.
 * - `unreadable`: the system refuses to read it.
 * - `special-file`: a fifo, a socket or a device.
 * - `added`: it was added since, and added files were to be kept, or only a bare tree is known.
 * - `conflict`: it is not what the plan saw, or something that is kept stands in its place.
 */
export type KeepReason =
  | "ignored"
  | "was-ignored"
  | "was-skipped"
  | "unreadable"
  | "special-file"
  | "added"
  | "conflict"

/** A path that differs from the target and stays. */
export interface Keep {
  readonly path: string
  readonly reason: KeepReason
  /** The oid of what is there. */
  readonly ours?: string
  /** The oid of what the target has. */
  readonly theirs?: string
}

/** What became of a path. */
export interface Outcome {
  readonly path: string
  readonly action: "written" | "merged" | "deleted" | "kept" | "failed"
  /**
   * Of a kept path a KeepReason, or `write-failed` where it was not deleted since a write failed; of a failed one the
   * system's error name.
   */
  readonly reason?: string
  /** Of a path that changed twice meanwhile: where the content is kept that is in nobody's snapshot. */
  readonly aside?: string
  readonly ours?: string
  readonly theirs?: string
}
