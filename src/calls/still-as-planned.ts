import type { FileVersion } from "../core/change.js"
import { isInside, type RepoPath } from "../core/path.js"
import type { Keep, PlannedChange } from "../core/restore.js"
import type { TreeEntry } from "../core/tree.js"
import type { CapturedTree } from "../core/tree-capture.js"
import type { RestoreSteps } from "../tree/finish-restore.js"
import { obstacleFinder } from "../tree/obstacle.js"
import { permissionsAt } from "../tree/permissions.js"
import { entryFinder } from "../tree/tree-entry.js"
import { withFolders } from "./carry-out.js"
import type { StoreContext } from "./context.js"
import { readCaptured } from "./side.js"

/** The steps of a plan that can be done, and the paths of the others. */
export interface CheckedSteps extends RestoreSteps {
  readonly kept: readonly Keep[]
}

/** Sorts out the paths that are not what the plan saw: the safety snapshot holds something else of them, or nothing. */
export async function stillAsPlanned(
  store: StoreContext,
  captured: CapturedTree,
  work: RestoreSteps,
): Promise<CheckedSteps> {
  const readTree = readCaptured(store, captured)
  const entryNow = entryFinder(readTree, captured.tree)
  const { emptyFolders } = captured.manifest
  const leaving = new Set(work.deletes.map(({ path }) => path))
  const kept: Keep[] = []

  const isSame = ({ before, after, path }: PlannedChange, entry: TreeEntry | undefined): boolean => {
    if (before?.mode === "40000")
      return after?.mode === "40000" || entry?.mode === "40000" || emptyFolders.some((folder) => isInside(folder, path))
    if (before !== undefined) return entry?.oid === before.oid && entry.mode === before.mode
    // What leaves may make way; a folder that somebody made since does not.
    if (entry !== undefined) return entry.mode === "40000" || leaving.has(path)
    return !emptyFolders.some((folder) => isInside(folder, path) && !leaving.has(folder))
  }

  return withFolders(store, async (folders) => {
    const { fileSystem } = store.platform
    const left = obstacleFinder({ fileSystem, folders, now: captured, readTree, deletes: new Map(), keeps: [] })
    const stepOf = async (change: PlannedChange): Promise<PlannedChange | undefined> => {
      const { before, after } = change
      const path = change.path as RepoPath
      const entry = await entryNow(path)
      if (after?.mode !== "40000" && before?.mode !== "40000" && isDone(captured, path, entry, after)) {
        // What the look left out is not gone.
        const reason = after === undefined ? await left.find(path) : undefined
        if (reason !== undefined) kept.push({ path, reason })
        return undefined
      }
      const step = isSame(change, entry) ? withBitsNow(captured, change) : undefined
      if (step !== undefined) return step
      const ours = entry === undefined ? {} : { ours: entry.oid }
      kept.push({ path, reason: "conflict", ...ours, ...(after && { theirs: after.oid }) })
      return undefined
    }
    const filterPlanned = async (changes: readonly PlannedChange[]): Promise<PlannedChange[]> => {
      const passed: PlannedChange[] = []
      for (const change of changes) {
        const step = await stepOf(change)
        if (step !== undefined) passed.push(step)
      }
      return passed
    }
    return { writes: await filterPlanned(work.writes), deletes: await filterPlanned(work.deletes), kept }
  })
}

/**
 * The step with the bits that the path has now, which somebody may have changed since: that is what an undo gives back.
 * Where the step changes them, it does so; where it does not, they stay. Undefined when changing them is all that it does.
 */
function withBitsNow({ manifest }: CapturedTree, change: PlannedChange): PlannedChange | undefined {
  const { path, before, after } = change
  if (before?.permissions === undefined) return change
  const permissions = permissionsAt(manifest.permissions, path, before.mode)
  if (permissions === undefined || permissions === before.permissions) return change
  if (after === undefined) return { ...change, before: { ...before, permissions } }
  const isSameContent = after.mode === before.mode && (after.oid === before.oid || after.mode === "40000")
  if (isSameContent) return undefined
  const isKept = after.mode === before.mode && after.permissions === before.permissions
  return { ...change, before: { ...before, permissions }, after: isKept ? { ...after, permissions } : after }
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
