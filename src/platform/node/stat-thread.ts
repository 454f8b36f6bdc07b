import { Worker } from "node:worker_threads"
import type { StatColumns } from "../../core/stat-checker.js"
import type { FoundRows } from "./shared-rows.js"
import type { CompareQuestion, SurveyQuestion } from "./stat-worker.js"

interface Waiting {
  readonly resolve: (found: FoundRows) => void
  readonly reject: (error: unknown) => void
}

/** A thread that compares and surveys. It keeps the process alive only while somebody waits for it. */
export class StatThread {
  hasEnded = false
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #known: StatColumns | undefined

  constructor(file: URL) {
    // What the process was told to load first, such as a compiler, is of no use here and takes long.
    this.#worker = new Worker(file, { execArgv: [], name: "treeshot" })
    this.#worker.unref()
    this.#worker.on("message", (found: FoundRows) => {
      this.#waiting.shift()?.resolve(found)
      if (this.#waiting.length === 0) this.#worker.unref()
    })
    this.#worker.on("error", (error) => this.#fail(error))
    this.#worker.on("exit", () => this.#fail(new Error("the comparing thread ended")))
  }

  compare(root: string, columns: StatColumns, taken: Int32Array): Promise<FoundRows> {
    const isKnown = columns === this.#known
    this.#known = columns
    return this.#ask({ root, taken, columns: isKnown ? undefined : columns })
  }

  survey(question: SurveyQuestion): Promise<FoundRows> {
    return this.#ask(question)
  }

  end(): void {
    void this.#worker.terminate()
  }

  #ask(question: CompareQuestion | SurveyQuestion): Promise<FoundRows> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      // Somebody waits for it: the process must not end meanwhile.
      this.#worker.ref()
      this.#worker.postMessage(question)
    })
  }

  #fail(error: unknown): void {
    this.hasEnded = true
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
