import type { SnapshotStore } from "../snapshot-store.js"

/**
 * Captures the work tree; gives the oid of its tree. A capture that changes nothing gives the snapshot of before; one
 * that is older than RENEW_AFTER_MS is taken again, so that cleaning counts from the last time a tree was asked for.
 */
export async function track(store: SnapshotStore): Promise<string> {
  const { snapshot, changed } = await store.capture()
  if (changed || Date.now() - snapshot.createdAt.getTime() < RENEW_AFTER_MS) return snapshot.tree
  const renewed = await store.capture({ metadata: { renews: snapshot.id } })
  return renewed.snapshot.tree
}

/** How much older than its last use a snapshot may be: an hour. */
export const RENEW_AFTER_MS: number = 60 * 60 * 1000
