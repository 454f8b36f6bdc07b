/*
 * What changed on disk since the newest capture. The store tells of captures, not of files: it is asked again and again,
 * every two seconds while the page is to be seen, and never more than a tenth of the time.
 */
import { signal, type ReadonlySignal } from "@preact/signals"
import type { Change } from "../../src/snapshot-store.js"
import type { Connection, StoreClient } from "../client.js"
import { LOADING, ready, type Loaded } from "./loaded.js"
import { problemOf } from "./problem.js"
import type { Timeline } from "./timeline.js"

/** The folder as it is now. */
export interface Live {
  /** Against the newest capture; nothing while there is none. */
  readonly changes: ReadonlySignal<Loaded<readonly Change[]>>
  /** The same, where they are against this snapshot. */
  against(id: string): readonly Change[] | undefined
  /** Goes up whenever something is different in the folder. */
  readonly version: ReadonlySignal<number>
  /** Asks now. */
  look(): void
}

export function live(client: StoreClient, connection: Connection, timeline: Timeline): Live {
  const changes = signal<Loaded<readonly Change[]>>(LOADING)
  const version = signal(0)
  let seen = ""
  let seenAgainst: string | undefined
  let lastMs = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let looking = false
  let again = false

  function see(found: readonly Change[], against: string | undefined): void {
    const print = JSON.stringify([against, found])
    if (print === seen) return
    seen = print
    seenAgainst = against
    changes.value = ready(found)
    version.value += 1
  }

  async function ask(): Promise<void> {
    // Other processes capture, too, of which this store's events do not tell.
    await timeline.catchUp()
    if (timeline.all.value.state !== "ready") return
    const against = timeline.newestCapture.value?.id
    see(against === undefined ? [] : await client.changes(against), against)
  }

  async function look(): Promise<void> {
    if (looking) {
      again = true
      return
    }
    clearTimeout(timer)
    looking = true
    const start = performance.now()
    try {
      if (connection.state === "connected") await ask()
    } catch (error) {
      if (changes.value.state !== "ready") changes.value = { state: "failed", problem: problemOf(error) }
    }
    looking = false
    const tookMs = performance.now() - start
    // One that took long by chance, as the first one does, is not waited for.
    const waitMs = Math.max(EVERY_MS, 9 * Math.min(tookMs, lastMs))
    lastMs = tookMs
    if (!document.hidden) timer = setTimeout(() => void look(), again ? 0 : waitMs)
    again = false
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void look()
  })
  connection.on((state) => {
    if (state === "connected") void look()
  })
  for (const event of ["captured", "restored"] as const) client.on(event, () => void look())
  void look()
  return {
    changes,
    version,
    against: (id) => (id === seenAgainst && changes.value.state === "ready" ? changes.value.value : undefined),
    look: () => void look(),
  }
}

const EVERY_MS = 2_000
