import { setImmediate as nextTurn } from "node:timers/promises"
import type { Deadline } from "../../src/sidecar/deadline.js"
import type { SidecarClock } from "../../src/sidecar/sidecar-clock.js"

interface Timer {
  readonly dueMs: number
  readonly late: () => void
}

/** A clock on which time passes when a test says so. */
export class FakeClock implements SidecarClock {
  readonly #timers = new Set<Timer>()
  #nowMs = Date.UTC(2026, 0, 1)

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, late: () => void): Deadline {
    const timer = { dueMs: this.#nowMs + ms, late }
    this.#timers.add(timer)
    return { clear: () => void this.#timers.delete(timer) }
  }

  /** In how many milliseconds each timer that waits is due, the next one first. */
  get duesMs(): readonly number[] {
    return [...this.#timers].map(({ dueMs }) => dueMs - this.#nowMs).toSorted((a, b) => a - b)
  }

  /** Lets time pass: what is due meanwhile is called at its time, in order. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (let next = this.#nextUntil(endMs); next !== undefined; next = this.#nextUntil(endMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.late()
      await settled()
    }
    this.#nowMs = Math.max(this.#nowMs, endMs)
    await settled()
  }

  /** The machine sleeps: time passes, and nothing is called. */
  sleep(ms: number): void {
    this.#nowMs += ms
  }

  #nextUntil(endMs: number): Timer | undefined {
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= endMs)
    return due.toSorted((a, b) => a.dueMs - b.dueMs)[0]
  }
}

/** What follows at once has followed. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn()
}
