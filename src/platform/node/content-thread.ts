import { Worker } from "node:worker_threads"
import type { ContentFound, ContentRequest, ContentTooLarge } from "../../core/content-reader.js"
import { decodeAnswers, encodeBatch, type ContentAnswers } from "./content-batch.js"

/** A file that was asked for, and who waits for it. */
export interface WaitingFile {
  readonly request: ContentRequest
  readonly resolve: (answer: ContentFound | ContentTooLarge | undefined) => void
}

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
  readonly #batches: (readonly WaitingFile[])[] = []
  /** Of the first batch. */
  #answered = 0
  #underWay = 0
  #state: "starting" | "online" | "ended" = "starting"
  #wasOnline = false

  constructor(file: URL, listener: ThreadListener) {
    this.#listener = listener
    // What the process was told to load first, such as a compiler, is of no use here and takes long.
    this.#worker = new Worker(file, { execArgv: [], name: "treeshot" })
    this.#worker.on("online", () => {
      this.#state = "online"
      this.#wasOnline = true
      this.#listener.whenIdle()
    })
    this.#worker.on("message", (answers: ContentAnswers) => this.#take(answers))
    this.#worker.on("messageerror", () => this.end())
    this.#worker.on("error", () => this.#end())
    this.#worker.on("exit", () => this.#end())
    this.#worker.unref()
  }

  get isOnline(): boolean {
    return this.#state === "online"
  }

  get wasOnline(): boolean {
    return this.#wasOnline
  }

  /** How many files it has yet to answer. */
  get underWay(): number {
    return this.#underWay
  }

  /** Only of a thread that is online; all files have the same limit. */
  ask(files: readonly WaitingFile[]): void {
    this.#batches.push(files)
    this.#underWay += files.length
    // Somebody waits for it: the process must not end meanwhile.
    this.#worker.ref()
    this.#worker.postMessage(encodeBatch(files.map(({ request }) => request)))
  }

  /** Ends the thread, whatever it is doing. */
  end(): void {
    void this.#worker.terminate()
  }

  #take(answers: ContentAnswers): void {
    for (const answer of decodeAnswers(answers)) {
      const batch = this.#batches[0] ?? []
      batch[this.#answered++]?.resolve(answer)
      this.#underWay--
      if (this.#answered < batch.length) continue
      this.#batches.shift()
      this.#answered = 0
    }
    if (this.#underWay > 0) return
    this.#worker.unref()
    this.#listener.whenIdle()
  }

  #end(): void {
    if (this.#state === "ended") return
    this.#state = "ended"
    this.#listener.whenEnded(this)
    for (const { resolve } of this.#batches.splice(0).flat().slice(this.#answered)) resolve(undefined)
  }
}
