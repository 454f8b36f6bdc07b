import { errnoOf } from "../core/errors.js"
import { comparePaths, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { WorktreeEdits } from "./worktree-edits.js"

/**
 * Removes the folders in which nothing is left, and those above them that are emptied by it, but for those that `keeps`
 * names. Gives the ones that could not be removed, and why. Never throws.
 */
export async function removeEmptied(
  edits: WorktreeEdits,
  keeps: (path: RepoPath) => Promise<boolean>,
  folders: Iterable<RepoPath>,
): Promise<ReadonlyMap<RepoPath, string>> {
  const stuck = new Map<RepoPath, string>()
  const gone = new Set<RepoPath>()

  async function removeFrom(first: RepoPath): Promise<void> {
    // Whoever found a folder gone went on with those above it.
    for (let folder = first; folder !== ROOT && !gone.has(folder); folder = parentOf(folder)) {
      try {
        const stays = (await edits.isFolder(folder)) && ((await keeps(folder)) || !(await edits.removeIfEmpty(folder)))
        stuck.delete(folder)
        if (stays) return
        gone.add(folder)
      } catch (error) {
        stuck.set(folder, errnoOf(error) ?? "UNKNOWN")
        return
      }
    }
  }

  // The deepest first: all above them that are emptied go with them.
  for (const path of [...folders].sort((a, b) => comparePaths(b, a))) await removeFrom(path)
  // What failed for a moment is tried once more.
  for (const path of [...stuck.keys()]) await removeFrom(path)
  return stuck
}
