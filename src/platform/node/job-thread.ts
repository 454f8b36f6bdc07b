import { Worker } from "node:worker_threads"

/** What a thread is asked to do, in plain pieces, and the memory that goes over to it instead of being copied. */
export interface Job {
  readonly question: object
  readonly handOver?: readonly ArrayBuffer[]
}

/**
 * A thread that does one job after the other. It starts when it is told to, keeps the process alive only while it works,
 * and ends when it has had nothing to do for a while.
 */
export class JobThread {
  readonly #file: URL
  #worker: Worker | undefined
  #starting: Promise<boolean> | undefined
  /** Who waits, in the order in which they asked and are answered. */
  #waiting: ((answer: unknown) => void)[] = []
  #failedStarts = 0
  #isOnline = false
  #idle: NodeJS.Timeout | undefined

  /** `file` is its program, which sends a first message when it is there, and then answers each with one. */
  constructor(file: URL) {
    this.#file = file
  }

  get isOnline(): boolean {
    return this.#isOnline
  }

  /** Jobs that are not answered yet. */
  get underWay(): number {
    return this.#waiting.length
  }

  /** Resolves with whether it is there now, once it has started if it was told to. */
  ready(): Promise<boolean> {
    // Somebody waits for it: the process must not end meanwhile. Once it is there, it rests.
    if (!this.#isOnline) this.#worker?.ref()
    return this.#starting ?? Promise.resolve(false)
  }

  /** Starts it, unless it is there, or a place has shown not to have threads. */
  start(): void {
    if (this.#starting !== undefined || this.#failedStarts >= STARTS) return
    let worker: Worker
    try {
      // What the process was told to load first, such as a compiler, is of no use here and takes long.
      worker = new Worker(this.#file, { execArgv: [], name: "treeshot" })
    } catch {
      // The process may not have threads, or no more of them.
      this.#failedStarts++
      return
    }
    this.#worker = worker
    this.#starting = new Promise((resolve) => {
      // A thread is online before its program has been found.
      worker.once("message", () => {
        this.#isOnline = true
        worker.on("message", (answer: unknown) => this.#take(answer))
        this.#rest()
        resolve(true)
      })
      worker.once("exit", () => {
        if (!this.#isOnline) this.#failedStarts++
        this.#forget(worker)
        resolve(false)
      })
    })
    worker.on("messageerror", () => void worker.terminate())
    // It exits next.
    worker.on("error", () => {})
    worker.unref()
  }

  /** The answer; undefined when the thread is not there, or ends before it has answered. Never rejects. */
  ask({ question, handOver = [] }: Job): Promise<unknown> {
    const worker = this.#worker
    if (worker === undefined || !this.#isOnline) return Promise.resolve(undefined)
    clearTimeout(this.#idle)
    // Somebody waits for it: the process must not end meanwhile.
    worker.ref()
    worker.postMessage(question, handOver)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #take(answer: unknown): void {
    this.#waiting.shift()?.(answer)
    if (this.#waiting.length === 0) this.#rest()
  }

  #rest(): void {
    this.#worker?.unref()
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.#worker?.terminate(), IDLE_MS).unref()
  }

  #forget(worker: Worker): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#isOnline = false
    this.#starting = undefined
    clearTimeout(this.#idle)
    for (const resolve of this.#waiting.splice(0)) resolve(undefined)
  }
}

const IDLE_MS = 60_000
/** A place where no thread starts is not asked for one for ever. */
const STARTS = 4
