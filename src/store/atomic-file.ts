import { errnoOf } from "../core/errors.js"
import { NO_HARD_LINKS, type FileSystem } from "../core/file-system.js"
import { randomHex } from "../core/random.js"

/**
 * Puts `bytes` in place at `target` as a whole or not at all: written beside, synced, renamed, and the folder synced.
 * `temporary` is a folder of the same file system. With `durable` false nothing is synced.
 */
export async function writeAtomically(
  fileSystem: FileSystem,
  temporary: string,
  target: string,
  bytes: Uint8Array,
  durable: boolean,
): Promise<void> {
  const temp = `${temporary}/${randomHex(16)}`
  const file = await fileSystem.open(temp, "create")
  try {
    try {
      await file.write(bytes, 0)
      if (durable) await file.sync()
    } finally {
      await file.close()
    }
    await fileSystem.rename(temp, target)
  } catch (error) {
    await removeIfThere(fileSystem, temp)
    throw error
  }
  if (durable) await fileSystem.syncFolder(folderOf(target))
}

/**
 * Puts `bytes` in place at `target`, as a whole and synced, unless the name is taken: false then. Where no hard link can
 * be made, the file is made in place, and can be seen before it is whole.
 */
export async function createExclusively(
  fileSystem: FileSystem,
  temporary: string,
  target: string,
  bytes: Uint8Array,
): Promise<boolean> {
  if (!fileSystem.traits.hardLinks) return unlessTaken(writeNew(fileSystem, target, bytes))
  const temp = `${temporary}/${randomHex(16)}`
  await writeNew(fileSystem, temp, bytes)
  try {
    return await unlessTaken(fileSystem.linkFile(temp, target))
  } catch (error) {
    if (!NO_HARD_LINKS.has(errnoOf(error) ?? "")) throw error
    return await unlessTaken(writeNew(fileSystem, target, bytes))
  } finally {
    // What stays here is of no harm, and what was made counts.
    const remove = (): Promise<void> => removeIfThere(fileSystem, temp)
    await remove()
      .catch(remove)
      .catch(() => {})
  }
}

async function writeNew(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fileSystem.open(path, "create")
  try {
    try {
      await file.write(bytes, 0)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    await removeIfThere(fileSystem, path).catch(() => {})
    throw error
  }
}

async function unlessTaken(making: Promise<void>): Promise<boolean> {
  try {
    await making
    return true
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false
    throw error
  }
}

/** The folder part of a path of the system. */
export function folderOf(path: string): string {
  const end = path.lastIndexOf("/")
  return end < 0 ? "." : path.slice(0, end) || "/"
}

/** Removes a file that may be gone already. */
export async function removeIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.unlink(path)
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error
  }
}

/** Makes a folder and those above it where they are missing. With `durable`, each new name is synced into its parent. */
export async function makeFolders(
  fileSystem: FileSystem,
  path: string,
  durable: boolean,
  permissions?: number,
): Promise<void> {
  try {
    await fileSystem.makeFolder(path, permissions)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === "EEXIST") return
    if (errno !== "ENOENT" || folderOf(path) === path) throw error
    await makeFolders(fileSystem, folderOf(path), durable, permissions)
    // Not the same once more: where a folder above is a link to nowhere, that would have no end.
    await unlessTaken(fileSystem.makeFolder(path, permissions))
  }
  if (durable) await fileSystem.syncFolder(folderOf(path))
}
