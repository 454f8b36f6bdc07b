/*
 * Changes to a work tree that can all be taken back: each notes what undoes it.
 */
import pLimit from "p-limit"
import { concat } from "../core/bytes.js"
import { openBlob, type BlobSource } from "../core/blob-source.js"
import type { FileVersion } from "../core/change.js"
import { errnoOf } from "../core/errors.js"
import type { FileStat, FileSystem } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import type { Oid } from "../core/oid.js"
import { joinPath, nameOf, parentOf, type RepoPath } from "../core/path.js"
import { settleAll } from "../core/settle-all.js"
import { asides as asidesIn, nameTaken, placeNew, type Aside, type Asides, type Placed } from "./aside.js"
import type { Folders } from "./folders.js"
import { isSameFile } from "./other-spelling.js"
import type { RestoreNames } from "./restore-name.js"
import type { Staged } from "./stage.js"

/** What changes to a work tree are made with. */
export interface EditRequest {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly folders: Folders
  readonly blobs: BlobSource
  readonly names: RestoreNames
  /** The bits of a folder that the target has; undefined for the system's default. */
  readonly folderPermissions: (path: RepoPath) => number | undefined
}

/** Something that was done, and what takes it back. */
interface Step {
  undo(): Promise<unknown>
  /** What was moved aside, to be removed in the end. */
  readonly aside?: Aside
}

/** One after the other, never side by side. */
export class WorktreeEdits {
  /** Made folders whose own bits would keep files from being put in, and those bits. */
  readonly closedFolders: Map<RepoPath, number> = new Map()
  readonly #request: EditRequest
  readonly #moves: Asides
  /** Everything that was done to the work tree, in order. */
  readonly #steps: Step[] = []
  /** Folders that were made again, and the bits that they get once everything is back in them. */
  readonly #remade = new Map<RepoPath, number>()
  readonly #touched = new Set<RepoPath>()

  constructor(request: EditRequest) {
    this.#request = request
    this.#moves = asidesIn(request, request.folders, request.names)
  }

  /** Number of steps that can be taken back. */
  get count(): number {
    return this.#steps.length
  }

  /** Notes something that was done elsewhere. */
  note(undo: () => Promise<unknown>): void {
    this.#steps.push({ undo })
  }

