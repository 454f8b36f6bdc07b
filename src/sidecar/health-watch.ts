import type { Deadline } from "./deadline.js"
import type { SidecarClock } from "./sidecar-clock.js"
import type { SidecarLimits } from "./supervisor-options.js"

/** Who wants to know how a sidecar is. */
export interface HealthEvents {
  /** It answers again. */
  onWell(): void
  /** It has missed twice in a row. */
  onUnwell(): void
}

/**
 * Asks a sidecar every so often how it is. A time in which this process did not run, as when the machine sleeps, proves
 * nothing of the sidecar: what was missed before and meanwhile does not count.
 */
export class HealthWatch {
  readonly #clock: SidecarClock
  readonly #limits: SidecarLimits
  readonly #isWell: () => Promise<boolean>
  readonly #events: HealthEvents
  #misses = 0
  #isUnwell = false
  #isOver = false
  #next: Deadline | undefined

  /** `isWell` asks once, within its limit, and never rejects. */
  constructor(clock: SidecarClock, limits: SidecarLimits, isWell: () => Promise<boolean>, events: HealthEvents) {
    this.#clock = clock
    this.#limits = limits
    this.#isWell = isWell
    this.#events = events
    this.#askIn(limits.healthEveryMs)
  }

  /** Nobody wants to know any more. */
  end(): void {
    this.#isOver = true
    this.#next?.clear()
  }

  #askIn(waitMs: number): void {
    const dueMs = this.#clock.nowMs() + waitMs
    this.#next = this.#clock.after(waitMs, () => {
      if (this.#hasGap(dueMs)) this.#misses = 0
      void this.#ask()
    })
  }

  async #ask(): Promise<void> {
    const beganMs = this.#clock.nowMs()
    const isWell = await this.#isWell()
    if (this.#isOver) return
    if (isWell) this.#note()
    else if (this.#hasGap(beganMs + this.#limits.healthMs)) this.#misses = 0
    else this.#miss()
    const spentMs = Math.abs(this.#clock.nowMs() - beganMs)
    if (!this.#isOver) this.#askIn(Math.max(0, this.#limits.healthEveryMs - spentMs))
  }

  #note(): void {
    this.#misses = 0
    if (!this.#isUnwell) return
    this.#isUnwell = false
    this.#events.onWell()
  }

  #miss(): void {
    this.#misses += 1
    if (this.#misses < MISSES || this.#isUnwell) return
    this.#isUnwell = true
    this.#events.onUnwell()
  }

  /** Whether what was due at that time comes so late that this process cannot have run meanwhile. */
  #hasGap(dueMs: number): boolean {
    return this.#clock.nowMs() - dueMs > Math.max(this.#limits.healthEveryMs, LEAST_GAP_MS)
  }
}

const MISSES = 2
/** A busy machine is no sleeping one. */
const LEAST_GAP_MS = 1000
