import { computed, effect, signal, type ReadonlySignal } from "@preact/signals"
import type { Change } from "../../src/snapshot-store.js"
import type { StoreClient } from "../client.js"
import type { Live } from "./live.js"
import { LOADING, ready, type Loaded } from "./loaded.js"
import { isDisconnected, problemOf } from "./problem.js"
import type { Selection } from "./selection.js"
import type { Timeline } from "./timeline.js"

/** The two sides of a comparison, as the calls of the store take them. */
export interface Range {
  readonly from: string
  /** A snapshot's id, or the folder as it is now. */
  readonly to: string
}

/** What is compared, and what differs. */
export interface Comparison {
  /** Undefined where there is nothing to compare with. */
  readonly range: ReadonlySignal<Range | undefined>
  readonly changes: ReadonlySignal<Loaded<readonly Change[]>>
  reload(): void
}

export function comparison(client: StoreClient, timeline: Timeline, selection: Selection, live: Live): Comparison {
  const changes = signal<Loaded<readonly Change[]>>(LOADING)
  const asked = signal(0)
  const chosen = computed(() => rangeOf(selection, timeline))
  // The list of snapshots may be a new one with the same snapshots in it.
  const key = computed(() => (chosen.value === undefined ? undefined : `${chosen.value.from} ${chosen.value.to}`))
  const range = computed(() => (key.value === undefined ? undefined : chosen.peek()))
  let shown: string | undefined
  let turn = 0

  async function load({ from, to }: Range, mine: number): Promise<void> {
    // What is in the folder against the newest capture is looked at already, and one look at a time is enough.
    if (to === WORKTREE && from === timeline.newestCapture.peek()?.id) return show(live.against(from))
    try {
      const found = await client.changes(from, to)
      if (mine === turn) changes.value = ready(found)
    } catch (error) {
      const problem = problemOf(error)
      // What is there stays to be read while the server is gone.
      const keeps = isDisconnected(problem) && changes.peek().state === "ready"
      if (mine === turn && !keeps) changes.value = { state: "failed", problem }
    }
  }

  function show(seen: readonly Change[] | undefined): void {
    const look = live.changes.peek()
    if (seen !== undefined) changes.value = ready(seen)
    else if (look.state === "failed") changes.value = look
  }

  effect(() => {
    const wanted = range.value
    if (asked.value < 0 || (wanted?.to === WORKTREE && live.changes.value === undefined)) return
    const mine = ++turn
    const isOther = key.value !== shown
    shown = key.value
    if (isOther) changes.value = LOADING
    if (wanted === undefined) return
    if (!isOther) void load(wanted, mine)
    // Who goes through the timeline by keyboard does not look at each one.
    else setTimeout(() => mine === turn && void load(wanted, mine), SETTLE_MS)
  })

  return {
    range,
    changes,
    reload() {
      asked.value += 1
      live.look()
    },
  }
}

function rangeOf({ selected }: Selection, timeline: Timeline): Range | undefined {
  const what = selected.value
  if (what.kind === "two") return { from: what.older, to: what.newer }
  if (what.kind === "now") {
    const newest = timeline.newestCapture.value
    return newest === undefined ? undefined : { from: newest.id, to: WORKTREE }
  }
  if (what.against === "now") return { from: what.id, to: WORKTREE }
  const snapshot = timeline.withId(what.id)
  const before = snapshot === undefined ? undefined : timeline.before(snapshot)
  return before === undefined ? undefined : { from: before.id, to: what.id }
}

/** The side of a comparison that is the folder as it is now. */
const WORKTREE = "worktree"
const SETTLE_MS = 80
