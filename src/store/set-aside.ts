import type { FileSystem } from "../core/file-system.js"
import { randomHex } from "../core/random.js"
import { folderOf, makeFolders, writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"

/**
 * Moves a file or folder of the store to the same path below `damaged/`, durably; gives that path, from the gitdir on.
 * Undefined when it is not there.
 */
export async function setAside(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  path: string,
): Promise<string | undefined> {
  if ((await fileSystem.lstat(path)) === undefined) return undefined
  const target = await freePlace(fileSystem, layout, path)
  await fileSystem.rename(path, target)
  await fileSystem.syncFolder(folderOf(target))
  await fileSystem.syncFolder(folderOf(path))
  return target.slice(layout.gitdir.length + 1)
}

/** As `setAside`, but the file stays where it is: `bytes` are what it holds. For one that is about to be replaced. */
export async function keepAside(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  path: string,
  bytes: Uint8Array,
): Promise<string> {
  const target = await freePlace(fileSystem, layout, path)
  await writeAtomically(fileSystem, layout.temporary, target, bytes, true)
  return target.slice(layout.gitdir.length + 1)
}

/** What was set aside before stays. */
async function freePlace(fileSystem: FileSystem, layout: GitdirLayout, path: string): Promise<string> {
  const place = `${layout.damaged}/${path.slice(layout.gitdir.length + 1)}`
  await makeFolders(fileSystem, folderOf(place), true)
  return (await fileSystem.lstat(place)) === undefined ? place : `${place}.${randomHex(4)}`
}
