/*
 * A restore from its journal to its record:
 *
 *   the safety snapshot holds what is there      the journal says what is to be done, durably
 *   the work tree is changed                     the record says what was done; the journal goes
 *
 * Whatever ends it in between is found by the journal: by the next restore, or when the store is opened.
 */
import type { BlobSource } from "../core/blob-source.js"
import { SnapshotError } from "../core/errors.js"
import { hashObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { isInside, type RepoPath } from "../core/path.js"
import type { Keep, Outcome, PlannedChange } from "../core/restore.js"
import type { ApplyOptions, RestoreReport } from "../snapshot-store.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import { storedTrees } from "../tree/compare-trees.js"
import { finishRestore, rollBackRestore, type RestoreSteps } from "../tree/finish-restore.js"
import { worktreeFolders, type Folders } from "../tree/folders.js"
import { decodeRecord, encodeRecord, type RestoreRecord } from "../tree/journal.js"
import { patientFiles } from "../tree/patient-files.js"
import { permissionsAt } from "../tree/permissions.js"
import { restoreFiles, type RestoreRequest } from "../tree/restore-files.js"
import { restoreNames, type RestoreNames } from "../tree/restore-name.js"
import { entryFinder } from "../tree/tree-entry.js"
import type { StoreContext } from "./context.js"
import { manifestOf, type Goal } from "./goal.js"
import { recordName } from "./restore-history.js"
import { report } from "./restore-report.js"
import { currentView } from "./snapshot-view.js"

/** What is to be done, and with what. */
export interface Work extends RestoreSteps {
  readonly keeps: readonly Keep[]
  /** Contents that no tree has. */
  readonly merged: ReadonlyMap<Oid, Uint8Array>
}

/** Fewer are written one by one, in about the same time. */
export const MANY_WRITES = 64

/** Does the work; `safety` is the snapshot of the work tree just before. When it throws, the work tree is as it was. */
export async function carryOut(
  store: StoreContext,
  goal: Goal,
  safety: StoredSnapshot,
  work: Work,
  options: ApplyOptions,
): Promise<Outcome[]> {
  const { platform, restores, durable } = store
  const names = restoreNames(pathsOf(work))
  const record: RestoreRecord = {
    version: 1,
    names: names.start,
    root: await rootOf(store),
    target: goal.target,
    tree: goal.tree,
    ...(goal.snapshot === undefined ? {} : { snapshot: goal.snapshot.id }),
    safety: { ref: safety.ref, id: safety.id, tree: safety.commit.tree },
    ...(goal.back === undefined ? {} : { takesBack: goal.back.record }),
    writes: work.writes,
    deletes: work.deletes,
    keeps: work.keeps,
    merged: Object.fromEntries([...work.merged].map(([oid, bytes]) => [oid, toBase64(bytes)])),
  }
  await restores.begin(await encodeRecord(platform.hasher, record), durable)
  let outcomes: Outcome[]
  try {
    const merged = work.merged
    const isMany = work.writes.length >= MANY_WRITES
    outcomes = await withRequest(store, { ...goal, merged, names, isMany }, options, (request) =>
      restoreFiles(request, work.writes, work.deletes),
    )
  } catch (error) {
    // Mostly there is nothing left to take back. What cannot be done now is done when the store is opened.
    await rollBack(store, record, safety).catch(() => {})
    throw error
  }
  // The work is done, and counts: as long as the journal is there, the next restore writes down what was done.
  await finish(store, record, outcomes).catch(() => {})
  return outcomes
}

/** Finishes or takes back a restore that ended in the middle; undefined when there is none. To be called under its lock. */
export async function recover(store: StoreContext): Promise<RestoreReport | undefined> {
  const bytes = await readJournal(store)
  if (bytes === undefined) return undefined
  const record = await decodeRecord(store.platform.hasher, bytes)
  if (record === undefined) throw unreadable(store)
  const { device, inode } = await rootOf(store)
  if (device !== record.root.device || inode !== record.root.inode)
    throw pending(store, "its work tree is not there", "Mount it, or move it back, and open the store again")
  const safety = await store.log.withId(record.safety.id)
  if (safety === undefined) throw pending(store, "its safety snapshot is gone", "Look at the work tree")
  const undo = await currentView(store, safety)
  try {
    const outcomes = await goForward(store, record)
    await finish(store, record, outcomes)
    return { undo, ...report(record.keeps, outcomes) }
  } catch (error) {
    try {
      const outcomes = await rollBack(store, record, safety)
      return { undo, ...report(record.keeps, outcomes), complete: false }
    } catch {
      throw pending(
        store,
        "it can neither be finished nor taken back now",
        "Free some space and open the store again",
        error,
      )
    }
  }
}

async function readJournal(store: StoreContext): Promise<Uint8Array | undefined> {
  try {
    return await store.restores.running()
  } catch (error) {
    throw unreadable(store, error)
  }
}

async function goForward(store: StoreContext, record: RestoreRecord): Promise<Outcome[]> {
  const snapshot = record.snapshot === undefined ? undefined : await store.log.withId(record.snapshot)
  const then = snapshot === undefined ? undefined : await manifestOf(store, snapshot)
  return withRequest(store, { tree: record.tree, then, ...contentsOf(record) }, {}, (request) =>
    finishRestore(request, record),
  )
}

async function rollBack(store: StoreContext, record: RestoreRecord, safety: StoredSnapshot): Promise<Outcome[]> {
  const then = await manifestOf(store, safety)
  const outcomes = await withRequest(store, { tree: safety.commit.tree, then, ...contentsOf(record) }, {}, (request) =>
    rollBackRestore(request, record),
  )
  await store.restores.drop(store.durable)
  return outcomes
}

/** Writes down what was done, for undo. */
async function finish(store: StoreContext, record: RestoreRecord, outcomes: readonly Outcome[]): Promise<void> {
  const done = new Set(outcomes.flatMap(({ path, action }) => (action === "kept" || action === "failed" ? [] : [path])))
  const wasDone = ({ path }: PlannedChange): boolean => done.has(path)
  const kept = { ...record, writes: record.writes.filter(wasDone), deletes: record.deletes.filter(wasDone), merged: {} }
  const bytes = await encodeRecord(store.platform.hasher, kept)
  await store.restores.finish(recordName(store, record.safety.ref), bytes, store.durable)
}

/** What a restore needs beside its steps. */
interface Contents extends Pick<Goal, "tree" | "then"> {
  readonly names: RestoreNames
  readonly merged: ReadonlyMap<Oid, Uint8Array>
  readonly isMany?: boolean
}

function contentsOf(record: RestoreRecord): Pick<Contents, "names" | "merged"> {
  const merged = Object.entries(record.merged).map(([oid, text]) => [oid as Oid, fromBase64(text)] as const)
  return { names: restoreNames(pathsOf(record), record.names), merged: new Map(merged) }
}

function pathsOf({ writes, deletes }: RestoreSteps): string[] {
  return [...writes, ...deletes].map(({ path }) => path)
}

async function withRequest<Value>(
  store: StoreContext,
  { tree, then, names, merged, isMany = false }: Contents,
  options: ApplyOptions,
  step: (request: RestoreRequest) => Promise<Value>,
): Promise<Value> {
  const entryThen = entryFinder(storedTrees(store.objects), tree)
  const { hasher, fileBatches } = store.platform
  const fileSystem = patientFiles(store.platform.fileSystem)
  return withFolders(store, (folders) =>
    step({
      fileSystem,
      hasher,
      folders,
      names,
      blobs: merged.size === 0 ? store.objects : withMerged(store, merged),
      batches: isMany ? fileBatches : undefined,
      durable: store.durable,
      async keepsFolder(path) {
        if (then === undefined || then.emptyFolders.some((folder) => isInside(folder, path))) return true
        return (await entryThen(path))?.mode === "40000"
      },
      folderPermissions(path: RepoPath) {
        if (then === undefined || !fileSystem.traits.executableBit) return undefined
        return permissionsAt(then.permissions, path, "40000")
      },
      signal: options.signal,
      onProgress: options.onProgress,
    }),
  )
}

export async function withFolders<Value>(
  store: StoreContext,
  step: (folders: Folders) => Promise<Value>,
): Promise<Value> {
  const folders = worktreeFolders(store.platform.fileSystem, store.worktree)
  try {
    return await step(folders)
  } finally {
    await folders.close()
  }
}

/** The store's blobs, and some that it does not hold. */
function withMerged({ objects, platform }: StoreContext, merged: ReadonlyMap<Oid, Uint8Array>): BlobSource {
  return {
    async stream(oid) {
      const bytes = merged.get(oid)
      if (bytes === undefined) return objects.stream(oid)
      if ((await hashObject(platform.hasher, "blob", bytes)) !== oid)
        throw new SnapshotError("OBJECT_CORRUPT", `The merged content ${oid} is damaged. Revert again.`, { oid })
      return { type: "blob", sizeBytes: bytes.length, chunks: once(bytes) }
    },
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function rootOf({ platform, worktree }: StoreContext): Promise<RestoreRecord["root"]> {
  const stat = await platform.fileSystem.lstat(worktree)
  return { device: String(stat?.device), inode: String(stat?.inode) }
}

function pending({ restores }: StoreContext, why: string, advice: string, cause?: unknown): SnapshotError {
  return new SnapshotError(
    "RESTORE_PENDING",
    `A restore ended in the middle, and ${why}. Nothing was touched. ${advice}; or delete ${restores.journal} to leave everything as it is.`,
    { journal: restores.journal },
    cause,
  )
}

/** There is nothing to wait for: only who knows the work tree can tell whether it is as it should be. */
function unreadable({ restores }: StoreContext, cause?: unknown): SnapshotError {
  return new SnapshotError(
    "RESTORE_PENDING",
    `A restore ended in the middle, and what it was about to do cannot be read. Nothing was touched. Delete ${restores.journal} and open the store again; then restore the last safety snapshot, if the work tree is not as it should be.`,
    { journal: restores.journal },
    cause,
  )
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
