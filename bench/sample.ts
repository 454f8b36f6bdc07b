import type { Took } from "./contender-call.js"

/** One measured run of a contender in a scenario. */
export interface Sample extends Took {
  /** What came out, in a form in which contenders can be compared; undefined where nothing comes out. */
  readonly outcome?: string
}

/** What calls took together, one after the other. */
export function together(...calls: readonly Took[]): Took {
  return {
    ms: sum(calls.map(({ ms }) => ms)),
    processorMs: sum(calls.map(({ processorMs }) => processorMs)),
    peakRssBytes: Math.max(...calls.map(({ peakRssBytes }) => peakRssBytes)),
    heldUpMaxMs: Math.max(...calls.map(({ heldUpMaxMs }) => heldUpMaxMs)),
    heldUpP99Ms: Math.max(...calls.map(({ heldUpP99Ms }) => heldUpP99Ms)),
  }
}

/** The middle value; of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return (lower + upper) / 2
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
