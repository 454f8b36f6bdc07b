import type { Clock } from "../core/clock.js"
import { after, type Deadline } from "./deadline.js"

/** Port: the time of day, and a call when some of it has passed. */
export interface SidecarClock extends Clock {
  /** Calls `late` after `ms` milliseconds unless it is cleared first. */
  after(ms: number, late: () => void): Deadline
}

/** The clock and the timers of this machine. */
export const nodeClock: SidecarClock = { nowMs: () => Date.now(), after }
