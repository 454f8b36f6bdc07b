import type { Captured, Compared, Place } from "./contender.js"

/** What the process of a contender is asked to do. */
export type ContenderCall =
  | { readonly call: "load"; readonly name: string }
  | { readonly call: "open"; readonly place: Place }
  | { readonly call: "capture" }
  | { readonly call: "settle" }
  | { readonly call: "diff"; readonly from: Captured; readonly to: Captured }
  | { readonly call: "restore"; readonly to: Captured }
  | { readonly call: "tidy"; readonly states: readonly Captured[] }
  | { readonly call: "close" }

/** What one call took. */
export interface Took {
  readonly ms: number
  /** Of the process with its threads, and of the processes that it started and that ended. */
  readonly processorMs: number
  /** The most memory that the process held so far; that of processes that it started does not count. */
  readonly peakRssBytes: number
  /** How much later than they were due timers of 1 ms came, at most and at the 99th percentile. */
  readonly heldUpMaxMs: number
  readonly heldUpP99Ms: number
}

/** The answer to a call. */
export type ContenderAnswer =
  | { readonly took: Took; readonly captured?: Captured; readonly compared?: Compared }
  | { readonly failed: string }
