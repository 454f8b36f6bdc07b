import { statfs } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { namesOf, type StatChecker, type ToldColumns } from "../../core/stat-checker.js"
import { nextTurn } from "../../core/turns.js"
import { compareNext, nothingTaken, portionsOf, type FoundRows, type SharedRows } from "./shared-rows.js"
import { StatThread } from "./stat-thread.js"
import { surveyRows } from "./survey-rows.js"

/**
 * Looks at paths on the calling thread, and where there are many on threads that end when they have had nothing to do for
 * a minute. `file` is the threads' program.
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

  /** Lets threads work, and starts them where they are not there. */
  async function together<Value>(most: number, step: (all: readonly StatThread[]) => Promise<Value>): Promise<Value> {
    clearTimeout(idle)
    try {
      return await step(running(most))
    } finally {
      rest()
    }
  }

  return {
    async changed(root, columns, names) {
      const rows = (): SharedRows => ({ root, columns, names, taken: nothingTaken() })
      // The calling thread compares as well.
      const most = Math.min(MOST_THREADS, availableParallelism() - 1)
      const found =
        columns.count < THREAD_ROWS
          ? undefined
          : await together(most, (all) => changedTogether(rows(), all)).catch(() => undefined)
      // A thread that cannot be had, or that was ended, takes nothing from the caller.
      return Uint32Array.from(found ?? (await compareHere(rows(), false)).changed)
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
      if (told.count < THREAD_ROWS) return surveyHere(root, told)
      await together(surveyors(told.count), (all) => surveyTogether(root, told, all)).catch(() =>
        // Rows that a thread has filled in by then are no longer as they were told, and stay what it found.
        surveyHere(root, told),
      )
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
/** Longer than a portion takes while the program is compiled. */
const SLOW_MS = 25

/**
 * All rows that differ, once each portion has been compared. A thread that was late for all of them, since it was still
 * starting, is not waited for. Rejects when one ended that had taken some.
 */
function changedTogether(rows: SharedRows, threads: readonly StatThread[]): Promise<readonly number[]> {
  const asked = threads.map((thread) => thread.compare(rows.root, rows.columns, rows.taken))
  return new Promise((resolve, reject) => {
    const changed: number[] = []
    let left = portionsOf(rows.columns)
    const take = (found: FoundRows): void => {
      for (const row of found.changed) changed.push(row)
      left -= found.portions
      if (left === 0) resolve(changed)
    }
    const parts = [compareHere(rows, threads.length > 0), ...asked]
    for (const part of parts) void part.then(take, () => {})
    void Promise.allSettled(parts).then(() => reject(new Error("a comparing thread ended in the middle of its work")))
  })
}

/** Compares what nobody has taken on the calling thread, a portion in each turn of the event loop. */
async function compareHere(rows: SharedRows, hasThreads: boolean): Promise<FoundRows> {
  const changed: number[] = []
  let portions = 0
  let beganMs = performance.now()
  for (let found = compareNext(rows); found !== undefined; found = compareNext(rows)) {
    portions++
    changed.push(...found)
    // Where each look waits for a disk or a network, threads wait for it.
    if (hasThreads && performance.now() - beganMs > SLOW_MS) break
    await nextTurn()
    beganMs = performance.now()
  }
  return { portions, changed }
}

/** Lets each thread survey its share of the rows. */
async function surveyTogether(root: string, told: ToldColumns, threads: readonly StatThread[]): Promise<void> {
  const share = Math.ceil(told.count / threads.length)
  await Promise.all(
    threads.map((thread, i) =>
      thread.survey({ root, told, start: i * share, end: Math.min((i + 1) * share, told.count) }),
    ),
  )
}

/** Surveys on the calling thread, a little in each turn of the event loop. */
async function surveyHere(root: string, told: ToldColumns): Promise<void> {
  const names = namesOf(told)
  for (let start = 0; start < told.count; start += TURN_ROWS) {
    if (start > 0) await nextTurn()
    surveyRows(root, told, names, start, Math.min(start + TURN_ROWS, told.count))
  }
}
