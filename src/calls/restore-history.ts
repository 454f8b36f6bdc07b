/*
 * What undo and redo go by: the records of finished restores, in their order. A restore or a revert can be taken back;
 * taking it back can be taken back, which is a redo, until something else happens to the work tree.
 */
import type { FileVersion } from "../core/change.js"
import { SnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { snapshotFolder, toRefName } from "../core/ref-name.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import { storedTrees, compareTrees } from "../tree/compare-trees.js"
import { inverse, type RestoreSteps } from "../tree/finish-restore.js"
import { decodeRecord, type RestoreRecord } from "../tree/journal.js"
import { pathFilter } from "../tree/path-filter.js"
import type { StoreContext } from "./context.js"

/** The steps of an undo or a redo. */
export interface StepsBack {
  /** The record that they take back. */
  readonly record: string
  /** The snapshot of the work tree before what they take back. */
  readonly safety: StoredSnapshot
  readonly steps: RestoreSteps
}

interface Done {
  readonly name: string
  readonly record: RestoreRecord
}

/** What the next undo or redo does: NOTHING_TO_UNDO. */
export async function stepsBack(store: StoreContext, wanted: "undo" | "redo"): Promise<StepsBack> {
  const last = await lastOf(store, wanted)
  if (last === undefined)
    throw nothing(wanted, `There is no ${wanted === "undo" ? "restore to undo" : "undo to redo"}.`)
  const { name, record } = last
  const safety = await safetyOf(store, record)
  if (safety === undefined)
    throw nothing(wanted, `What the work tree was before has been let go, so that there is nothing to ${wanted}.`)
  if (wanted === "redo" && (await hasChangedSince(store, safety)))
    throw nothing(wanted, "A capture has found changes since the last undo, so that there is nothing to redo.")
  return { record: name, safety, steps: inverse(record) }
}

/** The restore, revert or redo that is undone next, or the undo that is redone next; of many records only the last are read. */
async function lastOf(store: StoreContext, wanted: "undo" | "redo"): Promise<Done | undefined> {
  /** Those that were taken back by what is still in effect. */
  const takenBack = new Set<string>()
  for (const name of (await store.restores.names()).toReversed()) {
    if (takenBack.has(name)) continue
    const record = await recordOf(store, name)
    if (record === undefined) continue
    if (record.takesBack !== undefined) takenBack.add(record.takesBack)
    const isUndo = "undo" in record.target
    if (isUndo === (wanted === "redo")) return { name, record }
    // A restore ends what could be redone; a redo does not.
    if (wanted === "redo" && record.takesBack === undefined) return undefined
  }
  return undefined
}

/** The safety snapshot of a record, while it is kept. */
async function safetyOf(store: StoreContext, { safety }: RestoreRecord): Promise<StoredSnapshot | undefined> {
  const ref = toRefName(safety.ref)
  if (ref === undefined || (await store.refs.read(ref)) !== safety.id) return undefined
  return store.log.withId(safety.id)
}

/** Whether a capture after an undo holds anything but what the last undo or redo before it left. */
async function hasChangedSince(store: StoreContext, safety: StoredSnapshot): Promise<boolean> {
  const names = await store.restores.names()
  for await (const snapshot of store.log.newestFirst(store.workspace)) {
    if (snapshot.record.createdMs <= safety.record.createdMs) return false
    if (snapshot.record.kind !== "capture" || snapshot.record.scope !== store.scope) continue
    const last = names.findLast((name) => name < recordName(store, snapshot.ref))
    const left = last === undefined ? undefined : await recordOf(store, last)
    if (left === undefined || (await differs(store, left.safety.tree, snapshot.commit.tree, left))) return true
  }
  return false
}

/** Undefined for a damaged one, which is none: what it did shows as conflicts. */
async function recordOf(store: StoreContext, name: string): Promise<RestoreRecord | undefined> {
  const bytes = await store.restores.read(name)
  return bytes === undefined ? undefined : decodeRecord(store.platform.hasher, bytes)
}

/** Whether two trees differ by anything but these steps. */
async function differs(store: StoreContext, before: Oid, after: Oid, steps: RestoreSteps): Promise<boolean> {
  const wanted = new Map<string, string>()
  for (const step of [...steps.writes, ...steps.deletes]) {
    const isFile = step.before?.mode !== "40000" && step.after?.mode !== "40000"
    if (isFile && textOf(step.before) !== textOf(step.after)) wanted.set(step.path, textOf(step.after))
  }
  for (const change of await compareTrees(storedTrees(store.objects), before, after, pathFilter({}))) {
    if (wanted.get(change.path) !== textOf(change.after)) return true
    wanted.delete(change.path)
  }
  return wanted.size > 0
}

function textOf(version: FileVersion | undefined): string {
  return version === undefined ? "" : `${version.mode} ${version.oid}`
}

function nothing(wanted: "undo" | "redo", message: string): SnapshotError {
  return new SnapshotError("NOTHING_TO_UNDO", `${message} List the safety snapshots to restore one of them.`, {
    wanted,
  })
}

/**
 * Tells whether a restore that runs, or that ended in the middle, needs a snapshot: the one that it goes back to, and the
 * one that it goes by. What it was about to do may be unreadable: it may need any safety snapshot then.
 */
export async function pendingNeeds(store: StoreContext): Promise<(snapshot: StoredSnapshot) => boolean> {
  if ((await store.platform.fileSystem.lstat(store.restores.journal)) === undefined) return () => false
  const record = await runningRecord(store)
  if (record === undefined) return ({ record: { kind } }) => kind === "safety"
  return ({ id }) => id === record.safety.id || id === record.snapshot
}

async function runningRecord(store: StoreContext): Promise<RestoreRecord | undefined> {
  try {
    const bytes = await store.restores.running()
    return bytes === undefined ? undefined : await decodeRecord(store.platform.hasher, bytes)
  } catch (error) {
    if (error instanceof SnapshotError) return undefined
    throw error
  }
}

/** Forgets what restores did whose safety snapshots are gone: it cannot be taken back. */
export async function forgetRecords(store: StoreContext, gone: ReadonlySet<string>): Promise<void> {
  for (const name of await store.restores.names())
    if (gone.has(`${snapshotFolder(store.workspace)}${name}`)) await store.restores.remove(name)
}

/** The name of a record: that of its safety snapshot's ref, without the folder. */
export function recordName(store: StoreContext, ref: string): string {
  return ref.slice(snapshotFolder(store.workspace).length)
}
