import { parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { Folders } from "./folders.js"

/** Finds the folder itself or the nearest above it that is there: of the same file system, so that a file can be moved in. */
export type NearestFolder = (wanted: RepoPath) => Promise<RepoPath>

/** What is missing is looked for once, and below it nothing: in many levels of missing folders that would take for ever. */
export function nearestFolders(folders: Folders): NearestFolder {
  /** By missing folder. */
  const above = new Map<RepoPath, RepoPath>()

  async function isThere(folder: RepoPath): Promise<boolean> {
    return (await folders.within(folder, async () => true)) === true
  }

  return async (wanted) => {
    if (above.has(wanted)) return above.get(wanted) as RepoPath
    if (wanted === ROOT || (await isThere(wanted))) return wanted
    const unknown: RepoPath[] = []
    let at = wanted
    for (; at !== ROOT && !above.has(at); at = parentOf(at)) unknown.push(at)
    let found = above.get(at) ?? at
    // From the top, so that each is reached from the one above it.
    for (const folder of unknown.reverse()) {
      if (found === parentOf(folder) && folder !== wanted && (await isThere(folder))) found = folder
      else above.set(folder, found)
    }
    return found
  }
}
