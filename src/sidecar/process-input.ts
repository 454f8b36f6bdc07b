import type { Writable } from "node:stream"
import { types } from "node:util"
import { SnapshotError } from "../core/errors.js"
import { after, type Deadline } from "./deadline.js"
import type { InputOutcome } from "./process-result.js"
import type { RunOptions } from "./run-options.js"

type Input = NonNullable<RunOptions["input"]>

/** Feeds a process, and knows what became of it. */
export interface ProcessInput {
  /** No more is asked of the iterable; it is returned. May be called more than once. */
  stop(): void
  /** Resolves when stdin is closed and the iterable has returned, or after so long. */
  settled(timeoutMs: number): Promise<void>
  outcome(): InputOutcome
}

/**
 * Begins to feed `input` to `stdin`. `onThrow` gets what the iterable throws, if it does so while it is being asked.
 * The listeners on `stdin` stay for good: an error may come at any time after the process has ended.
 */
export function feedInput(stdin: Writable | null, input: Input, onThrow: (error: unknown) => void): ProcessInput {
  const feeding = new Feeding(stdin, input, onThrow)
  feeding.start()
  return feeding
}

/** The input of a process that is given none. */
export const noInput: ProcessInput = {
  stop: () => {},
  settled: () => Promise.resolve(),
  outcome: () => ({ state: "none" }),
}

/** Lets go of the input of a process that never started, and says what became of it. */
export function unusedInput(input: Input | undefined): InputOutcome {
  if (input === undefined) return { state: "none" }
  if (!types.isUint8Array(input)) void returned(() => input[Symbol.asyncIterator]())
  return { state: "aborted" }
}

class Feeding implements ProcessInput {
  readonly #stdin: Writable | null
  readonly #input: Input
  readonly #onThrow: (error: unknown) => void
  readonly #waiting: (() => void)[] = []
  #iterator: AsyncIterator<Uint8Array> | undefined
  #isStopped = false
  #isClosed = false
  #isReturning = false
  #state: "unfinished" | "finished" | "aborted" | "failed" = "unfinished"
  #errorCode: string | undefined
  #sinceTurn = 0
  #turn: NodeJS.Immediate | undefined

  constructor(stdin: Writable | null, input: Input, onThrow: (error: unknown) => void) {
    this.#stdin = stdin
    this.#input = input
    this.#onThrow = onThrow
  }

  start(): void {
    const stdin = this.#stdin
    stdin?.on("error", (error: NodeJS.ErrnoException) => this.#break(error.code))
    stdin?.on("close", () => this.#close())
    // A process for which the system had no handles left has no streams.
    if (stdin === null || stdin === undefined) this.#close()
    if (types.isUint8Array(this.#input)) {
      this.#write(this.#input, () => (this.#state = "finished"))
      stdin?.end()
      return
    }
    try {
      this.#iterator = iteratorOf(this.#input)
    } catch (error) {
      this.#throw(error)
      return
    }
    if (this.#isClosed) this.stop()
    else void this.#pull()
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    clearImmediate(this.#turn)
    const iterator = this.#iterator
    if (iterator === undefined) return
    this.#iterator = undefined
    this.#isReturning = true
    void returned(() => iterator).then(() => {
      this.#isReturning = false
      this.#wake()
    })
  }

  async settled(timeoutMs: number): Promise<void> {
    if (this.#isSettled()) return
    let deadline: Deadline | undefined
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      deadline = after(timeoutMs, resolve)
    })
    deadline?.clear()
  }

  outcome(): InputOutcome {
    const state = this.#state === "unfinished" ? "aborted" : this.#state
    return { state, ...(this.#errorCode === undefined ? {} : { errorCode: this.#errorCode }) }
  }

  async #pull(): Promise<void> {
    if (this.#isStopped || this.#iterator === undefined) return
    try {
      this.#take(await this.#iterator.next())
    } catch (error) {
      this.#throw(error)
    }
  }

  #take(next: unknown): void {
    if (this.#isStopped) return
    if (!isStep(next)) {
      this.#refuse("Each step of the input has to be an object with a chunk, or with the word that it is done.")
    } else if (next.done === true) {
      this.#iterator = undefined
      this.#state = this.#state === "unfinished" ? "finished" : this.#state
      this.#stdin?.end()
    } else if (types.isUint8Array(next.value)) {
      this.#write(next.value, () => this.#pullInTurn())
    } else {
      this.#refuse("Each chunk of the input has to be a Uint8Array.")
    }
  }

  #refuse(message: string): void {
    this.#onThrow(notInput(message))
    this.stop()
  }

  /** An iterable that is always ready must not keep the event loop from seeing that the process has ended. */
  #pullInTurn(): void {
    this.#sinceTurn = (this.#sinceTurn + 1) % CHUNKS_PER_TURN
    if (this.#sinceTurn === 0) this.#turn = setImmediate(() => void this.#pull())
    else void this.#pull()
  }

  #write(chunk: Uint8Array, whenTaken: () => void): void {
    if (chunk.length === 0) {
      whenTaken()
      return
    }
    const stdin = this.#stdin
    stdin?.write(chunk, (error: NodeJS.ErrnoException | null | undefined) => {
      if (error) this.#break(error.code)
      // Node tells of a write that was cut off, as the process ended, as if it had been made.
      else if (stdin.destroyed) this.#break("ERR_STREAM_DESTROYED")
      else whenTaken()
    })
  }

  #throw(error: unknown): void {
    this.#iterator = undefined
    if (this.#isStopped) return
    this.#isStopped = true
    this.#onThrow(error)
  }

  #break(code: string = "UNKNOWN"): void {
    const state = BENIGN.has(code) ? "aborted" : "failed"
    if (this.#state === "failed" || (this.#state === "aborted" && state === "aborted")) return
    this.#state = state
    this.#errorCode = code
    this.stop()
  }

  #close(): void {
    this.#isClosed = true
    this.stop()
    this.#wake()
  }

  #isSettled(): boolean {
    return this.#isClosed && !this.#isReturning
  }

  #wake(): void {
    if (this.#isSettled()) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** Asks for the iterator. What has no steps is refused: nothing would ever come of it. */
function iteratorOf(input: AsyncIterable<Uint8Array>): AsyncIterator<Uint8Array> {
  const iterator: unknown = input[Symbol.asyncIterator]()
  if (isIterator(iterator)) return iterator
  throw notInput("The iterator of the input has to be an object with a function next.")
}

function isIterator(iterator: unknown): iterator is AsyncIterator<Uint8Array> {
  return typeof iterator === "object" && iterator !== null && "next" in iterator && typeof iterator.next === "function"
}

function isStep(next: unknown): next is { readonly done?: unknown; readonly value?: unknown } {
  return typeof next === "object" && next !== null
}

function notInput(message: string): SnapshotError {
  return new SnapshotError("INVALID_ARGUMENT", message, { argument: "input" })
}

/** Resolves when the iterator that `open` gives has returned; what it throws then is of no use to anybody. */
async function returned(open: () => AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await open().return?.()
  } catch {
    // The process has ended, or never began: nothing of the iterable counts any more.
  }
}

/** What a stream meets whose reader has enough: `EOF` is Windows's word for EPIPE. */
const BENIGN: ReadonlySet<string> = new Set([
  "EPIPE",
  "EOF",
  "ECONNRESET",
  "ECANCELED",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
])
const CHUNKS_PER_TURN = 32
