/*
 * Files that a restore replaces or deletes are first renamed aside and hashed there: what was moved is what is checked,
 * and nothing can change it unseen in between. They are removed when everything is in place, and put back otherwise.
 */
import type { FileVersion } from "../core/change.js"
import { errnoOf, isSnapshotError, SnapshotError } from "../core/errors.js"
import { NO_HARD_LINKS, type FileSystem } from "../core/file-system.js"
import { hashObject } from "../core/object.js"
import { escapePath, joinPath, nameOf, parentOf, type RepoPath } from "../core/path.js"
import type { Folders } from "./folders.js"
import { readStable, withFile, type ReadPorts } from "./read-file.js"
import { removeTemporaries, unlinkAgain } from "./remove-temporary.js"
import type { RestoreNames } from "./restore-name.js"

/** A file or link that was moved out of the way. */
export interface Aside {
  readonly path: RepoPath
  /** The folder that it is in now. */
  readonly folder: RepoPath
  readonly name: string
}

/** Moves files aside and back. */
export interface Asides {
  /**
   * Moves the file or link at `path` into `folder`, if it is still `expected`: type, mode and content. Undefined when it
   * is not, or is gone: it stays, or is put back.
   */
  move(path: RepoPath, expected: FileVersion, folder: RepoPath): Promise<Aside | undefined>
  /** Puts it back under its name, unless something else has that name by now: false then. */
  putBack(aside: Aside): Promise<boolean>
  /** Whether it is there under the name that it was to get. */
  isThere(aside: Aside): Promise<boolean>
  /** Whether what stands under that name is `expected`: type, mode and content. */
  isVersion(aside: Aside, expected: FileVersion): Promise<boolean>
  /** Removes them for good. Never throws. */
  remove(asides: readonly Aside[]): Promise<void>
}

export function asides(ports: ReadPorts, folders: Folders, names: RestoreNames): Asides {
  const { fileSystem, hasher } = ports

  async function move(path: RepoPath, expected: FileVersion, folder: RepoPath): Promise<Aside | undefined> {
    const aside: Aside = { path, folder, name: names.aside(path) }
    let isMoved = false
    try {
      await folders.within(parentOf(path), (from) =>
        folders.within(folder, async (to) => {
          const address = from.at(nameOf(path))
          // A folder would take all that is in it along.
          if ((await fileSystem.lstat(address))?.kind !== "folder") isMoved = await renamed(address, to.at(aside.name))
        }),
      )
      if (isMoved && (await isVersion(aside, expected))) return aside
    } catch (error) {
      if (isMoved) await putBack(aside)
      throw error
    }
    if (isMoved && !(await putBack(aside))) throw nameTaken(aside)
    return undefined
  }

  /** False when there is nothing to rename. */
  async function renamed(from: string, to: string): Promise<boolean> {
    try {
      await fileSystem.rename(from, to)
      return true
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return false
      throw error
    }
  }

  async function isVersion(aside: Aside, expected: FileVersion): Promise<boolean> {
    const same = await folders.within(aside.folder, async (folder) => {
      if (expected.mode === "120000") {
        const text = await fileSystem.readLink(folder.at(aside.name))
        return text !== undefined && (await hashObject(hasher, "blob", text)) === expected.oid
      }
      const content = await withFile(ports, folder, aside.name, (file) =>
        // That its times are fresh is the rename's doing; what counts is whether it is what was expected.
        readStable(ports, file, () => Number.POSITIVE_INFINITY, file.opened),
      )
      if (typeof content === "string" || content.oid !== expected.oid) return false
      const executable = (content.stat.permissions & 0o100) !== 0
      return !fileSystem.traits.executableBit || expected.mode === (executable ? "100755" : "100644")
    })
    return same === true
  }

  async function putBack(aside: Aside): Promise<boolean> {
    const back = await folders.within(aside.folder, (from) =>
      folders.within(parentOf(aside.path), (to) => place(from.at(aside.name), to.at(nameOf(aside.path)))),
    )
    return back === true
  }

  /** A link may need space that a rename does not: what was there comes back before all else. */
  async function place(from: string, to: string): Promise<boolean> {
    try {
      return (await placeNew(ports, from, to)) !== "taken"
    } catch {
      return renameToFree(fileSystem, from, to)
    }
  }

  async function isThere({ folder, name }: Aside): Promise<boolean> {
    return (await folders.within(folder, async (held) => fileSystem.lstat(held.at(name)))) !== undefined
  }

  return {
    move,
    putBack,
    isThere,
    isVersion,
    remove: (moved) => removeTemporaries(fileSystem, folders, moved),
  }
}

/** Something took the name in the moment between: what was moved is in nobody's snapshot, and stays where it is. */
export function nameTaken({ path, folder, name }: Aside): SnapshotError {
  const kept = joinPath(folder, name)
  return new SnapshotError(
    "IO_FAILED",
    `${escapePath(path)} changed twice during the restore. Its content before is in ${kept}: put it where it belongs.`,
    { action: PUT_BACK, path: kept, errno: "EEXIST" },
  )
}

/** Where such a failure has left what was moved; undefined for any other one. */
export function leftAside(error: unknown): string | undefined {
  return isSnapshotError(error, "IO_FAILED") && error.details.action === PUT_BACK ? error.details.path : undefined
}

const PUT_BACK = "put back"

/** What became of a file that was to get a new name: something has that name; it has only this one; or the old one, too. */
export type Placed = "taken" | "moved" | "linked"

/** Gives the file at `from` the new name `to`, unless something has it, and takes the old one away. */
export async function placeNew(
  { fileSystem }: Pick<ReadPorts, "fileSystem">,
  from: string,
  to: string,
): Promise<Placed> {
  const rename = async (): Promise<Placed> => ((await renameToFree(fileSystem, from, to)) ? "moved" : "taken")
  if (!fileSystem.traits.hardLinks) return rename()
  try {
    await fileSystem.linkFile(from, to)
  } catch (error) {
    const errno = errnoOf(error) ?? ""
    if (errno === "EEXIST") return "taken"
    if (NO_HARD_LINKS.has(errno)) return rename()
    throw error
  }
  // The new name stands, whatever becomes of the old one.
  return (await unlinkAgain(fileSystem, from)) ? "moved" : "linked"
}

/** For where no hard link can be made: something may take the name between the look and the rename. */
async function renameToFree(fileSystem: FileSystem, from: string, to: string): Promise<boolean> {
  if ((await fileSystem.lstat(to)) !== undefined) return false
  await fileSystem.rename(from, to)
  return true
}
