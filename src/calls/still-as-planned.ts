import type { FileVersion } from "../core/change.js"
import { isInside } from "../core/path.js"
import type { Outcome, PlannedChange } from "../core/restore.js"
import type { TreeEntry } from "../core/tree.js"
import type { CapturedTree } from "../core/tree-capture.js"
import type { RestoreSteps } from "../tree/finish-restore.js"
import { permissionsAt } from "../tree/permissions.js"
import { entryFinder } from "../tree/tree-entry.js"
import type { StoreContext } from "./context.js"
import { readCaptured } from "./side.js"

/** The steps of a plan that can be done, and the paths of the others. */
export interface CheckedSteps extends RestoreSteps {
  readonly kept: readonly Outcome[]
}

/** Sorts out the paths that are not what the plan saw: the safety snapshot holds something else of them, or nothing. */
export async function stillAsPlanned(
  store: StoreContext,
  captured: CapturedTree,
  work: RestoreSteps,
): Promise<CheckedSteps> {
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
