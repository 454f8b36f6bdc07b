import { statfs } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import { namesOf, type StatChecker, type StatColumns, type ToldColumns } from "../../core/stat-checker.js"
import { nextTurn } from "../../core/turns.js"
import { changedRows } from "./changed-rows.js"
import type { StatQuestion } from "./stat-worker.js"
import { surveyRows } from "./survey-rows.js"

/**
 * Compares paths on threads that start when there are many to compare, keep the process alive only while they work, and
 * end when they have had nothing to do for a minute. `file` is the threads' program.
 */
export function statThreads(file: URL): StatChecker {
  let threads: StatThread[] = []
  let idle: NodeJS.Timeout | undefined

  function running(most: number): readonly StatThread[] {
    threads = threads.filter((thread) => !thread.hasEnded)
    while (threads.length < Math.min(most, availableParallelism())) threads.push(new StatThread(file))
    return threads
  }

  function rest(): void {
    clearTimeout(idle)
    idle = setTimeout(() => {
      for (const thread of threads.splice(0)) thread.end()
    }, IDLE_MS).unref()
  }

  /** Lets each thread look at its share of the rows. */
  async function ask(
    root: string,
    count: number,
    table: Pick<StatQuestion, "columns" | "told">,
    most: number,
  ): Promise<number[]> {
    clearTimeout(idle)
    try {
      const all = running(most)
      const share = Math.ceil(count / all.length)
      const answers = all.map((thread, i) =>
        thread.ask({ root, start: i * share, end: Math.min((i + 1) * share, count), ...table }),
      )
      return (await Promise.all(answers)).flat()
    } finally {
      rest()
    }
  }

  return {
    async changed(root, columns) {
      const { count } = columns
      // A thread that cannot be had, or that was ended, takes nothing from the caller.
      const found =
        count < THREAD_ROWS ? undefined : await ask(root, count, { columns }, MOST_THREADS).catch(() => undefined)
      return Uint32Array.from(found ?? (await changedHere(root, columns)))
    },
    prepare() {
      try {
        running(1)
        rest()
      } catch {
        // Whoever asks does without.
      }
    },
    async survey(root, told) {
      const { count } = told
      const done =
        count < THREAD_ROWS ? undefined : await ask(root, count, { told }, surveyors(count)).catch(() => undefined)
      // Rows that a thread has filled in by then are no longer as they were told, and stay what it found.
      if (done === undefined) await surveyHere(root, told)
    },
    async keepsFolderTimes(root) {
      if (process.platform !== "linux") return false
      const found = await statfs(root).catch(() => undefined)
      return found !== undefined && KEEPING.has(found.type)
    },
  }
}

/**
 * ext2 to ext4, xfs, btrfs and tmpfs: each change of a name shows in its folder's times.
 * Source: https://man7.org/linux/man-pages/man2/statfs.2.html
 */
const KEEPING: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994])

/** The calling thread has as much to do meanwhile, and a thread takes as long to start as it takes for many rows. */
function surveyors(count: number): number {
  return count > 40_000 ? MOST_THREADS : 1
}

const MOST_THREADS = 2
/** Fewer rows than this are compared here, in less time than a thread takes to start. */
const THREAD_ROWS = 2000
/** So many take about a millisecond. */
const TURN_ROWS = 400
const IDLE_MS = 60_000

/** Compares on the calling thread, a little in each turn of the event loop. */
async function changedHere(root: string, columns: StatColumns): Promise<number[]> {
  const names = namesOf(columns)
  const changed: number[] = []
  for (let start = 0; start < columns.count; start += TURN_ROWS) {
    if (start > 0) await nextTurn()
    changed.push(...changedRows(root, columns, names, start, Math.min(start + TURN_ROWS, columns.count)))
  }
  return changed
}

/** Surveys on the calling thread, a little in each turn of the event loop. */
async function surveyHere(root: string, told: ToldColumns): Promise<void> {
  const names = namesOf(told)
  for (let start = 0; start < told.count; start += TURN_ROWS) {
    if (start > 0) await nextTurn()
    surveyRows(root, told, names, start, Math.min(start + TURN_ROWS, told.count))
  }
}

interface Waiting {
  readonly resolve: (changed: number[]) => void
  readonly reject: (error: unknown) => void
}

class StatThread {
  hasEnded = false
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #known: StatColumns | undefined

  constructor(file: URL) {
    // What the process was told to load first, such as a compiler, is of no use here and takes long.
    this.#worker = new Worker(file, { execArgv: [], name: "treeshot" })
    this.#worker.unref()
    this.#worker.on("message", (changed: number[]) => {
      this.#waiting.shift()?.resolve(changed)
      if (this.#waiting.length === 0) this.#worker.unref()
    })
    this.#worker.on("error", (error) => this.#fail(error))
    this.#worker.on("exit", () => this.#fail(new Error("the comparing thread ended")))
  }

  ask({ columns, ...question }: StatQuestion): Promise<number[]> {
    const isKnown = columns !== undefined && columns === this.#known
    if (columns !== undefined) this.#known = columns
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      // Somebody waits for it: the process must not end meanwhile.
      this.#worker.ref()
      this.#worker.postMessage(isKnown ? question : { ...question, columns })
    })
  }

  end(): void {
    void this.#worker.terminate()
  }

  #fail(error: unknown): void {
    this.hasEnded = true
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
