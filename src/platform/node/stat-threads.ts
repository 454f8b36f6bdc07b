import { statfs } from "node:fs/promises"
import { availableParallelism } from "node:os"
import type { StatChecker, ToldColumns } from "../../core/stat-checker.js"
import { nextTurn } from "../../core/turns.js"
import { compareNext, nothingTaken, portionsOf, surveyNext, type FoundRows, type SharedRows } from "./shared-rows.js"
import { StatThread } from "./stat-thread.js"

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

  /** Asks threads, and starts them where they are not there. One that cannot be had takes nothing from the caller. */
  function askSome(most: number, ask: (thread: StatThread) => Promise<FoundRows>): Promise<FoundRows>[] {
    clearTimeout(idle)
    try {
      const asked = running(most).map(ask)
      void Promise.allSettled(asked).then(rest)
      return asked
    } catch {
      return []
    }
  }

  return {
    async changed(root, columns, names) {
      const rows: SharedRows = { root, columns, names, taken: nothingTaken() }
      // The calling thread compares as well.
      const most = Math.min(MOST_THREADS, availableParallelism() - 1)
      const ask = (thread: StatThread): Promise<FoundRows> => thread.compare(root, columns, rows.taken)
      const asked = columns.count < THREAD_ROWS ? [] : askSome(most, ask)
      try {
        return Uint32Array.from(
          await allPortions(portionsOf(columns), [lookHere(() => compareNext(rows), asked.length > 0), ...asked]),
        )
      } catch {
        return Uint32Array.from((await lookHere(() => compareNext({ ...rows, taken: nothingTaken() }), false)).changed)
      }
    },
    prepare() {
      try {
        running(1)
        rest()
      } catch {
        // Whoever asks does without.
      }
    },
    survey(root, told, names) {
      const rows: SharedRows<ToldColumns> = { root, columns: told, names, taken: nothingTaken() }
      const ask = (thread: StatThread): Promise<FoundRows> => thread.survey({ root, told, taken: rows.taken })
      const asked = told.count < THREAD_ROWS ? [] : askSome(surveyors(told.count), ask)
      const here = (): Promise<FoundRows> => lookHere(() => surveyNext(rows), asked.length > 0)
      return {
        async finish() {
          try {
            await allPortions(portionsOf(told), [here(), ...asked])
          } catch {
            // Rows that were filled in by then are no longer as they were told, and stay what was found.
            await lookHere(() => surveyNext({ ...rows, taken: nothingTaken() }), false)
          }
        },
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

/** The calling thread has as much to do meanwhile, and a thread takes as long to start as it takes for many rows. */
function surveyors(count: number): number {
  return count > 40_000 ? MOST_THREADS : 1
}

const MOST_THREADS = 2
/** Fewer rows than this are compared here, in less time than a thread takes to start. */
const THREAD_ROWS = 2000
const IDLE_MS = 60_000
/** Longer than a portion takes while the program is compiled. */
const SLOW_MS = 25

/**
 * All rows that differ, once each portion has been looked at. A thread that was late for all of them, since it was still
 * starting, is not waited for. Rejects when one ended that had taken some.
 */
function allPortions(portions: number, parts: readonly Promise<FoundRows>[]): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const changed: number[] = []
    let left = portions
    const take = (found: FoundRows): void => {
      for (const row of found.changed) changed.push(row)
      left -= found.portions
      if (left === 0) resolve(changed)
    }
    for (const part of parts) void part.then(take, () => {})
    void Promise.allSettled(parts).then(() => reject(new Error("a thread ended in the middle of its work")))
  })
}

/** Looks at what nobody has taken on the calling thread, a portion in each turn of the event loop. */
async function lookHere(next: () => readonly number[] | undefined, hasThreads: boolean): Promise<FoundRows> {
  const changed: number[] = []
  let portions = 0
  let beganMs = performance.now()
  for (let found = next(); found !== undefined; found = next()) {
    portions++
    changed.push(...found)
    // Where each look waits for a disk or a network, threads wait for it.
    if (hasThreads && performance.now() - beganMs > SLOW_MS) break
    await nextTurn()
    beganMs = performance.now()
  }
  return { portions, changed }
}
