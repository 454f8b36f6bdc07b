import { isDamage, SnapshotError } from "../core/errors.js"
import { pinRef, snapshotFolder, toRefName, type RefName } from "../core/ref-name.js"
import type { Rev } from "../snapshot-store.js"
import { noteForgotten } from "../store/forgotten-note.js"
import { packedRefsHeld, removeRefs } from "../store/remove-refs.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import type { StoreContext } from "./context.js"
import { letRefsGo } from "./let-go.js"
import { refuseGone, resolveOwn } from "./resolve.js"
import { pendingNeeds } from "./restore-history.js"
import { MAINTENANCE, restoreLock, RESTORE_PATIENCE, SHORT_WAIT, underLock } from "./under-lock.js"

/**
 * Lets one snapshot of this workspace go, with its pin: NOT_FOUND, NOT_A_SNAPSHOT, WRONG_WORKSPACE, LOCK_HELD; what an
 * unfinished restore needs: RESTORE_PENDING.
 */
export async function forget(store: StoreContext, rev: Rev): Promise<void> {
  const damaged = await damagedRef(store, rev)
  if (damaged !== undefined) return underLock(store, MAINTENANCE, () => forgetDamaged(store, rev, damaged), SHORT_WAIT)
  const snapshot = await resolveOwn(store, rev)
  const step = (): Promise<void> => underLock(store, MAINTENANCE, () => forgetNow(store, rev, snapshot), SHORT_WAIT)
  // A restore publishes its safety snapshot before its journal says that it needs it.
  if (snapshot.record.kind === "safety") await underLock(store, restoreLock(store.workspace), step, RESTORE_PATIENCE)
  else await step()
}

/** A snapshot of this workspace that cannot be read goes by the name of its ref. */
async function damagedRef({ refs, log, workspace }: StoreContext, rev: Rev): Promise<RefName | undefined> {
  const ref = typeof rev === "string" && rev.startsWith(snapshotFolder(workspace)) ? toRefName(rev) : undefined
  if (ref === undefined) return undefined
  try {
    const isThere = (await refs.read(ref)) !== undefined
    return isThere && (await log.at(ref)) === undefined ? ref : undefined
  } catch (error) {
    if (isDamage(error)) return ref
    throw error
  }
}

async function forgetDamaged(store: StoreContext, rev: Rev, ref: RefName): Promise<void> {
  const { journal } = store.restores
  // Which snapshots it needs cannot be told of one that cannot be read.
  if ((await store.platform.fileSystem.lstat(journal)) !== undefined) throw restorePending(rev, journal)
  await letSnapshotGo(store, ref)
}

function restorePending(rev: Rev, journal: string): SnapshotError<"RESTORE_PENDING"> {
  return new SnapshotError(
    "RESTORE_PENDING",
    `A restore that is not finished needs the snapshot "${rev}". Open the store again, which finishes it, or wait until it has ended; then forget the snapshot.`,
    { journal },
  )
}

async function forgetNow(store: StoreContext, rev: Rev, snapshot: StoredSnapshot): Promise<void> {
  await refuseGone(store, rev, snapshot)
  const { journal } = store.restores
  if ((await pendingNeeds(store))(snapshot)) throw restorePending(rev, journal)
  await letSnapshotGo(store, snapshot.ref)
}

async function letSnapshotGo(store: StoreContext, ref: RefName): Promise<void> {
  const { fileSystem, clock } = store.platform
  // Before the ref goes: once it has gone, nothing tells any more that its content is to follow.
  await noteForgotten(fileSystem, store.layout)
  // The pin first: one without its snapshot would keep its content, and nobody would see it.
  const ports = { fileSystem, layout: store.layout, nowMs: clock.nowMs() }
  if (!(await removeRefs(ports, [pinRef(ref)])).has(pinRef(ref))) throw packedRefsHeld(store.layout)
  if (!(await letRefsGo(store, [ref])).has(ref)) throw packedRefsHeld(store.layout)
}
