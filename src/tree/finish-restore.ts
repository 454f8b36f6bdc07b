/*
 * Finishes a restore whose process ended in the middle, or takes it back. Only what is exactly as the restore found it or
 * made it is touched; what somebody changed since stays. It may end in the middle itself, and begin again.
 */
import { joinPath, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { Outcome, PlannedChange } from "../core/restore.js"
import { asides as asidesIn, type Aside, type Asides } from "./aside.js"
import { conflict, deleted, written } from "./outcomes.js"
import { removeTemporaries } from "./remove-temporary.js"
import { restoreFiles, type RestoreRequest } from "./restore-files.js"
import { stepState, type StepState } from "./step-state.js"

/** The writes and deletes of a restore. */
export interface RestoreSteps {
  readonly writes: readonly PlannedChange[]
  readonly deletes: readonly PlannedChange[]
}

/** Does what is left of a restore; gives what became of each of its paths. When it throws, no more is done than before. */
export async function finishRestore(request: RestoreRequest, steps: RestoreSteps): Promise<Outcome[]> {
  const { states, kept } = await settleSteps(request, steps)
  const left = (changes: readonly PlannedChange[]): PlannedChange[] =>
    changes.filter((change) => states.get(change) === "before")
  const emptied = steps.deletes.map(({ path }) => parentOf(path as RepoPath))
  const done = await restoreFiles(request, left(steps.writes), left(steps.deletes), emptied)
  const outcomes = new Map(done.map((outcome) => [outcome.path, outcome]))
  const add = (changes: readonly PlannedChange[], outcome: (change: PlannedChange) => Outcome): void => {
    for (const change of changes)
      if (!outcomes.has(change.path))
        outcomes.set(change.path, states.get(change) === "other" ? conflict(change) : outcome(change))
  }
  add(steps.writes, written)
  add(steps.deletes, deleted)
  return [...outcomes.values(), ...kept]
}

/** Takes back what was done of a restore. `request` is one for what was there before. When it throws, nothing is changed. */
export async function rollBackRestore(request: RestoreRequest, steps: RestoreSteps): Promise<Outcome[]> {
  const { states, kept } = await settleSteps(request, steps)
  const { writes, deletes } = inverse({
    writes: steps.writes.filter((change) => states.get(change) === "after"),
    deletes: steps.deletes.filter((change) => states.get(change) === "after"),
  })
  const emptied = steps.writes.map(({ path }) => parentOf(path as RepoPath))
  return [...(await restoreFiles(request, writes, deletes, emptied)), ...kept]
}

/** The steps that take these back. */
export function inverse({ writes, deletes }: RestoreSteps): RestoreSteps {
  const back = [...writes, ...deletes].map(({ path, before, after }): PlannedChange => ({
    path,
    ...(after && { before: after }),
    ...(before && { after: before }),
  }))
  return {
    writes: back.filter(({ after }) => after !== undefined),
    deletes: back.filter(({ after }) => after === undefined),
  }
}

interface Settled {
  readonly states: ReadonlyMap<PlannedChange, StepState>
  /** Files that are in nobody's snapshot, and whose place is taken: they stay under the name that they have. */
  readonly kept: readonly Outcome[]
}

/** Sees to what stands under a name for the moment, and tells how far each step is then. */
async function settleSteps(request: RestoreRequest, { writes, deletes }: RestoreSteps): Promise<Settled> {
  const { folders, names } = request
  const asides = asidesIn(request, folders, names)
  const steps = [...writes, ...deletes]
  const kept = await settleTemporaries(request, asides, new Map(steps.map((step) => [step.path, step])))
  const states = new Map<PlannedChange, StepState>()
  for (const step of steps) states.set(step, await stepState(request, folders, asides, step))
  settleReplaced(states, writes, deletes)
  return { states, kept: kept.map((path): Outcome => ({ path, action: "kept", reason: "conflict" })) }
}

/** Where something else comes in the place of what goes, or into it, neither step tells by itself how far it is. */
function settleReplaced(
  states: Map<PlannedChange, StepState>,
  writes: readonly PlannedChange[],
  deletes: readonly PlannedChange[],
): void {
  const gone = new Map(deletes.map((change) => [change.path, change]))
  for (const write of writes)
    for (let at = write.path as RepoPath; at !== ROOT; at = parentOf(at)) {
      const other = gone.get(at)
      if (other === undefined) continue
      if (states.get(write) === "after" && states.get(other) === "other") states.set(other, "after")
      if (states.get(write) === "other" && states.get(other) === "before" && at === write.path)
        states.set(write, "before")
    }
}

/**
 * What was staged goes. What was moved aside gets its place back, where that is free; otherwise it goes when the store has
 * it. Gives the paths of those that neither could be done with.
 */
async function settleTemporaries(
  { fileSystem, folders, names }: RestoreRequest,
  asides: Asides,
  steps: ReadonlyMap<string, PlannedChange>,
): Promise<RepoPath[]> {
  const kept: RepoPath[] = []
  for (const folder of foldersOf(steps.keys())) {
    const items = (await folders.within(folder, (held) => fileSystem.list(held.address))) ?? []
    for (const { name } of items) {
      const found = names.read(name)
      if (found === undefined) continue
      const temporary: Aside = { path: found.path as RepoPath, folder, name }
      if (found.isAside && (await asides.putBack(temporary))) continue
      if (found.isAside && !(await isKnown(asides, temporary, steps.get(found.path)))) kept.push(joinPath(folder, name))
      else await removeTemporaries(fileSystem, folders, [temporary])
    }
  }
  return kept
}

/** Whether the store has what was moved aside: as it was before the restore, or as the restore wrote it. */
async function isKnown(asides: Asides, aside: Aside, step: PlannedChange | undefined): Promise<boolean> {
  for (const version of [step?.before, step?.after])
    if (version !== undefined && version.mode !== "40000" && (await asides.isVersion(aside, version))) return true
  return false
}

/** The folders that a restore may have put something in: those of its paths, and all above them. */
function foldersOf(paths: Iterable<string>): Set<RepoPath> {
  const folders = new Set<RepoPath>([ROOT])
  for (const path of paths)
    for (let at = parentOf(path as RepoPath); at !== ROOT && !folders.has(at); at = parentOf(at)) folders.add(at)
  return folders
}
