import { isDamage } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { snapshotFolder } from "../core/ref-name.js"
import type { Rev, SnapshotSummary } from "../snapshot-store.js"
import { contentSizes } from "../store/content-sizes.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import { isUnreadable } from "../store/unreadable.js"
import { compareTrees, storedTrees } from "../tree/compare-trees.js"
import type { StoreContext } from "./context.js"
import { resolveSnapshot } from "./resolve.js"

/** How much a snapshot changed against the one before it. NOT_A_SNAPSHOT for a tree. */
export async function summary(store: StoreContext, rev: Rev): Promise<SnapshotSummary> {
  const snapshot = await resolveSnapshot(store, rev)
  const before = await oneBefore(store, snapshot)
  const changes = await compareTrees(storedTrees(store.objects), before?.commit.tree, snapshot.commit.tree)
  const written = changes.flatMap(({ after }) => (after === undefined || after.mode === "160000" ? [] : [after.oid]))
  const sizes = await contentSizes(store.objects, written as Oid[])
  return {
    filesChanged: changes.length,
    bytesChanged: written.reduce((sum, oid) => sum + (sizes.get(oid as Oid) ?? 0), 0),
    ...(before === undefined ? {} : { against: before.id }),
  }
}

/** The snapshot that was the newest before; when that is gone, the newest of its workspace that is older; undefined when there is none. */
async function oneBefore({ log, refs }: StoreContext, snapshot: StoredSnapshot): Promise<StoredSnapshot | undefined> {
  const { previous, workspace } = snapshot.record
  if (previous === undefined) return undefined
  const known = await unlessDamaged(log.withId(previous))
  if (known !== undefined) return known
  // The names of refs sort by time.
  const older = (await refs.names(snapshotFolder(workspace), "pass-over")).filter((name) => name < snapshot.ref)
  for (const ref of older.reverse()) {
    const found = await unlessDamaged(log.at(ref))
    if (found !== undefined) return found
  }
  return undefined
}

/** A snapshot that cannot be read is as good as gone. */
async function unlessDamaged<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isUnreadable(error) || isDamage(error)) return undefined
    throw error
  }
}
