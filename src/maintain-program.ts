/*
 * The program of the thread that tidies a store up, whose lock the thread that started it holds: it compares, hashes and
 * compresses at length.
 */
import { parentPort, workerData } from "node:worker_threads"
import { tidyUp } from "./calls/tidy-up.js"
import { SnapshotError } from "./core/errors.js"
import type { OnProgress } from "./core/progress.js"
import type { MaintainMessage, MaintainOrder } from "./platform/node/maintain-thread.js"
import { nodePlatform } from "./platform/node/node-platform.js"
import type { MaintainReport } from "./snapshot-store.js"
import { layoutOf } from "./store/gitdir.js"
import { objectDatabase } from "./store/object-database.js"
import { refStore } from "./store/refs.js"

const abort = new AbortController()
parentPort?.on("message", () => abort.abort())

function tell(message: MaintainMessage<MaintainReport>): void {
  parentPort?.postMessage(message)
}

tell({ kind: "ready" })

let toldMs = 0
/** Often is often enough. */
const onProgress: OnProgress = (progress) => {
  const nowMs = performance.now()
  if (nowMs - toldMs < 50) return
  toldMs = nowMs
  tell({ kind: "progress", progress })
}

try {
  const { gitdir } = workerData as MaintainOrder
  const platform = await nodePlatform({})
  const layout = layoutOf(gitdir)
  const objects = objectDatabase({ ...platform, objectsFolder: layout.objects })
  const refs = refStore(platform.fileSystem, gitdir, layout.temporary)
  const store = { platform, layout, objects, refs, largestDelta: 128 * 2 ** 20 }
  tell({ kind: "done", report: await tidyUp(store, { signal: abort.signal, onProgress }) })
} catch (error) {
  const isOurs = error instanceof SnapshotError
  const message = error instanceof Error ? error.message : String(error)
  tell({
    kind: "failed",
    failure: { code: isOurs ? error.code : undefined, message, details: isOurs ? error.details : undefined },
  })
}
