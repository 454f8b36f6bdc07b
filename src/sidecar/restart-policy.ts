import type { RestartDecision } from "./exit-record.js"

/** An unasked exit, or a restart after one, counts for so long. */
const HOUR_MS = 3_600_000

/** How many unasked exits are borne in which time. One more, and it is given up. */
const WINDOWS = [
  { most: 3, withinMs: 300_000 },
  { most: 6, withinMs: HOUR_MS },
] as const

const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 30_000
/** The share of a delay by which it is made shorter or longer, so that many do not start at once. */
const SPREAD = 0.2

/**
 * What to do after an unasked exit. `exitsMs` are the times of all unasked exits so far, this one the last; `random` is a
 * number from 0 to below 1. Depends on nothing else.
 */
export function decideRestart(exitsMs: readonly number[], nowMs: number, random: number): RestartDecision {
  for (const { most, withinMs } of WINDOWS)
    if (countWithin(exitsMs, nowMs, withinMs) > most) return { action: "give-up", most, withinMs }
  const attempt = countWithin(exitsMs, nowMs, HOUR_MS)
  const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1))
  return { action: "restart", attempt, delayMs: Math.round(delayMs * (1 - SPREAD + 2 * SPREAD * random)) }
}

/** The exits that still count. */
export function recentExits(exitsMs: readonly number[], nowMs: number): readonly number[] {
  return exitsMs.filter((exitMs) => isWithin(exitMs, nowMs, HOUR_MS))
}

function countWithin(exitsMs: readonly number[], nowMs: number, withinMs: number): number {
  return exitsMs.filter((exitMs) => isWithin(exitMs, nowMs, withinMs)).length
}

/** A time far ahead was set by a clock that was wrong. */
function isWithin(exitMs: number, nowMs: number, withinMs: number): boolean {
  return Math.abs(nowMs - exitMs) < withinMs
}
