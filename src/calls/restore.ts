import type { FileVersion } from "../core/change.js"
import { SnapshotError } from "../core/errors.js"
import type { Manifest } from "../core/manifest.js"
import { toOid, type Oid } from "../core/oid.js"
import { comparePaths, escapePath, isInside, isUnsafeName, parsePath, type RepoPath } from "../core/path.js"
import type { Keep, Outcome, PlannedChange } from "../core/restore.js"
import type { TreeEntry } from "../core/tree.js"
import type { CapturedTree } from "../core/tree-capture.js"
import type {
  ApplyOptions,
  Filter,
  RestoreOptions,
  RestorePlan,
  RestoreReport,
  Rev,
  Target,
} from "../snapshot-store.js"
import { holdTarget } from "../store/held-target.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import { storedTrees } from "../tree/compare-trees.js"
import { worktreeFolders, type Folders } from "../tree/folders.js"
import { pathFilter, type PathFilter } from "../tree/path-filter.js"
import { permissionsAt } from "../tree/permissions.js"
import { makePlan, type PlannedWork } from "../tree/plan.js"
import { isRestoreName } from "../tree/restore-name.js"
import { restoreFiles } from "../tree/restore-files.js"
import { entryFinder, type EntryFinder } from "../tree/tree-entry.js"
import type { CaptureSession } from "./capture-session.js"
import { withSession } from "./capture.js"
import type { StoreContext } from "./context.js"
import { resolve } from "./resolve.js"
import { filesOf, look, readCaptured, scopeFilter } from "./side.js"
import { viewOf } from "./snapshot-view.js"

/** What a restore would do. */
export async function plan(store: StoreContext, target: Target, options: RestoreOptions = {}): Promise<RestorePlan> {
  const goal = await goalOf(store, target, options)
  options.signal?.throwIfAborted()
  const now = await look(store, goal.tree, options.signal)
  return planFor(store, goal, now)
}

/** Plan and apply in one, on one look at the work tree. */
export async function restore(store: StoreContext, rev: Rev, options: RestoreOptions = {}): Promise<RestoreReport> {
  const goal = await goalOf(store, { to: rev }, options)
  return withTarget(store, goal, options, async (session) => {
    const made = await planFor(store, goal, session.captured)
    // The plan was made from the look that becomes the safety snapshot: there is nothing to compare it with.
    return carryOut(store, goal, session, made.keeps, { ...made, kept: [] }, options)
  })
}

/** Does what a plan says, and keeps what is no longer what the plan saw. */
export async function apply(
  store: StoreContext,
  made: RestorePlan,
  options: ApplyOptions = {},
): Promise<RestoreReport> {
  checkPlan(made)
  const goal = await goalOf(store, made.target, {})
  if (goal.tree !== made.tree)
    throw new SnapshotError(
      "INVALID_ARGUMENT",
      `The plan was made for another snapshot than "${made.target.to}" names now. Make a new plan.`,
      { argument: "plan" },
    )
  await checkContents(store, goal, made)
  if (made.writes.length === 0 && made.deletes.length === 0) return report(made.keeps, [])
  return withTarget(store, goal, options, async (session) =>
    carryOut(store, goal, session, made.keeps, await stillAsPlanned(store, session.captured, made), options),
  )
}

/** What to restore, and what of it. */
interface Goal {
  readonly target: Target
  readonly tree: Oid
  /** Undefined for a bare tree. */
  readonly snapshot: StoredSnapshot | undefined
  /** What the snapshot left out; undefined for a bare tree, and when its manifest cannot be read. */
  readonly then: Manifest | undefined
  readonly filter: PathFilter
  readonly added: "remove" | "keep"
}

async function goalOf(store: StoreContext, target: Target, options: RestoreOptions): Promise<Goal> {
  if (typeof target !== "object" || target === null)
    throw new SnapshotError("INVALID_ARGUMENT", `A target is { to: <revision> }.`, { argument: "target" })
  const { added = "remove" } = options
  if (added !== "remove" && added !== "keep")
    throw new SnapshotError("INVALID_ARGUMENT", `"added" is "remove" or "keep".`, { argument: "added" })
  const filter = wanted(store, options)
  const { tree, snapshot } = await resolve(store, target.to)
  if (snapshot !== undefined && snapshot.record.workspace !== store.workspace)
    throw new SnapshotError(
      "WRONG_WORKSPACE",
      `"${target.to}" is a snapshot of the workspace ${snapshot.record.workspace}; this one is ${store.workspace}. Open the work tree that it was taken of.`,
      { expected: store.workspace, found: snapshot.record.workspace },
    )
  const then = snapshot === undefined ? undefined : await store.log.manifestOf(snapshot).catch(unlessUnreadable)
  return { target, tree, snapshot, then, filter, added }
}

