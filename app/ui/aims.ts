/*
 * What a restore from the page is about.
 */
import type { Snapshot } from "../../src/snapshot-store.js"
import type { Session } from "../model/session.js"
import { shortId } from "../model/text.js"

/** A snapshot's label; without one its id. */
export function nameOf({ label, id }: Snapshot): string {
  return label ?? `snapshot ${shortId(id)}`
}

/** The snapshot that is looked at; of two, the newer one. */
function selectedSnapshot({ selection, timeline }: Session): Snapshot | undefined {
  const selected = selection.selected.value
  if (selected.kind === "now") return undefined
  return timeline.withId(selected.kind === "one" ? selected.id : selected.newer)
}

/** Shows what it takes to go back to the selected snapshot; of the folder now, to the newest one. */
export function beginRestore(session: Session): void {
  const snapshot = selectedSnapshot(session) ?? session.timeline.newestCapture.value
  if (snapshot === undefined) return
  session.restoring.begin({
    title: `Go back to “${nameOf(snapshot)}”`,
    target: { to: snapshot.id },
    offersAdded: true,
  })
}

/** Shows what it takes to take back what the selected snapshot changed, or what changed between two. */
export function beginRevert(session: Session): void {
  const { selection, timeline, restoring } = session
  const selected = selection.selected.value
  const to = selectedSnapshot(session)
  if (to === undefined) return
  const from = selected.kind === "two" ? timeline.withId(selected.older) : timeline.before(to)
  if (from === undefined) return
  const title =
    selected.kind === "two"
      ? `Take back what changed from “${nameOf(from)}” to “${nameOf(to)}”`
      : `Take back what “${nameOf(to)}” changed`
  restoring.begin({ title, target: { revert: { from: from.id, to: to.id } }, offersAdded: false })
}
