import { Worker } from "node:worker_threads"
import { concat } from "../../core/bytes.js"
import type { DeflateBatch } from "./deflate-batch.js"

/**
 * A thread that compresses beside the event loop. It starts when much is asked of it in a short time, keeps the process
 * alive only while it works, and ends when it has had nothing to do for a while.
 */
export interface DeflateThread {
  /** The zlib stream of `bytes`; undefined when the thread is not running, and the caller has to do it. */
  deflate(bytes: Uint8Array): Promise<Uint8Array> | undefined
}

interface Job {
  readonly bytes: Uint8Array
  readonly resolve: (deflated: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

/** `file` is the thread's program. */
export function deflateThread(file: URL): DeflateThread {
  let thread: Running | undefined
  let askedBytes = 0
  let forget: NodeJS.Timeout | undefined

  function start(): void {
    askedBytes = 0
    thread = new Running(file, () => (thread = undefined))
  }

  return {
    deflate(bytes) {
      if (thread !== undefined) return thread.deflate(bytes)
      askedBytes += bytes.length
      forget ??= setTimeout(() => {
        askedBytes = 0
        forget = undefined
      }, BURST_MS).unref()
      if (askedBytes > START_BYTES) start()
      return undefined
    },
  }
}

/** So much within BURST_MS is worth a thread, which takes some 40 ms to start. */
const START_BYTES = 256 * 1024
const BURST_MS = 1000
const IDLE_MS = 2000
/** A batch is sent when it has this many bytes, or when the event loop comes round. */
const BATCH_BYTES = 128 * 1024

class Running {
  readonly #worker: Worker
  readonly #whenEnded: () => void
  readonly #sent: (readonly Job[])[] = []
  #waiting: Job[] = []
  #waitingBytes = 0
  #isOnline = false
  #idle: NodeJS.Timeout | undefined

  constructor(file: URL, whenEnded: () => void) {
    this.#whenEnded = whenEnded
    this.#worker = new Worker(file)
    this.#worker.on("online", () => {
      this.#isOnline = true
      this.#rest()
    })
    this.#worker.on("message", (reply: DeflateBatch) => this.#take(reply))
    this.#worker.on("error", (error) => this.#end(error))
    this.#worker.on("exit", () => this.#end(new Error("the compressing thread ended")))
    this.#worker.unref()
  }

  deflate(bytes: Uint8Array): Promise<Uint8Array> | undefined {
    if (!this.#isOnline) return undefined
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send())
      this.#waiting.push({ bytes, resolve, reject })
      this.#waitingBytes += bytes.length
      if (this.#waitingBytes >= BATCH_BYTES) this.#send()
    })
  }

  #send(): void {
    if (this.#waiting.length === 0) return
    clearTimeout(this.#idle)
    const bytes = concat(this.#waiting.map((job) => job.bytes))
    const batch: DeflateBatch = { bytes, lengths: this.#waiting.map((job) => job.bytes.length) }
    this.#sent.push(this.#waiting)
    this.#waiting = []
    this.#waitingBytes = 0
    // Somebody waits for it: the process must not end meanwhile.
    this.#worker.ref()
    this.#worker.postMessage(batch, [bytes.buffer as ArrayBuffer])
  }

  #take({ bytes, lengths }: DeflateBatch): void {
    const jobs = this.#sent.shift() ?? []
    let at = 0
    for (const [i, job] of jobs.entries()) job.resolve(bytes.subarray(at, (at += lengths[i] as number)))
    if (this.#sent.length === 0) this.#rest()
  }

  #rest(): void {
    this.#worker.unref()
    this.#idle = setTimeout(() => void this.#worker.terminate(), IDLE_MS).unref()
  }

  #end(error: unknown): void {
    clearTimeout(this.#idle)
    this.#isOnline = false
    this.#whenEnded()
    for (const job of [...this.#sent.splice(0).flat(), ...this.#waiting.splice(0)]) job.reject(error)
  }
}
