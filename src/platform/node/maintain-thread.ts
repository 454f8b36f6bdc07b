import { Worker } from "node:worker_threads"
import { SnapshotError, type ErrorCode, type ErrorDetails } from "../../core/errors.js"
import type { Maintainer, MaintainerOptions } from "../../core/maintainer.js"
import type { Progress } from "../../core/progress.js"

/** What the thread tells; that it is there first. */
export type MaintainMessage<Report> =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "done"; readonly report: Report }
  | { readonly kind: "failed"; readonly failure: Failure }

/** An error in plain pieces. */
export interface Failure {
  /** Undefined: not one of the library's. */
  readonly code: ErrorCode | undefined
  readonly message: string
  readonly details: unknown
}

/** What the thread is given when it starts. */
export interface MaintainOrder {
  readonly gitdir: string
}

/** Runs maintenance in a thread of its own: it compares, hashes and compresses for as long as it takes. `file` is its program. */
export function threadMaintainer<Report>(file: URL): Maintainer<Report> {
  return (gitdir, options) => {
    const worker = started(file, { gitdir })
    if (worker === undefined) return Promise.resolve(undefined)
    return answerOf<Report>(worker, options)
  }
}

/** The process may not have threads, or no more of them. */
function started(file: URL, order: MaintainOrder): Worker | undefined {
  try {
    return new Worker(file, { execArgv: [], name: "treeshot maintenance", workerData: order })
  } catch {
    return undefined
  }
}

async function answerOf<Report>(
  worker: Worker,
  { signal, onProgress, isBackground = false }: MaintainerOptions,
): Promise<Report | undefined> {
  let isThere = false
  let thrown: { readonly error: unknown } | undefined
  // A thread that is told to end takes its temporary files along.
  const abort = (): void => {
    // Somebody waits for its end.
    worker.ref()
    worker.postMessage("abort")
  }
  signal?.addEventListener("abort", abort, { once: true })
  if (signal?.aborted === true) abort()
  try {
    return await new Promise<Report | undefined>((resolve, reject) => {
      worker.on("message", (message: MaintainMessage<Report>) => {
        if (message.kind === "ready") isThere = true
        else if (message.kind === "done") resolve(message.report)
        else if (message.kind === "failed")
          reject(thrown?.error ?? (signal?.aborted === true ? signal.reason : errorOf(message.failure)))
        else if (thrown === undefined)
          try {
            onProgress?.(message.progress)
          } catch (error) {
            thrown = { error }
            abort()
          }
      })
      worker.once("error", (error) => (isThere ? reject(error) : resolve(undefined)))
      worker.once("exit", () => (isThere ? reject(ended()) : resolve(undefined)))
      // A listener makes it one that the process waits for again.
      if (isBackground && signal?.aborted !== true) worker.unref()
    })
  } finally {
    signal?.removeEventListener("abort", abort)
    await worker.terminate()
  }
}

function errorOf({ code, message, details }: Failure): Error {
  return code === undefined ? new Error(message) : new SnapshotError(code, message, details as ErrorDetails[ErrorCode])
}

function ended(): SnapshotError {
  return new SnapshotError("IO_FAILED", "Maintenance ended before it was done. The store is whole; run it again.", {
    action: "run maintenance in a thread",
    path: "",
    errno: "EIO",
  })
}