  /** Syncs every folder in which a name came or went. */
  async sync(): Promise<void> {
    const { folders, fileSystem } = this.#request
    const limit = pLimit(SYNCS_AT_ONCE)
    const sync = (path: RepoPath): Promise<void> =>
      folders.within(path, (folder) => fileSystem.syncFolder(folder.address))
    await settleAll([...this.#touched].map((path) => limit(() => sync(path))))
  }

  /** Removes what was moved aside: from here on nothing can be taken back. */
  async removeAsides(): Promise<void> {
    await this.#moves.remove(this.#steps.flatMap(({ aside }) => aside ?? []))
  }

  /**
   * Moves a file or link into `folder` and checks there that it is still `expected`. False when it is not, or is gone:
   * it stays.
   */
  async moveAside(path: RepoPath, expected: FileVersion, folder: RepoPath = parentOf(path)): Promise<boolean> {
    const aside = await this.#moves.move(path, expected, folder)
    if (aside === undefined) return false
    this.#noteAside(aside)
    return true
  }

  /** Notes a file that got the place of another one, or of nothing, elsewhere. */
  noteSwap(path: RepoPath, after: FileVersion, aside: Aside | undefined): void {
    if (aside !== undefined) this.#noteAside(aside)
    this.#steps.push({ undo: () => this.#takeAway(path, after) })
    this.#touched.add(parentOf(path))
  }

  /**
   * Sees to a swap that may have stopped anywhere. True, and noted, when the new file has its place, with its first name
   * or without; otherwise everything is as it was before it was tried.
   */
  async settleSwap(path: RepoPath, after: FileVersion, staged: Staged, aside: Aside | undefined): Promise<boolean> {
    const isAside = aside !== undefined && (await this.#moves.isThere(aside))
    if ((aside === undefined || isAside) && (await this.#isPlaced(path, after, staged))) {
      this.noteSwap(path, after, aside)
      return true
    }
    if (!isAside) return false
    const isBack = isSameFile(await this.statOf(joinPath(aside.folder, aside.name)), await this.statOf(path))
    if (isBack) await this.#moves.remove([aside])
    else if (!(await this.#moves.putBack(aside))) throw nameTaken(aside)
    return false
  }

  /** The old file is checked before the new one gets its name, which it has alone or beside its first one. */
  async #isPlaced(path: RepoPath, after: FileVersion, staged: Staged): Promise<boolean> {
    const first = await this.statOf(joinPath(staged.folder, staged.name))
    if (first !== undefined) return isSameFile(first, await this.statOf(path))
    return this.#moves.isVersion({ path, folder: parentOf(path), name: nameOf(path) }, after)
  }

  #noteAside(aside: Aside): void {
    const undo = async (): Promise<void> => {
      // Where something new has its name by now, the safety snapshot still has what was moved.
      if (!(await this.#moves.putBack(aside))) await this.#moves.remove([aside])
    }
    this.#steps.push({ undo, aside })
    this.#touched.add(parentOf(aside.path)).add(aside.folder)
  }

  /** Gives the new file or link its name, unless something has it. */
  async place(path: RepoPath, after: FileVersion, staged: Staged | undefined): Promise<Placed> {
    const { folders, fileSystem, blobs } = this.#request
    const note = (placed: Placed): Placed => {
      if (placed !== "taken") {
        this.#steps.push({ undo: () => this.#takeAway(path, after) })
        this.#touched.add(parentOf(path))
      }
      return placed
    }
    const placed = await folders.within(parentOf(path), async (to) => {
      const address = to.at(nameOf(path))
      if (staged === undefined) return note(await placeLink(fileSystem, blobs, after.oid as Oid, address))
      return folders.within(staged.folder, async (from) =>
        note(await placeNew({ fileSystem }, from.at(staged.name), address)),
      )
    })
    return placed ?? "taken"
  }

  /** Removes what was put in place, unless it has been changed since. */
  async #takeAway(path: RepoPath, after: FileVersion): Promise<void> {
    const aside = await this.#moves.move(path, after, parentOf(path))
    if (aside !== undefined) await this.#moves.remove([aside])
  }

  /** Makes a folder, open enough to put files in; false when something has the name. */
  async makeFolder(path: RepoPath): Promise<boolean> {
    const { folders, fileSystem, folderPermissions } = this.#request
    const permissions = folderPermissions(path)
    // Files have to go in first.
    const bits = permissions === undefined ? undefined : permissions | 0o700
    const undo = async (): Promise<void> => {
      this.closedFolders.delete(path)
      await this.#removeFolder(path)
    }
    try {
      const made = await folders.within(parentOf(path), async (parent) => {
        await fileSystem.makeFolder(parent.at(nameOf(path)), bits)
        this.#steps.push({ undo })
        return true
      })
      if (made !== true) return false
    } catch (error) {
      if (errnoOf(error) === "EEXIST") return false
      throw error
    }
    if (permissions !== undefined && permissions !== bits) this.closedFolders.set(path, permissions)
    this.#touched.add(parentOf(path))
    return true
  }

  /** Makes a folder that was removed again. */
  async #remakeFolder(path: RepoPath, permissions: number): Promise<void> {
    const { folders, fileSystem } = this.#request
    await folders.within(parentOf(path), (parent) =>
      fileSystem.makeFolder(parent.at(nameOf(path)), permissions | 0o700),
    )
    this.#remade.set(path, permissions)
  }

  /** Sets the bits of a folder; false when there is none. */
  async chmod(path: RepoPath, permissions: number): Promise<boolean> {
    const { folders, fileSystem } = this.#request
    const done = await folders.within(path, async (folder) => {
      const before = (await folder.stat()).permissions
      if (before === permissions) return true
      await fileSystem.chmodFolder(folder.address, permissions)
      this.#steps.push({ undo: () => this.#setBits(path, before) })
      return true
    })
    return done === true
  }

  async #setBits(path: RepoPath, permissions: number): Promise<void> {
    const { folders, fileSystem } = this.#request
    await folders.within(path, (folder) => fileSystem.chmodFolder(folder.address, permissions))
  }

  /** Removes the folder if nothing is in it. */
  async removeIfEmpty(path: RepoPath): Promise<boolean> {
    const stat = await this.statOf(path)
    const removed = (): void => {
      if (stat !== undefined) this.#steps.push({ undo: () => this.#remakeFolder(path, stat.permissions) })
    }
    try {
      await this.#removeFolder(path, removed)
    } catch (error) {
      if (NOT_EMPTY.has(errnoOf(error) ?? "")) return false
      throw error
    }
    this.#touched.add(parentOf(path))
    return true
  }

  async #removeFolder(path: RepoPath, removed: () => void = () => {}): Promise<void> {
    const { folders, fileSystem } = this.#request
    await folders.within(parentOf(path), async (parent) => {
      await fileSystem.removeFolder(parent.at(nameOf(path)))
      folders.forget(path)
      removed()
    })
  }

  /** Undefined where there is nothing. */
  statOf(path: RepoPath): Promise<FileStat | undefined> {
    const { folders, fileSystem } = this.#request
    return folders.within(parentOf(path), (folder) => fileSystem.lstat(folder.at(nameOf(path))))
  }

  /** Whether there is a folder, not behind a link. */
  async isFolder(path: RepoPath): Promise<boolean> {
    return (await this.#request.folders.within(path, async () => true)) === true
  }

  /** Takes back the steps from `first` on, the last first. One that cannot be taken back does not hold up the others. */
  async undoFrom(first: number): Promise<void> {
    for (const step of this.#steps.splice(first).reverse()) await step.undo().catch(() => undefined)
    for (const [path, permissions] of [...this.#remade].reverse())
      await this.#setBits(path, permissions).catch(() => undefined)
    this.#remade.clear()
  }
}

const SYNCS_AT_ONCE = 16

const NOT_EMPTY: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR"])

/** A link is made under its name at once: that takes no name that something has. */
async function placeLink(fileSystem: FileSystem, blobs: BlobSource, oid: Oid, address: string): Promise<Placed> {
  const text = await contentOf(blobs, oid)
  try {
    await fileSystem.makeLink(text, address)
    return "moved"
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return "taken"
    throw error
  }
}

async function contentOf(blobs: BlobSource, oid: Oid): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of (await openBlob(blobs, oid)).chunks) pieces.push(piece)
  return concat(pieces)
}
