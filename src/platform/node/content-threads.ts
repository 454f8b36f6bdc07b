import { availableParallelism } from "node:os"
import type { ContentAnswer, ContentReader, ContentRequest } from "../../core/content-reader.js"
import { ContentThread, type WaitingRequest } from "./content-thread.js"

/**
 * Reads files on threads of their own. They start when many files are asked for in a short time, keep the process alive
 * only while they work, and end when they have had nothing to do for a while. `file` is the threads' program.
 */
export function contentThreads(file: URL): ContentReader {
  return new ContentThreads(file)
}

class ContentThreads implements ContentReader {
  readonly #file: URL
  #threads: ContentThread[] = []
  /** What the next message to a thread will ask; all with one limit. */
  #waiting: WaitingRequest[] = []
  #waitingFiles = 0
  #asked = 0
  #burstBeganMs = 0
  #idle: NodeJS.Timeout | undefined
  #failedStarts = 0

  constructor(file: URL) {
    this.#file = file
  }

  read(request: ContentRequest): Promise<readonly ContentAnswer[]> | undefined {
    if (this.#threads.length === 0) this.#startIfMany(request.files.length)
    // Reading a file here takes longer than waiting for threads that start.
    if (this.#threads.length === 0) return undefined
    // A thread tells nothing of a request with no file in it.
    if (request.files.length === 0) return Promise.resolve([])
    return new Promise((resolve) => {
      const waiting = { request, answers: [], resolve }
      // A batch has one limit; who asks with another one than usual asks for a large file.
      const limitBytes = this.#waiting[0]?.request.limitBytes ?? request.limitBytes
      if (limitBytes !== request.limitBytes) return this.#send([waiting])
      if (this.#waiting.length === 0) setImmediate(() => this.#sendWaiting())
      this.#waiting.push(waiting)
      this.#waitingFiles += request.files.length
      if (this.#waitingFiles >= BATCH_FILES) this.#sendWaiting()
    })
  }

  #startIfMany(files: number): void {
    const nowMs = performance.now()
    if (nowMs - this.#burstBeganMs > BURST_MS) {
      this.#burstBeganMs = nowMs
      this.#asked = 0
    }
    this.#asked += files
    if (this.#asked < START_FILES || this.#failedStarts >= STARTS) return
    this.#asked = 0
    const count = Math.min(MOST_THREADS, availableParallelism())
    try {
      while (this.#threads.length < count) this.#threads.push(this.#start())
    } catch {
      // The process may not have threads, or no more of them.
      this.#failedStarts++
    }
    this.#rest()
  }

  #start(): ContentThread {
    return new ContentThread(this.#file, {
      whenIdle: () => this.#rest(),
      whenEnded: (thread) => {
        if (!thread.wasOnline) this.#failedStarts++
        this.#threads = this.#threads.filter((other) => other !== thread)
      },
    })
  }

  #sendWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingFiles = 0
    if (waiting.length > 0) this.#send(waiting)
  }

  #send(requests: readonly WaitingRequest[]): void {
    const [first, ...others] = this.#threads
    if (first === undefined) {
      for (const { request, resolve } of requests) resolve(request.files.map(() => undefined))
      return
    }
    clearTimeout(this.#idle)
    others.reduce((least, thread) => (thread.underWay < least.underWay ? thread : least), first).ask(requests)
  }

  #rest(): void {
    if (this.#threads.some(({ underWay }) => underWay > 0)) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      for (const thread of this.#threads) thread.end()
    }, IDLE_MS).unref()
  }
}

/** So many files within BURST_MS are worth threads, which take some 40 ms to start. */
const START_FILES = 128
const BURST_MS = 1000
const IDLE_MS = 60_000
/** More were not measured to gain anything on two cores. */
const MOST_THREADS = 2
/** A batch is sent when it has so many files, or when the event loop comes round. */
const BATCH_FILES = 64
/** A place where no thread starts is not asked for one for ever. */
const STARTS = 4
