import type { Clock } from "../core/clock.js"

/** The clock of this machine. */
export function systemClock(): Clock {
  return { nowMs: () => Date.now() }
}
