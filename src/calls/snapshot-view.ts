import type { Snapshot } from "../snapshot-store.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import type { StoreContext } from "./context.js"
import { isPinned } from "./pins.js"

/** A stored snapshot in the words of the public contract. */
export function viewOf({ id, ref, commit, record }: StoredSnapshot, pinned: boolean): Snapshot {
  return {
    id,
    tree: commit.tree,
    ref,
    ...(record.label === undefined ? {} : { label: record.label }),
    metadata: record.metadata,
    createdAt: new Date(record.createdMs),
    kind: record.kind,
    complete: record.skipped === 0,
    pinned,
    ...(record.previous === undefined ? {} : { previous: record.previous }),
  }
}

/** As `viewOf`, for one whose pin is still to be looked up. */
export async function currentView(store: StoreContext, stored: StoredSnapshot): Promise<Snapshot> {
  return viewOf(stored, await isPinned(store, stored.ref))
}
