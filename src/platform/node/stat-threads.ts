import { statfs } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import type { StatChecker, StatColumns } from "../../core/stat-checker.js"
import { nextTurn } from "../../core/turns.js"
import { compareNext, nothingTaken, portionsOf, type FoundRows, type SharedRows } from "./shared-rows.js"
import type { StatQuestion } from "./stat-worker.js"

/**
 * Compares paths on the calling thread, and where there are many also on threads that keep the process alive only while
 * they work, and end when they have had nothing to do for a minute. `file` is the threads' program.
 */
export function statThreads(file: URL): StatChecker {
  let threads: StatThread[] = []
  let idle: NodeJS.Timeout | undefined

  function running(): readonly StatThread[] {
    threads = threads.filter((thread) => !thread.hasEnded)
    while (threads.length < Math.min(MOST_THREADS, availableParallelism() - 1)) threads.push(new StatThread(file))
    return threads
  }

  function rest(): void {
    clearTimeout(idle)
    idle = setTimeout(() => {
      for (const thread of threads.splice(0)) thread.end()
    }, IDLE_MS).unref()
  }

  return {
    async changed(root, columns, names) {
      const rows = { root, columns, names, taken: nothingTaken() }
      if (columns.count < THREAD_ROWS) return Uint32Array.from(await changedHere(rows))
      clearTimeout(idle)
      try {
        const asked = running().map((thread) => thread.ask(root, columns, rows.taken))
        return Uint32Array.from(await foundTogether(rows, asked))
      } catch {
        // A thread that cannot be had, or that was ended, takes nothing from the caller.
        return Uint32Array.from(await changedHere({ ...rows, taken: nothingTaken() }))
      } finally {
        rest()
      }
    },
    prepare() {
      try {
        running()
        rest()
      } catch {
        // Whoever asks does without.
      }
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

/** More than these and the calling one were not measured to gain anything on two cores. */
const MOST_THREADS = 2
/** Fewer rows than this are compared here, in less time than a thread takes to start. */
const THREAD_ROWS = 2000
const IDLE_MS = 60_000

/** Compares what nobody has taken on the calling thread, a portion in each turn of the event loop. */
async function compareHere(rows: SharedRows): Promise<FoundRows> {
  const changed: number[] = []
  let portions = 0
  for (let found = compareNext(rows); found !== undefined; found = compareNext(rows)) {
    portions++
    changed.push(...found)
    await nextTurn()
  }
  return { portions, changed }
}

async function changedHere(rows: SharedRows): Promise<readonly number[]> {
  return (await compareHere(rows)).changed
}

/**
 * All rows that differ, once each portion has been compared. A thread that was late for all of them, since it was still
 * starting, is not waited for. Rejects when one ended that had taken some.
 */
function foundTogether(rows: SharedRows, asked: readonly Promise<FoundRows>[]): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const changed: number[] = []
    let left = portionsOf(rows.columns)
    const take = (found: FoundRows): void => {
      for (const row of found.changed) changed.push(row)
      left -= found.portions
      if (left === 0) resolve(changed)
    }
    const parts = [compareHere(rows), ...asked]
    for (const part of parts) void part.then(take, () => {})
    void Promise.allSettled(parts).then(() => reject(new Error("a comparing thread ended in the middle of its work")))
  })
}

interface Waiting {
  readonly resolve: (found: FoundRows) => void
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
    this.#worker.on("message", (found: FoundRows) => {
      this.#waiting.shift()?.resolve(found)
      if (this.#waiting.length === 0) this.#worker.unref()
    })
    this.#worker.on("error", (error) => this.#fail(error))
    this.#worker.on("exit", () => this.#fail(new Error("the comparing thread ended")))
  }

  ask(root: string, columns: StatColumns, taken: Int32Array): Promise<FoundRows> {
    const question: StatQuestion = { root, columns: columns === this.#known ? undefined : columns, taken }
    this.#known = columns
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      // Somebody waits for it: the process must not end meanwhile.
      this.#worker.ref()
      this.#worker.postMessage(question)
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
