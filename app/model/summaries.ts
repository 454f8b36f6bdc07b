import { signal, type ReadonlySignal, type Signal } from "@preact/signals"
import type { SnapshotSummary } from "../../src/snapshot-store.js"
import type { StoreClient } from "../client.js"

/** How much each snapshot changed, asked for when it is to be seen. */
export interface Summaries {
  /** Undefined until it is there; null when it cannot be told. */
  of(id: string): ReadonlySignal<SnapshotSummary | null | undefined>
  /** Asks for it unless it is there, until the function that it returns is called. */
  want(id: string): () => void
}

export function summaries(client: StoreClient): Summaries {
  const known = new Map<string, Signal<SnapshotSummary | null | undefined>>()
  // The last that is wanted comes first: it is what is in view after a long scroll.
  const wanted: string[] = []
  let running = 0

  function of(id: string): Signal<SnapshotSummary | null | undefined> {
    const found = known.get(id) ?? signal<SnapshotSummary | null | undefined>(undefined)
    known.set(id, found)
    return found
  }

  function next(): void {
    if (running >= AT_ONCE) return
    const id = wanted.pop()
    if (id === undefined) return
    running += 1
    void load(id)
  }

  async function load(id: string): Promise<void> {
    try {
      of(id).value = await client.summary(id)
    } catch {
      of(id).value = null
    } finally {
      running -= 1
      next()
    }
  }

  return {
    of,
    want(id) {
      if (of(id).value !== undefined && of(id).value !== null) return () => {}
      wanted.push(id)
      next()
      return () => {
        const at = wanted.lastIndexOf(id)
        if (at >= 0) wanted.splice(at, 1)
      }
    },
  }
}

const AT_ONCE = 3