/** Without the manifest it is not known what was left out, so nothing is deleted. */
function unlessUnreadable(error: unknown): undefined {
  if (error instanceof SnapshotError && (error.code === "OBJECT_MISSING" || error.code === "OBJECT_CORRUPT"))
    return undefined
  throw error
}

function wanted(store: StoreContext, options: Filter): PathFilter {
  const asked = pathFilter(options)
  const scope = scopeFilter(store)
  return Object.assign((path: string) => asked(path) && scope(path), {
    reaches: (folder: string) => asked.reaches(folder) && scope.reaches(folder),
  })
}

async function planFor(store: StoreContext, goal: Goal, now: CapturedTree): Promise<RestorePlan> {
  const { target, tree, then, filter, added } = goal
  const work = await withFolders(store, (folders) =>
    makePlan({
      fileSystem: store.platform.fileSystem,
      folders,
      now,
      target: tree,
      then,
      reader: store.objects,
      readTree: readCaptured(store, now),
      filter,
      added,
      checkPath: checkSafe,
    }),
  )
  return { target, tree, base: now.tree, ...work }
}

/** Runs `step` in a capture session that becomes the safety snapshot, with the target held against collection. */
async function withTarget(
  store: StoreContext,
  goal: Goal,
  options: ApplyOptions,
  step: (session: CaptureSession) => Promise<RestoreReport | undefined>,
): Promise<RestoreReport> {
  options.signal?.throwIfAborted()
  const held = await holdTarget(store.refs, {
    workspace: store.workspace,
    tree: goal.tree,
    nowMs: store.platform.clock.nowMs(),
    durable: store.durable,
  })
  try {
    await checkStillThere(store, goal)
    const alsoTracked = filesOf(store, goal.tree)
    return await withSession(store, { alsoTracked, signal: options.signal, onProgress: options.onProgress }, step)
  } finally {
    await held.release()
  }
}

/** A snapshot that was let go before its tree was held may be collected already. */
async function checkStillThere({ refs }: StoreContext, { target, snapshot }: Goal): Promise<void> {
  if (snapshot === undefined || (await refs.read(snapshot.ref)) === snapshot.id) return
  throw new SnapshotError(
    "NOT_FOUND",
    `The snapshot "${target.to}" was let go before its restore began. List the snapshots to see what there is.`,
    { rev: target.to },
  )
}

/** Publishes the safety snapshot, then does the work. Undefined when the session was given up by maintenance. */
async function carryOut(
  store: StoreContext,
  goal: Goal,
  session: CaptureSession,
  keeps: readonly Keep[],
  { kept, writes, deletes }: CheckedWork,
  options: ApplyOptions,
): Promise<RestoreReport | undefined> {
  if (writes.length === 0 && deletes.length === 0) return report(keeps, kept)
  const batches = writes.length < MANY_WRITES ? undefined : store.platform.fileBatches
  // What takes time to start does so while the snapshot is written.
  batches?.expect()
  const safety = await session.publish({ kind: "safety", target: goal.tree, metadata: {} })
  if (safety === undefined) return undefined
  const entryThen = entryFinder(storedTrees(store.objects), goal.tree)
  const done = await withFolders(store, (folders) =>
    restoreFiles(
      {
        fileSystem: store.platform.fileSystem,
        hasher: store.platform.hasher,
        folders,
        blobs: store.objects,
        batches,
        durable: store.durable,
        keepsFolder: (path) => keepsFolder(goal, entryThen, path),
        folderPermissions: (path) => folderPermissions(store, goal, path),
        signal: options.signal,
        onProgress: options.onProgress,
      },
      writes,
      deletes,
    ),
  )
  return { undo: viewOf(safety), ...report(keeps, [...kept, ...done]) }
}

/** Fewer are written one by one, in about the same time. */
const MANY_WRITES = 64

interface CheckedWork {
  readonly kept: readonly Outcome[]
  readonly writes: readonly PlannedChange[]
  readonly deletes: readonly PlannedChange[]
}

/** Sorts out the paths that are not what the plan saw: the safety snapshot holds something else of them, or nothing. */
async function stillAsPlanned(store: StoreContext, captured: CapturedTree, work: PlannedWork): Promise<CheckedWork> {
  const entryNow = entryFinder(readCaptured(store, captured), captured.tree)
  const { emptyFolders } = captured.manifest
  const leaving = new Set(work.deletes.map(({ path }) => path))
  const kept: Outcome[] = []
  const isAsPlanned = async (change: PlannedChange): Promise<boolean> => {
    const entry = await entryNow(change.path)
    const { before, after, path } = change
    if (after?.mode !== "40000" && before?.mode !== "40000" && isDone(captured, path, entry, after)) return false
    const ours = entry === undefined ? {} : { ours: entry.oid }
    const same =
      before?.mode === "40000" && after?.mode === "40000"
        ? true
        : before?.mode === "40000"
          ? entry?.mode === "40000" || emptyFolders.some((folder) => isInside(folder, path))
          : before === undefined
            ? entry === undefined || entry.mode === "40000" || leaving.has(path)
            : entry?.oid === before.oid && entry.mode === before.mode
    if (!same)
      kept.push({
        path,
        action: "kept",
        reason: "conflict",
        ...ours,
        ...(change.after && { theirs: change.after.oid }),
      })
    return same
  }
  const filterPlanned = async (changes: readonly PlannedChange[]): Promise<PlannedChange[]> => {
    const passed: PlannedChange[] = []
    for (const change of changes) if (await isAsPlanned(change)) passed.push(change)
    return passed
  }
  return { writes: await filterPlanned(work.writes), deletes: await filterPlanned(work.deletes), kept }
}

