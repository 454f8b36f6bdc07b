/*
 * Puts the page's models together.
 */
import { signal, type ReadonlySignal, type Signal } from "@preact/signals"
import type { Skipped, Snapshot } from "../../src/snapshot-store.js"
import type { Connection, ConnectionState, StoreClient } from "../client.js"
import { activity, type Activity } from "./activity.js"
import { comparison, type Comparison } from "./comparison.js"
import { live, type Live } from "./live.js"
import { notices, type Notices } from "./notices.js"
import { patches, type Patches } from "./patches.js"
import { restoring, type Restoring } from "./restoring.js"
import { selection, type Selection } from "./selection.js"
import { summaries, type Summaries } from "./summaries.js"
import { count } from "./text.js"
import { timeline, type Timeline } from "./timeline.js"
import { viewSettings, type ViewSettings } from "./view-settings.js"

/** What asks before it does something, or tells something. */
export type Asking =
  | { readonly kind: "capture" }
  | { readonly kind: "forget"; readonly snapshot: Snapshot }
  | { readonly kind: "keys" }
  | { readonly kind: "skipped"; readonly skipped: readonly Skipped[] }
  | { readonly kind: "store" }

/** Everything that a page shows of one store. */
export interface Session {
  readonly client: StoreClient
  readonly connection: Connection
  readonly connectionState: ReadonlySignal<ConnectionState>
  readonly timeline: Timeline
  readonly summaries: Summaries
  readonly selection: Selection
  readonly live: Live
  readonly comparison: Comparison
  readonly patches: Patches
  readonly restoring: Restoring
  readonly activity: Activity
  readonly notices: Notices
  readonly view: ViewSettings
  readonly asking: Signal<Asking | undefined>
  capture(label: string): Promise<void>
  pin(snapshot: Snapshot, pinned: boolean): Promise<void>
  forget(snapshot: Snapshot): Promise<void>
}

export function openSession(client: StoreClient, connection: Connection): Session {
  const connectionState = signal(connection.state)
  const itsTimeline = timeline(client)
  const itsSelection = selection(itsTimeline)
  const itsLive = live(client, connection, itsTimeline)
  const itsComparison = comparison(client, itsTimeline, itsSelection, itsLive)
  const itsActivity = activity(client)
  const itsNotices = notices()
  const asking = signal<Asking | undefined>(undefined)

  connection.on((state) => {
    connectionState.value = state
    if (state !== "connected") return
    itsComparison.reload()
  })

  /** Runs a call; what it fails with is shown at the page's foot. */
  async function attempt(what: string, call: () => Promise<void>): Promise<void> {
    try {
      await itsActivity.run(what, call)
    } catch (error) {
      itsNotices.tellProblem(error)
    }
  }

  return {
    client,
    connection,
    connectionState,
    timeline: itsTimeline,
    summaries: summaries(client),
    selection: itsSelection,
    live: itsLive,
    comparison: itsComparison,
    patches: patches(client),
    restoring: restoring(client, itsActivity, itsNotices),
    activity: itsActivity,
    notices: itsNotices,
    view: viewSettings(),
    asking,
    capture: (label) =>
      attempt("Capturing", async () => {
        const { snapshot, changed, skipped } = await client.capture(label === "" ? {} : { label })
        const done = changed ? "Captured." : "Nothing changed since the newest snapshot."
        const left = skipped.length === 0 ? "" : ` ${count(skipped.length, "path is", "paths are")} not in it.`
        const action = { label: "Show", run: () => (asking.value = { kind: "skipped", skipped }) }
        itsNotices.tell({ kind: "done", text: done + left, ...(left === "" ? {} : { action }) })
        // The event that tells of it may come later.
        itsTimeline.add(snapshot)
        if (changed) itsSelection.choose(snapshot.id)
      }),
    pin: (snapshot, pinned) =>
      attempt(pinned ? "Pinning" : "Unpinning", async () => {
        await client.pin(snapshot.id, pinned)
        itsTimeline.change(snapshot.id, { pinned })
      }),
    forget: (snapshot) =>
      attempt("Forgetting", async () => {
        await client.forget(snapshot.id)
        itsSelection.choose("now")
        itsTimeline.change(snapshot.id, undefined)
        itsNotices.tell({ kind: "done", text: "The snapshot is gone." })
      }),
  }
}
