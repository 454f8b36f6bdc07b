/** A callback as node:fs calls it. */
export type Done<T> = (error: Error | null, value: T) => void

/**
 * Decides for each short system call whether to make it here and now, or on the thread pool.
 *
 * Most calls on a local disk take microseconds, and the way over the thread pool costs several times that. So they are
 * made at once, under two rules that keep the event loop alive: after TURN_MS without a pause the next call waits for
 * the loop's next turn, and after a call that took long, as on a network or a sleeping disk, the next ones go to the
 * pool, where they wait side by side.
 */
export class Pace {
  readonly #nowMs: () => number
  readonly #slowMs: number
  #turnBeganMs = Number.NEGATIVE_INFINITY
  #nextTurn: Promise<void> | undefined
  #pooled = 0

  /** A call that takes longer than `slowMs` took long. */
  constructor(nowMs: () => number = () => performance.now(), slowMs: number = SLOW_MS) {
    this.#nowMs = nowMs
    this.#slowMs = slowMs
  }

  /** The result of `now`, or of `pooled`, which must do the same. */
  async call<T>(now: () => T, pooled: (done: Done<T>) => void): Promise<T> {
    if (this.#pooled > 0) {
      this.#pooled -= 1
      return onPool(pooled)
    }
    while (this.#nowMs() - this.#turnBeganMs > TURN_MS) await this.#pause()
    const beganMs = this.#nowMs()
    try {
      return now()
    } finally {
      if (this.#nowMs() - beganMs > this.#slowMs) this.#pooled = POOLED_CALLS
    }
  }

  #pause(): Promise<void> {
    this.#nextTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#turnBeganMs = this.#nowMs()
        this.#nextTurn = undefined
        resolve()
      })
    })
    return this.#nextTurn
  }
}

/** The result of a call of node:fs with a callback. */
export function onPool<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null || error === undefined) resolve(value)
      else reject(error)
    })
  })
}

const TURN_MS = 4
const SLOW_MS = 1
const POOLED_CALLS = 100
