/** What a long call is at. */
export type Phase = "scan" | "stage" | "write" | "delete" | "mark" | "collect" | "repack" | "verify"

/** A step of a long call. */
export interface Progress {
  readonly phase: Phase
  /** Files done in this phase; in the phase `mark`, objects that were reached; in `collect`, packs and files that were looked at; in `repack`, bytes; in `verify`, objects that were read. */
  readonly done: number
  /** What there is to do in this phase, as `done` counts, once that is known. */
  readonly total?: number
  /** Bytes done in this phase, where they are counted. */
  readonly bytes?: number
}

/**
 * Told of progress, often. What it throws ends the call, which rejects with it. A promise that it gives is not waited for,
 * and when it rejects, that is dropped.
 */
export type OnProgress = (progress: Progress) => void
