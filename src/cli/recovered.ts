import type { RestoreReport, SnapshotStore } from "../snapshot-store.js"
import { outcomeNumbers } from "./report-lines.js"
import type { Screen } from "./screen.js"
import { shortId } from "./text.js"

/** Tells people what became of restores whose processes ended in the middle: at opening, and from now on. */
export function noteRecovered(store: SnapshotStore, screen: Screen): void {
  const tell = (report: RestoreReport): void => {
    if (!screen.json) screen.note(...recoveredLines(report))
  }
  store.on("recovered", tell)
  if (store.recovered !== undefined) tell(store.recovered)
}

function recoveredLines({ outcomes, complete, undo: safety }: RestoreReport): string[] {
  return [
    `treeshot: A restore that was interrupted was ${complete ? "finished" : "taken back"}: ${outcomeNumbers(outcomes)}`,
    ...(safety === undefined ? [] : [`What the folder was before it is snapshot ${shortId(safety.id)}.`]),
  ]
}
