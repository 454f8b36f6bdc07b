import { SnapshotError, errnoOf } from "../../core/errors.js"
import type { FileSystem, FolderItem } from "../../core/file-system.js"
import { isInside, isUtf8Name } from "../../core/path.js"
import type { PathLister, PathListing } from "../../core/path-lister.js"
import { parseGlobs } from "../globs.js"

/** Lists paths by picomatch on a walk of its own, for where fast-glob cannot run. */
export function picomatchLister(fileSystem: FileSystem): PathLister {
  return { list: (root, globs) => list(fileSystem, root, globs) }
}

async function list(fileSystem: FileSystem, root: string, globs: readonly string[]): Promise<PathListing> {
  const { takes, matches } = parseGlobs(globs)
  const bases = takes.map(literalBase)
  const paths: string[] = []
  const unreadable: string[] = []
  const folders = takes.length === 0 ? [] : [""]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, kind } of await itemsOf(fileSystem, root, folder, unreadable)) {
      if (name === ".git" || !isUtf8Name(name)) continue
      const path = folder === "" ? name : `${folder}/${name}`
      if (kind === "folder") {
        if (bases.some((base) => isInside(base, path) || isInside(path, base))) folders.push(path)
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

/** The leading folders of a glob in which no character can mean anything but itself. */
function literalBase(glob: string): string {
  const folders = glob.split("/").slice(0, -1)
  const special = folders.findIndex((part) => !/^[\p{L}\p{N}_ .-]+$/u.test(part))
  return folders.slice(0, special < 0 ? folders.length : special).join("/")
}
