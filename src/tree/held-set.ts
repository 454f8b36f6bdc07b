import type { FolderHandle } from "../core/file-system.js"
import type { RepoPath } from "../core/path.js"
import type { Folders, HeldFolder } from "./folders.js"

/** Gives the folder at a path, held until the step is over; undefined when there is none. */
export type HoldFolder = (path: RepoPath) => Promise<FolderHandle | undefined>

/** Runs `step`, which may hold folders, each of them once. Addresses in them are good until it is over. */
export async function holdingFolders<Value>(
  folders: Folders,
  step: (hold: HoldFolder) => Promise<Value>,
): Promise<Value> {
  const held = new Map<RepoPath, HeldFolder | undefined>()
  try {
    return await step(async (path) => {
      if (!held.has(path)) held.set(path, await folders.hold(path))
      return held.get(path)?.handle
    })
  } finally {
    for (const folder of held.values()) await folder?.release()
  }
}
