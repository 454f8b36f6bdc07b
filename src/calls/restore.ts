import { isSnapshotError, SnapshotError } from "../core/errors.js"
import { comparePaths, isInside } from "../core/path.js"
import type { Keep, Outcome, PlannedChange } from "../core/restore.js"
import type { CapturedTree } from "../core/tree-capture.js"
import type { ApplyOptions, RestorePlan, RestoreReport, RestoreTarget, RevertOptions } from "../snapshot-store.js"
import { holdTarget } from "../store/held-target.js"
import { storedTrees } from "../tree/compare-trees.js"
import { permissionsAt } from "../tree/permissions.js"
import { makePlan } from "../tree/plan.js"
import { entryFinder } from "../tree/tree-entry.js"
import type { CaptureSession } from "./capture-session.js"
import { withSession } from "./capture.js"
import { carryOut, MANY_WRITES, recover, withFolders, type Work } from "./carry-out.js"
import { checkPlan, checkSafe, notAPlan } from "./check-plan.js"
import type { StoreContext } from "./context.js"
import { goalOf, nameOfTarget, type Goal } from "./goal.js"
import { mergeConflicts } from "./merge-conflicts.js"
import { report } from "./restore-report.js"
import { filesOf, look, readCaptured } from "./side.js"
import { viewOf } from "./snapshot-view.js"
import { stillAsPlanned } from "./still-as-planned.js"
import { restoreLock, RESTORE_PATIENCE, underLock } from "./under-lock.js"

/** What a restore would do. */
export async function plan(
  store: StoreContext,
  target: RestoreTarget,
  options: RevertOptions = {},
): Promise<RestorePlan> {
  const goal = await goalOf(store, target, options)
  options.signal?.throwIfAborted()
  const now = await look(store, goal.tree, options.signal)
  const { writes, deletes, keeps } = await workFor(store, goal, now, options)
  return { target, tree: goal.tree, base: now.tree, writes, deletes, keeps }
}

/** Plan and apply in one, on one look at the work tree. */
export async function restoreTo(
  store: StoreContext,
  target: RestoreTarget,
  options: RevertOptions = {},
): Promise<RestoreReport> {
  return underRestoreLock(store, options, async () => {
    const goal = await goalOf(store, target, options)
    return withTarget(store, goal, options, async (session) =>
      // The plan is made from the look that becomes the safety snapshot: there is nothing to compare it with.
      restoreNow(store, goal, session, await workFor(store, goal, session.captured, options), [], options),
    )
  })
}

/** Does what a plan says, and keeps what is no longer what the plan saw. */
export async function apply(
  store: StoreContext,
  made: RestorePlan,
  options: ApplyOptions = {},
): Promise<RestoreReport> {
  checkPlan(made)
  return underRestoreLock(store, options, async () => {
    const goal = await goalOf(store, made.target, {})
    if (goal.tree !== made.tree)
      throw new SnapshotError(
        "INVALID_ARGUMENT",
        `The plan was made for another snapshot than "${nameOfTarget(made.target)}" names now. Make a new plan.`,
        { argument: "plan" },
      )
    await checkContents(store, goal, made)
    return withTarget(store, goal, options, async (session) => {
      const { kept, ...steps } = await stillAsPlanned(store, session.captured, made)
      const merged = await mergeConflicts(store, goal, session.captured, steps.writes.filter(isMerged))
      const again = new Map(merged.writes.map((change) => [change.path, JSON.stringify(change.after)]))
      const isOther = (change: PlannedChange): boolean => again.get(change.path) !== JSON.stringify(change.after)
      if (steps.writes.some((change) => isMerged(change) && isOther(change))) throw notAPlan()
      const work = { writes: steps.writes, deletes: steps.deletes, keeps: made.keeps, merged: merged.contents }
      const outcomes = kept.map((keep): Outcome => ({ ...keep, action: "kept" }))
      return restoreNow(store, goal, session, work, outcomes, options)
    })
  })
}

function isMerged({ merged }: PlannedChange): boolean {
  return merged === true
}

