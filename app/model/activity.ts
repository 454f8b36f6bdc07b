import { signal, type ReadonlySignal } from "@preact/signals"
import type { Progress } from "../../src/snapshot-store.js"
import type { StoreClient } from "../client.js"

/** What the page waits for. */
export interface Running {
  /** In words, such as "Capturing". */
  readonly what: string
  /** How far it is, once that is told. */
  readonly progress: Progress | undefined
}

/** Calls that change something, one shown at a time. */
export interface Activity {
  readonly running: ReadonlySignal<Running | undefined>
  /** Runs a call, and shows meanwhile what it is and how far it is. */
  run<Value>(what: string, call: () => Promise<Value>): Promise<Value>
}

export function activity(client: StoreClient): Activity {
  const running = signal<Running | undefined>(undefined)
  let open = 0
  client.on("progress", (progress) => {
    if (running.value !== undefined) running.value = { ...running.value, progress }
  })
  return {
    running,
    async run(what, call) {
      open += 1
      running.value = { what, progress: undefined }
      try {
        return await call()
      } finally {
        open -= 1
        if (open === 0) running.value = undefined
      }
    },
  }
}