/** Whether a path is what the plan wants already, by an earlier apply or by hand. */
function isDone(
  { manifest }: CapturedTree,
  path: string,
  entry: TreeEntry | undefined,
  after: FileVersion | undefined,
): boolean {
  if (entry?.oid !== after?.oid || entry?.mode !== after?.mode) return false
  const wanted = after?.permissions
  return entry === undefined || wanted === undefined || permissionsAt(manifest.permissions, path, entry.mode) === wanted
}

function report(keeps: readonly Keep[], outcomes: readonly Outcome[]): RestoreReport {
  const all: Outcome[] = [...keeps.map((keep): Outcome => ({ ...keep, action: "kept" })), ...outcomes]
  const complete = outcomes.every(({ action }) => action === "written" || action === "deleted")
  return { outcomes: all.sort((a, b) => comparePaths(a.path, b.path)), complete }
}

async function keepsFolder({ then }: Goal, entryThen: EntryFinder, path: RepoPath): Promise<boolean> {
  if (then === undefined || then.emptyFolders.some((folder) => isInside(folder, path))) return true
  return (await entryThen(path))?.mode === "40000"
}

function folderPermissions(store: StoreContext, { then }: Goal, path: RepoPath): number | undefined {
  if (then === undefined || !store.platform.fileSystem.traits.executableBit) return undefined
  return permissionsAt(then.permissions, path, "40000")
}

async function withFolders<Value>(store: StoreContext, step: (folders: Folders) => Promise<Value>): Promise<Value> {
  const folders = worktreeFolders(store.platform.fileSystem, store.worktree)
  try {
    return await step(folders)
  } finally {
    await folders.close()
  }
}

/** A plan may come from elsewhere: its paths must stay inside the work tree, and its oids must be oids. */
function checkPlan(made: RestorePlan): void {
  const refuse = (): never => {
    throw notAPlan()
  }
  if (typeof made !== "object" || made === null || ![made.writes, made.deletes, made.keeps].every(Array.isArray))
    refuse()
  if (![...made.writes, ...made.deletes, ...made.keeps].every((one) => typeof one?.path === "string")) refuse()
  for (const { path, before, after } of [...made.writes, ...made.deletes]) {
    if (parsePath(path) !== path || path === "") refuse()
    checkSafe(path)
    for (const version of [before, after]) if (version !== undefined && !isVersion(version)) refuse()
  }
  if (made.writes.some(({ after }) => after === undefined) || made.deletes.some(({ before }) => before === undefined))
    refuse()
}

function isVersion(version: FileVersion | null): boolean {
  if (version === null || toOid(version.oid) === undefined || !MODES.has(version.mode)) return false
  const { permissions = 0 } = version
  return Number.isInteger(permissions) && permissions >= 0 && permissions <= 0o777
}

function notAPlan(): SnapshotError {
  return new SnapshotError("INVALID_ARGUMENT", "This is no plan of this store. Make one with plan().", {
    argument: "plan",
  })
}

/** A plan writes what its snapshot has at the same path, and nothing else that the store may hold. */
async function checkContents(store: StoreContext, { tree, then }: Goal, made: RestorePlan): Promise<void> {
  const entryThen = entryFinder(storedTrees(store.objects), tree)
  for (const { path, after } of made.writes) {
    const entry = await entryThen(path)
    const isFolder = entry?.mode === "40000" || then?.emptyFolders.some((folder) => isInside(folder, path)) === true
    const fits = after?.mode === "40000" ? isFolder : entry?.oid === after?.oid && entry?.mode === after?.mode
    if (!fits) throw notAPlan()
  }
}

/** A tree from elsewhere may name what no work tree should hold, such as .git/hooks. */
function checkSafe(path: string): void {
  if (!path.split("/").some((name) => isUnsafeName(name) || isRestoreName(name))) return
  throw new SnapshotError(
    "PATH_UNSAFE",
    `${escapePath(path)} is no name that a restore may write. Restore the other paths by naming them.`,
    { path: escapePath(path) },
  )
}

const MODES: ReadonlySet<string> = new Set(["100644", "100755", "120000", "40000"])
