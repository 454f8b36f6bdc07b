import type { FileSystem } from "../core/file-system.js"

/**
 * Removes a gitdir with all that is in it; links go, and what they lead to stays. Its configuration goes last: by it one
 * that was removed in part is still known as what it is.
 */
export async function removeGitdir(fileSystem: FileSystem, gitdir: string): Promise<void> {
  await removeContents(fileSystem, gitdir, "config")
  await removeContents(fileSystem, gitdir)
  await fileSystem.removeFolder(gitdir)
}

async function removeContents(fileSystem: FileSystem, folder: string, but?: string): Promise<void> {
  for (const { name, kind } of (await fileSystem.list(folder)) ?? []) {
    const path = `${folder}/${name}`
    if (name === but) continue
    if (kind === "folder") {
      await removeContents(fileSystem, path)
      await fileSystem.removeFolder(path)
    } else await fileSystem.unlink(path)
  }
}
