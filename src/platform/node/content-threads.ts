import { availableParallelism } from "node:os"
import type { ContentFound, ContentReader, ContentRequest, ContentTooLarge } from "../../core/content-reader.js"
import { ContentThread, type WaitingFile } from "./content-thread.js"

/**
 * Reads files on threads of their own. They start when many files are asked for in a short time, keep the process alive
 * only while they work, and end when they have had nothing to do for a while. `file` is the threads' program.
 */
export function contentThreads(file: URL): ContentReader {
  return new ContentThreads(file)
}

type Answer = ContentFound | ContentTooLarge | undefined

class ContentThreads implements ContentReader {
  readonly #file: URL
  #threads: ContentThread[] = []
  readonly #waiting: WaitingFile[] = []
  #asked = 0
  #burstBeganMs = 0
  #idle: NodeJS.Timeout | undefined
  #failedStarts = 0

  constructor(file: URL) {
    this.#file = file
  }

  read(request: ContentRequest): Promise<Answer> | undefined {
    if (this.#threads.length === 0) this.#startIfMany()
    if (!this.#threads.some((thread) => thread.isOnline)) return undefined
    return new Promise((resolve) => {
      // A batch has one limit; who asks with another one than usual asks for a large file.
      const limitBytes = this.#waiting[0]?.request.limitBytes ?? request.limitBytes
      if (limitBytes !== request.limitBytes) return this.#send([{ request, resolve }])
      if (this.#waiting.length === 0) setImmediate(() => this.#send(this.#waiting.splice(0)))
      this.#waiting.push({ request, resolve })
      if (this.#waiting.length >= BATCH_FILES) this.#send(this.#waiting.splice(0))
    })
  }

  #startIfMany(): void {
    const nowMs = performance.now()
    if (nowMs - this.#burstBeganMs > BURST_MS) {
      this.#burstBeganMs = nowMs
      this.#asked = 0
    }
    this.#asked++
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

  #send(files: readonly WaitingFile[]): void {
    if (files.length === 0) return
    const [first, ...others] = this.#threads.filter(({ isOnline }) => isOnline)
    if (first === undefined) {
      for (const { resolve } of files) resolve(undefined)
      return
    }
    clearTimeout(this.#idle)
    others.reduce((least, thread) => (thread.underWay < least.underWay ? thread : least), first).ask(files)
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
const START_FILES = 256
const BURST_MS = 1000
const IDLE_MS = 10_000
/** More were not measured to gain anything: the thread that asks is as busy as two that read. */
const MOST_THREADS = 2
/** A batch is sent when it has so many files, or when the event loop comes round. */
const BATCH_FILES = 64
/** A place where no thread starts is not asked for one for ever. */
const STARTS = 4