/** What is to be done to reach the goal from the work tree as it is. */
async function workFor(
  store: StoreContext,
  goal: Goal,
  now: CapturedTree,
  { merge = true, signal }: RevertOptions,
): Promise<Work> {
  const { tree, then, filter, added, from, back } = goal
  const inFilter = ({ path }: PlannedChange): boolean => filter(path)
  const planned =
    back === undefined
      ? await withFolders(store, (folders) =>
          makePlan({
            fileSystem: store.platform.fileSystem,
            folders,
            now,
            ...(from === undefined ? {} : { from }),
            target: tree,
            then,
            reader: store.objects,
            readTree: readCaptured(store, now, signal),
            filter,
            added,
            checkPath: checkSafe,
          }),
        )
      : { writes: back.steps.writes.filter(inFilter), deletes: back.steps.deletes.filter(inFilter), keeps: [] }
  if (from === undefined && back === undefined) return { ...planned, merged: new Map() }
  // Only what the step changed is taken back; what somebody changed since stays, or is merged.
  const { kept, writes, deletes } = await stillAsPlanned(store, now, planned)
  const conflicts = planned.writes.filter(({ path }) => kept.some((outcome) => outcome.path === path))
  const merging = from !== undefined && merge ? await mergeConflicts(store, goal, now, conflicts) : undefined
  const settled = new Set([...(merging?.writes ?? []).map(({ path }) => path), ...(merging?.done ?? [])])
  const keeps = kept.filter(({ path }) => !settled.has(path))
  // A file that was renamed, and cannot go back, stays where it is.
  const staying = new Set([...planned.keeps, ...keeps].flatMap(({ theirs }) => theirs ?? []))
  const renamed = deletes.filter(({ before }) => staying.has(before?.oid ?? ""))
  const left = renamed.map(({ path, before }): Keep => ({ path, reason: "conflict", ours: before?.oid ?? "" }))
  return {
    writes: [...writes, ...(merging?.writes ?? [])].toSorted((a, b) => comparePaths(a.path, b.path)),
    deletes: deletes.filter((change) => !renamed.includes(change)),
    keeps: [...planned.keeps, ...keeps, ...left].toSorted((a, b) => comparePaths(a.path, b.path)),
    merged: merging?.contents ?? new Map(),
  }
}

/** Runs `step` while no other process restores this work tree, once what a killed one left is seen to. */
async function underRestoreLock<Value>(
  store: StoreContext,
  { signal }: ApplyOptions,
  step: () => Promise<Value>,
): Promise<Value> {
  signal?.throwIfAborted()
  return underLock(
    store,
    restoreLock(store.workspace),
    async () => {
      const recovered = await recover(store)
      if (recovered !== undefined) store.onRecovered(recovered)
      return step()
    },
    { ...RESTORE_PATIENCE, signal },
  )
}

/** Finishes or takes back a restore that a killed process left; undefined when there is none, or when it still runs. */
export async function recoverUnlessRunning(store: StoreContext): Promise<RestoreReport | undefined> {
  try {
    return await underLock(store, restoreLock(store.workspace), () => recover(store), {
      ...RESTORE_PATIENCE,
      waitMs: 0,
    })
  } catch (error) {
    if (isSnapshotError(error, "LOCK_HELD")) return undefined
    throw error
  }
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
  const rev = nameOfTarget(target)
  throw new SnapshotError(
    "NOT_FOUND",
    `The snapshot "${rev}" was let go before its restore began. List the snapshots to see what there is.`,
    { rev },
  )
}

/** Publishes the safety snapshot, then does the work. Undefined when the session was given up by maintenance. */
async function restoreNow(
  store: StoreContext,
  goal: Goal,
  session: CaptureSession,
  work: Work,
  kept: RestoreReport["outcomes"],
  options: ApplyOptions,
): Promise<RestoreReport | undefined> {
  const isOfChanges = goal.from !== undefined || goal.back !== undefined
  // An undo that could do nothing counts all the same: the next one is about the restore before.
  if (work.writes.length === 0 && work.deletes.length === 0 && goal.back === undefined)
    return report(work.keeps, kept, isOfChanges)
  // What takes time to start does so while the snapshot is written.
  if (work.writes.length >= MANY_WRITES) store.platform.fileBatches?.expect()
  const safety = await session.publish({ kind: "safety", target: goal.tree, metadata: {} })
  if (safety === undefined) return undefined
  const done = await carryOut(store, goal, safety, work, options)
  return { undo: viewOf(safety, false), ...report(work.keeps, [...kept, ...done], isOfChanges) }
}

/**
 * A plan writes what its snapshot has at the same path, or what its undo takes back, and deletes what is in neither. What
 * was merged is merged again, and compared.
 */
async function checkContents(store: StoreContext, goal: Goal, made: RestorePlan): Promise<void> {
  const { tree, then, back } = goal
  const entryThen = entryFinder(storedTrees(store.objects), tree)
  const stepsBack =
    back && new Map([...back.steps.writes, ...back.steps.deletes].map((step) => [step.path, step.after]))
  const isFolderThen = (path: string, mode: string | undefined): boolean =>
    mode === "40000" || then?.emptyFolders.some((folder) => isInside(folder, path)) === true
  for (const { path, before, after, merged } of made.writes) {
    if (merged === true && goal.from !== undefined) continue
    const wanted = stepsBack === undefined ? await entryThen(path) : stepsBack.get(path)
    const fits =
      after?.mode === "40000"
        ? isFolderThen(path, wanted?.mode)
        : wanted?.oid === after?.oid && wanted?.mode === after?.mode
    const bits = after?.permissions
    const bitsThen =
      stepsBack?.get(path)?.permissions ?? (then && after && permissionsAt(then.permissions, path, after.mode))
    if (!fits || (bits !== undefined && bits !== bitsThen && bits !== before?.permissions)) throw notAPlan()
  }
  for (const { path, before } of made.deletes) {
    const isKept =
      stepsBack === undefined
        ? before?.mode === "40000"
          ? false
          : isFileMode((await entryThen(path))?.mode)
        : !stepsBack.has(path)
    if (isKept) throw notAPlan()
  }
}

function isFileMode(mode: string | undefined): boolean {
  return mode !== undefined && mode !== "40000" && mode !== "160000"
}
