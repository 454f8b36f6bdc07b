import { signal, type ReadonlySignal } from "@preact/signals"
import type { Snapshot } from "../../src/snapshot-store.js"
import type { Timeline } from "./timeline.js"

/** What is looked at: the folder now, one snapshot, or two. */
export type Selected =
  | { readonly kind: "now" }
  | { readonly kind: "one"; readonly id: string; readonly against: "before" | "now" }
  | { readonly kind: "two"; readonly older: string; readonly newer: string }

/** What is selected in the timeline. */
export interface Selection {
  readonly selected: ReadonlySignal<Selected>
  /** The next one that is chosen is compared with the one that is selected. */
  readonly pairing: ReadonlySignal<boolean>
  /** On a narrow page: whether the timeline or what is selected is to be seen. */
  readonly view: ReadonlySignal<"timeline" | "detail">
  /** Selects the folder now, or a snapshot by its id: as the second one of two while pairing. */
  choose(id: "now" | string): void
  compareWith(id: string): void
  against(side: "before" | "now"): void
  startPairing(): void
  stopPairing(): void
  showDetail(): void
  showTimeline(): void
}

export function selection(timeline: Timeline): Selection {
  const selected = signal<Selected>({ kind: "now" })
  const pairing = signal(false)
  const view = signal<"timeline" | "detail">("timeline")

  function compareWith(id: string): void {
    pairing.value = false
    const current = selected.value
    const other = current.kind === "one" ? current.id : current.kind === "two" ? current.newer : undefined
    const both = [other, id].flatMap((one) => (one === undefined ? [] : (timeline.withId(one) ?? [])))
    const [older, newer] = both.toSorted(olderFirst)
    if (older === undefined || newer === undefined || older.id === newer.id) choose(id)
    else selected.value = { kind: "two", older: older.id, newer: newer.id }
  }

  function choose(id: string): void {
    if (pairing.value && id !== "now") {
      compareWith(id)
      return
    }
    pairing.value = false
    selected.value = id === "now" ? { kind: "now" } : { kind: "one", id, against: "before" }
  }

  return {
    selected,
    pairing,
    view,
    choose,
    compareWith,
    against(side) {
      if (selected.value.kind === "one") selected.value = { ...selected.value, against: side }
    },
    startPairing() {
      pairing.value = selected.value.kind !== "now"
      view.value = "timeline"
    },
    stopPairing() {
      pairing.value = false
    },
    showDetail() {
      view.value = "detail"
    },
    showTimeline() {
      view.value = "timeline"
    },
  }
}

function olderFirst(a: Snapshot, b: Snapshot): number {
  return a.createdAt.getTime() - b.createdAt.getTime()
}
