import type { SidecarState } from "./sidecar-state.js"

/** The present state, and each later one: for each reader all of them, in order. */
export class StateStream implements AsyncIterable<SidecarState> {
  readonly #readers = new Set<Reader>()
  #state: SidecarState
  #isOver = false

  constructor(state: SidecarState) {
    this.#state = state
  }

  /** There is another state. */
  push(state: SidecarState): void {
    this.#state = state
    for (const reader of this.#readers) reader.push(state)
  }

  /** There will be no other. */
  end(): void {
    this.#isOver = true
    for (const reader of this.#readers) reader.end()
  }

  [Symbol.asyncIterator](): AsyncIterator<SidecarState> {
    const reader = new Reader(this.#state, () => this.#readers.delete(reader))
    if (this.#isOver) reader.end()
    else this.#readers.add(reader)
    return reader
  }
}

class Reader implements AsyncIterator<SidecarState> {
  readonly #states: SidecarState[]
  readonly #onReturn: () => void
  readonly #waiting: ((result: IteratorResult<SidecarState>) => void)[] = []
  #isOver = false

  constructor(state: SidecarState, onReturn: () => void) {
    this.#states = [state]
    this.#onReturn = onReturn
  }

  push(state: SidecarState): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#states.push(state)
    else next({ done: false, value: state })
    // Whoever reads so little is not interested in what was long ago.
    if (this.#states.length > MOST) this.#states.shift()
  }

  end(): void {
    this.#isOver = true
    for (const next of this.#waiting.splice(0)) next(DONE)
  }

  async next(): Promise<IteratorResult<SidecarState>> {
    const state = this.#states.shift()
    if (state !== undefined) return { done: false, value: state }
    if (this.#isOver) return DONE
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async return(): Promise<IteratorResult<SidecarState>> {
    this.#onReturn()
    this.#states.length = 0
    this.end()
    return DONE
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }
const MOST = 1000
