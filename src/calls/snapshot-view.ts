import type { Snapshot } from "../snapshot-store.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"

/** A stored snapshot in the words of the public contract. */
export function viewOf({ id, ref, commit, record }: StoredSnapshot): Snapshot {
  return {
    id,
    tree: commit.tree,
    ref,
    ...(record.label === undefined ? {} : { label: record.label }),
    metadata: record.metadata,
    createdAt: new Date(record.createdMs),
    kind: record.kind,
    complete: record.skipped === 0,
    pinned: false,
    ...(record.previous === undefined ? {} : { previous: record.previous }),
  }
}
