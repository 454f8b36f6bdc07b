import { setTimeout as wait } from "node:timers/promises"
import { isSnapshotError } from "../core/errors.js"

/** Does `step`, and waits for a process that holds the lock: mostly one that tidies up and ends soon. LOCK_HELD after ten seconds. */
export async function patiently<Value>(step: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
  const endMs = performance.now() + PATIENCE_MS
  for (;;)
    try {
      return await step()
    } catch (error) {
      if (!isSnapshotError(error, "LOCK_HELD") || performance.now() >= endMs) throw error
      await wait(RETRY_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
}

const PATIENCE_MS = 10_000
const RETRY_MS = 100
