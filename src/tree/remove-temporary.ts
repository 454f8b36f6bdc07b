import pLimit from "p-limit"
import { errnoOf } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import type { RepoPath } from "../core/path.js"
import type { Folders } from "./folders.js"

/** A file under a name that a restore gave it for the moment. */
export interface Temporary {
  readonly folder: RepoPath
  readonly name: string
}

/**
 * Removes such files, if they are there, some at a time: a system waits for its disk when it frees what a file took. Never
 * throws.
 */
export async function removeTemporaries(
  fileSystem: FileSystem,
  folders: Folders,
  temporaries: readonly Temporary[],
): Promise<void> {
  const limit = pLimit(CONCURRENCY)
  await limit.map(temporaries, (temporary) => removeTemporary(fileSystem, folders, temporary))
}

const CONCURRENCY = 16

/** Removes such a file, if it is there. Never throws: what stays is of no harm, since no capture takes such a name. */
async function removeTemporary(fileSystem: FileSystem, folders: Folders, temporary: Temporary): Promise<void> {
  try {
    await folders.within(temporary.folder, (folder) => unlinkAgain(fileSystem, folder.at(temporary.name)))
  } catch {
    // The folder went away, or may not be looked at any more.
  }
}

/** Removes a file, and tries once more when that fails. False when it may still be there. Never throws. */
export async function unlinkAgain(fileSystem: FileSystem, address: string): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await fileSystem.unlink(address)
      return true
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return true
    }
  }
  return false
}
