/** What a long call is at. */
export type Phase = "scan" | "stage" | "write" | "delete" | "mark" | "collect"

/** A step of a long call. */
export interface Progress {
  readonly phase: Phase
  /** Files done in this phase; in the phase `mark`, objects. */
  readonly done: number
  /** Files in this phase, once that is known. */
  readonly total?: number
  /** Bytes done in this phase, where they are counted. */
  readonly bytes?: number
}

/** Told of progress, often; what it throws is not caught. */
export type OnProgress = (progress: Progress) => void
