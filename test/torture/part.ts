/*
 * A part of the torture: something that is done over and over to stores, and what must hold after each time.
 */

/** What a part works with. */
export interface PartContext {
  /** Numbers from 0 to below `limit`; the same ones for the same seed. */
  readonly random: (limit: number) => number
  /** An empty folder of the part's own. It is kept when something was lost. */
  readonly folder: string
  /** Whether the time of the part is over: asked before each run. */
  isOver(): boolean
  /** A run has ended; `done` adds to the counts of what was done in it. */
  ran(done: Readonly<Record<string, number>>): void
  /** Something is not as it has to be. The part ends after the run. */
  lose(what: string): void
}

/** A part of the torture. */
export interface Part {
  readonly name: string
  /** What is done, for people. */
  readonly title: string
  /** How much of the time it gets, against the others. */
  readonly share: number
  run(context: PartContext): Promise<void>
}

/** What a part came to. */
export interface PartResult {
  readonly name: string
  readonly title: string
  readonly seed: number
  readonly ranAt: string
  readonly seconds: number
  readonly runs: number
  /** What was done, and how often. */
  readonly done: Readonly<Record<string, number>>
  /** What was not as it has to be; empty when nothing was lost. */
  readonly lost: readonly string[]
}
