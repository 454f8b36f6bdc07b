import { errnoOf } from "../core/errors.js"
import type { FileSystem, FolderItem } from "../core/file-system.js"

/** All names in one of Git's own folders, through a link where it is one; none when it is not there. */
export async function listFollowing(fileSystem: FileSystem, folder: string): Promise<readonly FolderItem[]> {
  try {
    return (await fileSystem.list(folder)) ?? []
  } catch (error) {
    const target = errnoOf(error) === "ENOTDIR" ? await fileSystem.realPath(folder) : undefined
    if (target === undefined || target === folder) throw error
    return (await fileSystem.list(target)) ?? []
  }
}
