import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import type { GitdirLayout } from "./gitdir.js"
import { readMaintenance } from "./maintenance-note.js"

/** Whether a maintenance left refs in packed-refs, and there is no such file any more. */
export async function arePackedRefsLost(fileSystem: FileSystem, layout: GitdirLayout): Promise<boolean> {
  // The note first: once it says so, the file was there.
  const { hasPackedRefs = false } = await readMaintenance(fileSystem, layout)
  return hasPackedRefs && (await fileSystem.lstat(`${layout.gitdir}/packed-refs`)) === undefined
}

/** Lets nothing go by refs that are not all of them: REF_INVALID. */
export async function refuseLostPackedRefs(fileSystem: FileSystem, layout: GitdirLayout): Promise<void> {
  if (!(await arePackedRefsLost(fileSystem, layout))) return
  throw new SnapshotError(
    "REF_INVALID",
    "The file packed-refs is gone, and refs of snapshots were in it, so nothing can be removed. Verify the store and repair it: treeshot verify --repair gives snapshots that are still stored their refs back.",
    { ref: "packed-refs" },
  )
}
