/*
 * Letting snapshots go: their refs are removed, and what hangs on them follows. Only for who holds the lock of
 * maintenance.
 */
import { isSnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { baselineRef, type RefName } from "../core/ref-name.js"
import { removeRefs } from "../store/remove-refs.js"
import type { StoreContext } from "./context.js"
import { forgetRecords } from "./restore-history.js"

/**
 * Removes refs of this workspace's snapshots, and others that go with them; gives those that are gone: while another tool
 * holds the lock of the packed refs, not all of them. Baselines move to what is left, and what restores did whose safety
 * snapshots are gone is forgotten.
 */
export async function letRefsGo(store: StoreContext, names: readonly RefName[]): Promise<ReadonlySet<RefName>> {
  const { fileSystem, clock } = store.platform
  const gone = await removeRefs({ fileSystem, layout: store.layout, nowMs: clock.nowMs() }, names)
  await moveBaselines(store)
  await forgetRecords(store, gone)
  return gone
}

/**
 * A baseline is a hint, but also a ref: one on a snapshot that was let go would keep its content for ever. It moves to
 * the newest snapshot of its scope that is left, or goes with the last one. So does one that is damaged.
 */
async function moveBaselines(store: StoreContext): Promise<void> {
  const { fileSystem, clock } = store.platform
  const own = baselineRef(store.workspace, undefined)
  const ofScopes = (await store.refs.names("refs/baseline/")).filter((ref) => ref.startsWith(`${own}.`))
  for (const ref of [own, ...ofScopes]) {
    const id = await store.refs.read(ref).catch(unlessInvalid)
    if (id === undefined || (id !== "damaged" && (await isListed(store, id)))) continue
    const left = await newestOf(store, ref)
    if (left !== undefined) await store.refs.write(ref, left, store.durable)
    else await removeRefs({ fileSystem, layout: store.layout, nowMs: clock.nowMs() }, [ref])
  }
}

/** The newest snapshot of the scope that the baseline is for. */
async function newestOf(store: StoreContext, baseline: RefName): Promise<Oid | undefined> {
  for await (const { id, record } of store.log.newestFirst(store.workspace))
    if (baselineRef(store.workspace, record.scope) === baseline) return id
  return undefined
}

/** Whether a ref of a snapshot names this id, as far as it can be read. */
async function isListed(store: StoreContext, id: Oid): Promise<boolean> {
  try {
    return (await store.log.withId(id)) !== undefined
  } catch (error) {
    // A damaged snapshot may still have its ref, and a damaged ref its snapshot.
    if (isSnapshotError(error, "OBJECT_CORRUPT") || isSnapshotError(error, "REF_INVALID")) return true
    throw error
  }
}

function unlessInvalid(error: unknown): "damaged" {
  if (isSnapshotError(error, "REF_INVALID")) return "damaged"
  throw error
}
