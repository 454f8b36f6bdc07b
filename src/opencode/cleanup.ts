import type { SnapshotStore } from "../snapshot-store.js"
import { RENEW_AFTER_MS } from "./track.js"

/** Lets go of snapshots that were last asked for more than `keepDays` ago, then gives their space back. */
export async function cleanup(store: SnapshotStore, keepDays: number, signal: AbortSignal): Promise<void> {
  try {
    await store.prune({
      keepWithinMs: Math.min(Math.ceil(keepDays * DAY_MS) + RENEW_AFTER_MS, Number.MAX_SAFE_INTEGER),
    })
    signal.throwIfAborted()
    await store.maintain({ signal })
  } catch (error) {
    // Closing ends it halfway, which is no failure: the next one goes on.
    if (!signal.aborted) throw error
  }
}

/** Calls `run` a minute from now, and an hour after each time that it ended, until what it gives is called. */
export function startSchedule(run: () => Promise<void>): () => void {
  let timer = setTimeout(() => void step(), FIRST_AFTER_MS)
  let stopped = false
  timer.unref()

  async function step(): Promise<void> {
    await run()
    if (stopped) return
    timer = setTimeout(() => void step(), EVERY_MS)
    timer.unref()
  }

  return () => {
    stopped = true
    clearTimeout(timer)
  }
}

const FIRST_AFTER_MS = 60 * 1000
const EVERY_MS = 60 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000
