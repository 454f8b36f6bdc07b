import { SnapshotError, errnoOf } from "../../core/errors.js"
import type { FileSystem, FolderItem } from "../../core/file-system.js"
import { isUtf8Name } from "../../core/path.js"
import type { PathLister, PathListing } from "../../core/path-lister.js"

/** Lists paths by picomatch on a walk of its own, for where fast-glob cannot run. */
export function picomatchLister(fileSystem: FileSystem): PathLister {
  return { list: (root, globs) => list(fileSystem, root, globs) }
}

async function list(fileSystem: FileSystem, root: string, globs: readonly string[]): Promise<PathListing> {
  // Its library is of no use to most captures, which have no globs.
  const { parseGlobs } = await import("../../core/globs.js")
  const { takes, matches, reaches } = parseGlobs(globs)
  const paths: string[] = []
  const unreadable: string[] = []
  const folders = takes.length === 0 ? [] : [""]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, kind } of await itemsOf(fileSystem, root, folder, unreadable)) {
      if (name === ".git" || !isUtf8Name(name)) continue
      const path = folder === "" ? name : `${folder}/${name}`
      if (kind === "folder") {
        if (reaches(path)) folders.push(path)
      } else if (kind !== "special" && matches(path)) paths.push(path)
    }
  }
  return { paths, unreadable }
}

async function itemsOf(
  fileSystem: FileSystem,
  root: string,
  folder: string,
  unreadable: string[],
): Promise<readonly FolderItem[]> {
  try {
    return (await fileSystem.list(folder === "" ? root : `${root}/${folder}`)) ?? []
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error
    // A folder that became something else meanwhile is no folder to list.
    if (errnoOf(error) !== "ENOTDIR") unreadable.push(folder)
    return []
  }
}
