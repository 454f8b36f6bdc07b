import type { FileBatches, FileSwap, NewFile, Swapped } from "../../core/file-batches.js"
import { pauses } from "../../core/turns.js"
import type { Unpacker } from "../../core/unpacker.js"
import { createJob, swapJob } from "./batch-job.js"
import type { Job, JobThread } from "./job-thread.js"
import { createNow, swapNow, type SyncCalls } from "./swap-now.js"

/**
 * Makes and swaps files on a thread as long as that has little to do, and on the calling one otherwise, some files in each
 * turn of the event loop. `calls` are those of the calling thread.
 */
export function nodeBatches(thread: JobThread | undefined, unpacker: Unpacker, calls: SyncCalls): FileBatches {
  async function run<Item, Result>(
    items: readonly Item[],
    jobOf: (items: readonly Item[]) => Job,
    one: (item: Item) => Result,
    unknown: Result,
  ): Promise<readonly Result[]> {
    if (thread?.isOnline === true && thread.underWay < JOBS_AHEAD) {
      // It may have ended in the middle of it.
      const answer = (await thread.ask(jobOf(items))) as readonly Result[] | undefined
      return answer ?? items.map(() => unknown)
    }
    const pause = pauses()
    const results: Result[] = []
    for (const item of items) {
      await pause()
      results.push(one(item))
    }
    return results
  }

  return {
    expect: () => thread?.start(),
    create: (files: readonly NewFile[]) => run(files, createJob, (file) => createNow(calls, unpacker, file), false),
    swap: (swaps: readonly FileSwap[]) =>
      run<FileSwap, Swapped>(swaps, swapJob, (swap) => swapNow(calls, swap), "unsettled"),
  }
}

/** One is done while the next waits. */
const JOBS_AHEAD = 2
