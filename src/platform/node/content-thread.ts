import { Worker } from "node:worker_threads"
import type { ContentAnswer, ContentRequest } from "../../core/content-reader.js"
import { decodeAnswers, encodeBatch, type ContentAnswers } from "./content-batch.js"

/** Files that were asked for, the answers so far, and who waits for all of them. */
export interface WaitingRequest {
  readonly request: ContentRequest
  readonly answers: ContentAnswer[]
  readonly resolve: (answers: readonly ContentAnswer[]) => void
}

/** Little of what a thread makes lives on: it needs no more room for what is new, of which V8 would give it 48 MB. */
const MEMORY = { maxYoungGenerationSizeMb: 3 }

/** Whom a thread tells of its life. */
export interface ThreadListener {
  /** It is online, or has answered all that it was asked. */
  readonly whenIdle: () => void
  readonly whenEnded: (thread: ContentThread) => void
}

/** One thread. The process stays alive while it works; what it was asked when it ends is answered with undefined. */
export class ContentThread {
  readonly #worker: Worker
  readonly #listener: ThreadListener
  /** In the order in which they were asked for and will be answered. */
  readonly #waiting: WaitingRequest[] = []
  #underWay = 0
  #hasEnded = false
  #wasOnline = false

  constructor(file: URL, listener: ThreadListener) {
    this.#listener = listener
    // What the process was told to load first, such as a compiler, is of no use here and takes long.
    this.#worker = new Worker(file, { execArgv: [], name: "treeshot", resourceLimits: MEMORY })
    this.#worker.on("online", () => {
      this.#wasOnline = true
      this.#listener.whenIdle()
    })
    this.#worker.on("message", (answers: ContentAnswers) => this.#take(answers))
    this.#worker.on("messageerror", () => this.end())
    this.#worker.on("error", () => this.#end())
    this.#worker.on("exit", () => this.#end())
    this.#worker.unref()
  }

  get wasOnline(): boolean {
    return this.#wasOnline
  }

  /** How many files it has yet to answer. */
  get underWay(): number {
    return this.#underWay
  }

  /**
   * All requests have the same limit, and each has a file at least. What a thread is asked that is yet to start, it does
   * then.
   */
  ask(requests: readonly WaitingRequest[]): void {
    for (const waiting of requests) {
      this.#waiting.push(waiting)
      this.#underWay += waiting.request.files.length
    }
    // Somebody waits for it: the process must not end meanwhile.
    this.#worker.ref()
    this.#worker.postMessage(encodeBatch(requests.map(({ request }) => request)))
  }

  /** Ends the thread, whatever it is doing. */
  end(): void {
    void this.#worker.terminate()
  }

  #take(encoded: ContentAnswers): void {
    const answers = [...decodeAnswers(encoded)]
    // Then it is not known which answer is whose. Nothing of them may be taken for what a file holds.
    if (answers.length > this.#underWay) return this.#end()
    for (const answer of answers) {
      const first = this.#waiting[0]
      if (first === undefined) return
      first.answers.push(answer)
      this.#underWay--
      if (first.answers.length < first.request.files.length) continue
      this.#waiting.shift()
      first.resolve(first.answers)
    }
    if (this.#underWay > 0) return
    this.#worker.unref()
    this.#listener.whenIdle()
  }

  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.end()
    this.#listener.whenEnded(this)
    for (const { request, answers, resolve } of this.#waiting.splice(0))
      resolve(request.files.map((_, i) => answers[i]))
  }
}
