import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals"
import type { Snapshot } from "../../src/snapshot-store.js"
import type { StoreClient } from "../client.js"
import { LOADING, ready, valueOr, type Loaded } from "./loaded.js"
import { problemOf } from "./problem.js"

/** The snapshots, newest first. */
export interface Timeline {
  /** All of them, safety snapshots included. */
  readonly all: ReadonlySignal<Loaded<readonly Snapshot[]>>
  /** Those that are to be seen. */
  readonly shown: ReadonlySignal<readonly Snapshot[]>
  readonly showsSafety: Signal<boolean>
  readonly newest: ReadonlySignal<Snapshot | undefined>
  readonly newestCapture: ReadonlySignal<Snapshot | undefined>
  withId(id: string): Snapshot | undefined
  /** The one that was the newest before: the next older one when that is gone. */
  before(snapshot: Snapshot): Snapshot | undefined
  /** Lists them anew; what is there stays until the new list is. */
  reload(): Promise<void>
  /** Asks for those that are newer than what is there, and for all only where that does not fit together any more. */
  catchUp(): Promise<void>
  /** Puts a new one in front, unless it is there. */
  add(snapshot: Snapshot): void
  /** Changes one in place, ahead of the next reload; without a change takes it out. */
  change(id: string, change: Partial<Snapshot> | undefined): void
}

export function timeline(client: StoreClient): Timeline {
  const all = signal<Loaded<readonly Snapshot[]>>(LOADING)
  const showsSafety = signal(false)
  const list = computed(() => valueOr(all.value, NONE))
  const byId = computed(() => new Map(list.value.map((snapshot, at) => [snapshot.id, at])))
  let asked = 0

  function take(snapshots: readonly Snapshot[]): void {
    all.value = ready(snapshots)
  }

  async function reload(): Promise<void> {
    const mine = ++asked
    try {
      // The first of them at once; the rest of a long list takes a moment.
      if (all.value.state !== "ready") {
        const first = await client.list({ kind: "all", limit: FIRST })
        if (mine !== asked) return
        take(first)
        if (first.length < FIRST) return
      }
      const found = await client.list({ kind: "all" })
      if (mine === asked) take(found)
    } catch (error) {
      if (mine === asked && all.value.state !== "ready") all.value = { state: "failed", problem: problemOf(error) }
    }
  }

  async function catchUp(): Promise<void> {
    const [newest] = list.value
    if (newest === undefined) return reload()
    const found = await client.list({ kind: "all", since: newest.createdAt })
    // An event was faster.
    if (list.value[0]?.id !== newest.id) return undefined
    const at = found.findIndex(({ id }) => id === newest.id)
    if (at < 0) return reload()
    if (at > 0) take([...found.slice(0, at), ...list.value])
    return undefined
  }

  function add(snapshot: Snapshot): void {
    if (all.value.state === "ready" && !byId.value.has(snapshot.id)) take([snapshot, ...list.value])
  }

  client.on("captured", ({ snapshot }) => add(snapshot))
  client.on("restored", () => void catchUp().catch(() => {}))
  client.on("maintained", () => void reload())

  return {
    all,
    showsSafety,
    shown: computed(() =>
      showsSafety.value ? list.value : list.value.filter(({ kind, pinned }) => kind === "capture" || pinned),
    ),
    newest: computed(() => list.value[0]),
    newestCapture: computed(() => list.value.find(({ kind }) => kind === "capture")),
    withId(id) {
      const at = byId.value.get(id)
      return at === undefined ? undefined : list.value[at]
    },
    before({ id, previous }) {
      const before = previous === undefined ? undefined : byId.value.get(previous)
      const at = byId.value.get(id)
      if (before !== undefined) return list.value[before]
      return at === undefined ? undefined : list.value[at + 1]
    },
    reload,
    catchUp,
    add,
    change(id, change) {
      if (all.value.state !== "ready") return
      if (change === undefined) take(list.value.filter((snapshot) => snapshot.id !== id))
      else take(list.value.map((snapshot) => (snapshot.id === id ? { ...snapshot, ...change } : snapshot)))
    },
  }
}

const NONE: readonly Snapshot[] = []
const FIRST = 100
