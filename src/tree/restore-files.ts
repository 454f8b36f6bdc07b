/*
 * Makes a work tree what a plan says.
 *
 *   stage    every new content is written beside where it goes, and synced: a full disk shows before anything is touched
 *   write    old files are moved aside, checked there, and the new ones take their names; folders come and go with them
 *   delete   only when every write succeeded: moved aside, checked there
 *   settle   what was moved aside is removed, then emptied folders; everything is synced
 *
 * A path that is not exactly what the plan saw is put back and reported as a conflict. An abort, a full disk, or a
 * failure that is not a path's own takes everything back.
 */
import { concat } from "../core/bytes.js"
import type { BlobSource } from "../core/blob-source.js"
import type { FileVersion } from "../core/change.js"
import type { Clock } from "../core/clock.js"
import { errnoOf, isSnapshotError, SnapshotError } from "../core/errors.js"
import type { FileStat, FileSystem } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import type { Oid } from "../core/oid.js"
import { comparePaths, isInside, joinPath, nameOf, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { OnProgress } from "../core/progress.js"
import type { Outcome, PlannedChange } from "../core/restore.js"
import { asides as asidesIn, placeNew, type Aside, type Asides } from "./aside.js"
import type { Folders } from "./folders.js"
import { stageFiles, unstage, type StageRequest, type StagedFiles } from "./stage.js"

/** What a restore works with. */
export interface RestoreRequest {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly clock: Clock
  readonly folders: Folders
  readonly blobs: BlobSource
  /** Sync what is written. */
  readonly durable: boolean
  /** Whether the target has this folder, so that it stays when it is emptied. */
  readonly keepsFolder: (path: RepoPath) => Promise<boolean>
  /** The bits of a folder that the target has; undefined for the system's default. */
  readonly folderPermissions: (path: RepoPath) => number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Carries out the writes and deletes; gives what became of each path. */
export async function restoreFiles(
  request: RestoreRequest,
  writes: readonly PlannedChange[],
  deletes: readonly PlannedChange[],
): Promise<Outcome[]> {
  const run = new RestoreRun(request, writes, deletes)
  await run.stage()
  try {
    await run.write()
    await run.delete()
  } catch (error) {
    await run.takeBack()
    throw error
  }
  await run.settle()
  return run.outcomes()
}

/** A file that was put in place of what is aside, or of nothing. */
interface Placed {
  readonly path: RepoPath
  readonly after: FileVersion
}

class RestoreRun {
  readonly #request: RestoreRequest
  readonly #stageRequest: StageRequest
  readonly #writes: readonly PlannedChange[]
  readonly #deletes: Map<string, PlannedChange>
  readonly #outcomes = new Map<string, Outcome>()
  readonly #asides: Aside[] = []
  readonly #placed: Placed[] = []
  readonly #madeFolders: RepoPath[] = []
  readonly #removedFolders: { readonly path: RepoPath; readonly permissions: number }[] = []
  readonly #moves: Asides
  readonly #touched = new Set<RepoPath>()
  /** Device and inode of what was written: a delete under another spelling of the same name must not take it away. */
  readonly #written = new Set<string>()
  #staged: StagedFiles = { staged: new Map(), failed: new Map() }
  #writeFailed = false

  constructor(request: RestoreRequest, writes: readonly PlannedChange[], deletes: readonly PlannedChange[]) {
    this.#request = request
    this.#writes = foldersLast(writes)
    this.#moves = asidesIn(request, request.folders)
    this.#deletes = new Map(deletes.map((change) => [change.path, change]))
    let done = 0
    const total = writes.filter(isFile).length
    const onStaged = (): void => request.onProgress?.({ phase: "stage", done: ++done, total })
    const { fileSystem, folders, blobs, durable, signal } = request
    this.#stageRequest = { fileSystem, folders, blobs, durable, signal, onStaged }
  }

  async stage(): Promise<void> {
    this.#staged = await stageFiles(this.#stageRequest, this.#writes.filter(isFile))
  }

  async write(): Promise<void> {
    for (const [at, change] of this.#writes.entries()) {
      this.#request.signal?.throwIfAborted()
      await this.#attempt(change, () => this.#writePath(change))
      this.#request.onProgress?.({ phase: "write", done: at + 1, total: this.#writes.length })
    }
  }

  async delete(): Promise<void> {
    // Folders come after what is in them.
    const inner = [...this.#deletes.values()].toSorted((a, b) => comparePaths(b.path, a.path))
    for (const [at, change] of inner.entries()) {
      if (this.#outcomes.has(change.path)) continue
      this.#request.signal?.throwIfAborted()
      if (this.#writeFailed) this.#outcomes.set(change.path, { ...conflict(change), reason: "write-failed" })
      else await this.#attempt(change, () => this.#deletePath(change))
      this.#request.onProgress?.({ phase: "delete", done: at + 1, total: inner.length })
    }
  }

  /** Puts back everything that was moved, and takes away everything that was put in place. */
  async takeBack(): Promise<void> {
    for (const { path, after } of this.#placed.toReversed()) {
      const aside = await this.#moves.move(path, after, parentOf(path))
      if (aside !== undefined) await this.#moves.remove(aside)
    }
    for (const path of this.#madeFolders.toReversed()) await this.#removeIfEmpty(path)
    for (const { path, permissions } of this.#removedFolders.toReversed()) await this.#makeFolder(path, permissions)
    for (const aside of this.#asides.toReversed()) await this.#moves.putBack(aside)
    for (const staged of this.#staged.staged.values()) await unstage(this.#stageRequest, staged)
  }

  async settle(): Promise<void> {
    for (const aside of this.#asides) await this.#attempt(aside, () => this.#removeAside(aside))
    for (const staged of this.#staged.staged.values()) await unstage(this.#stageRequest, staged)
    for (const path of this.#deletes.keys()) await this.#removeEmptied(parentOf(path as RepoPath))
    for (const path of this.#madeFolders) await this.#chmod(path, this.#request.folderPermissions(path))
    if (this.#request.durable) await this.#sync()
  }

  outcomes(): Outcome[] {
    return [...this.#outcomes.values()].sort((a, b) => comparePaths(a.path, b.path))
  }

  /** Runs a step for one path. Failures that are the path's own become its outcome; others are thrown. */
  async #attempt(change: PlannedChange, step: () => Promise<Outcome | undefined>): Promise<void> {
    try {
      const outcome = await step()
      if (outcome !== undefined) this.#outcomes.set(change.path, outcome)
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === undefined || isSnapshotError(error, "NO_SPACE")) throw error
      this.#fail(change, errno)
    }
  }

  #fail(change: PlannedChange, errno: string): void {
    if (change.after !== undefined) this.#writeFailed = true
    this.#outcomes.set(change.path, { path: change.path, action: "failed", reason: errno, ...oids(change) })
  }

  async #writePath(change: PlannedChange): Promise<Outcome | undefined> {
    const path = change.path as RepoPath
    const after = change.after as FileVersion
    const unstaged = this.#staged.failed.get(path)
    if (unstaged !== undefined) return void this.#fail(change, unstaged)
    if (after.mode === "40000") return this.#writeFolder(change, path, after)
    if (!(await this.#ensureFolder(parentOf(path)))) return conflict(change)
    const moved = this.#asides.length
    try {
      const free = change.before === undefined ? await this.#clear(path) : await this.#moveAside(path, change.before)
      if (free && ((await this.#place(path, after)) || (await this.#placeOverOtherSpelling(path, after)))) {
        this.#placed.push({ path, after })
        this.#touched.add(parentOf(path))
        await this.#noteWritten(path)
        return { path, action: "written", ...oids(change) }
      }
    } catch (error) {
      await this.#putBackFrom(moved)
      throw error
    }
    await this.#putBackFrom(moved)
    return conflict(change)
  }

  async #writeFolder(change: PlannedChange, path: RepoPath, after: FileVersion): Promise<Outcome> {
    if (change.before?.mode === "40000") await this.#chmod(path, after.permissions)
    else if (!(await this.#ensureFolder(path))) return conflict(change)
    return { path, action: "written", ...oids(change) }
  }

  /** Makes the folder and those above it, where a file has to go for it too; false when something else is in the way. */
  async #ensureFolder(path: RepoPath): Promise<boolean> {
    if (path === ROOT || (await this.#isFolder(path))) return true
    if (!(await this.#ensureFolder(parentOf(path)))) return false
    const file = this.#deletes.get(path)
    if (file?.before !== undefined && !this.#outcomes.has(path)) {
      if (!(await this.#moveAside(path, file.before))) return false
      this.#outcomes.set(path, { path, action: "deleted", ...oids(file) })
    }
    try {
      await this.#makeFolder(path, this.#request.folderPermissions(path))
    } catch (error) {
      if (errnoOf(error) === "EEXIST") return false
      throw error
    }
    this.#madeFolders.push(path)
    return true
  }

  /** Makes way for a new file: a folder in its place goes when all that is in it is to be deleted. */
  async #clear(path: RepoPath): Promise<boolean> {
    if (!(await this.#isFolder(path))) return true
    for (const change of this.#deletes.values()) {
      if (!isInside(change.path, path) || change.before?.mode === "40000" || this.#outcomes.has(change.path)) continue
      // Moved out of the folder, which has to be empty to go.
      const gone = await this.#moveAside(change.path as RepoPath, change.before as FileVersion, parentOf(path))
      if (!gone) return false
      this.#outcomes.set(change.path, { path: change.path, action: "deleted", ...oids(change) })
    }
    return this.#removeTree(path)
  }

  /** Removes a folder that holds nothing but folders. */
  async #removeTree(path: RepoPath): Promise<boolean> {
    const { folders, fileSystem } = this.#request
    const items = (await folders.within(path, (folder) => fileSystem.list(folder.address))) ?? []
    for (const item of items)
      if (item.kind !== "folder" || !(await this.#removeTree(joinPath(path, item.name)))) return false
    const planned = this.#deletes.get(path)
    if (!(await this.#removeIfEmpty(path))) return false
    if (planned !== undefined) this.#outcomes.set(path, { path, action: "deleted", ...oids(planned) })
    return true
  }

  async #deletePath(change: PlannedChange): Promise<Outcome | undefined> {
    const path = change.path as RepoPath
    const before = change.before as FileVersion
    if (before.mode === "40000") {
      if ((await this.#isFolder(path)) && !(await this.#removeIfEmpty(path))) return conflict(change)
    } else {
      const stat = await this.#statOf(path)
      if (stat !== undefined && this.#written.has(identity(stat))) return undefined
      if (!(await this.#moveAside(path, before))) return conflict(change)
    }
    this.#touched.add(parentOf(path))
    return { path, action: "deleted", ...oids(change) }
  }

  async #moveAside(path: RepoPath, expected: FileVersion, folder: RepoPath = parentOf(path)): Promise<boolean> {
    const aside = await this.#moves.move(path, expected, folder)
    if (aside === undefined) return false
    this.#asides.push(aside)
    this.#touched.add(folder)
    return true
  }

  async #putBackFrom(first: number): Promise<void> {
    for (const aside of this.#asides.splice(first).reverse()) {
      const parent = parentOf(aside.path)
      const removed = this.#removedFolders.filter(({ path }) => isInside(parent, path))
      for (const { path, permissions } of removed.reverse()) await this.#makeFolder(path, permissions)
      this.#removedFolders.splice(
        0,
        this.#removedFolders.length,
        ...this.#removedFolders.filter((one) => !removed.includes(one)),
      )
      if (await this.#moves.putBack(aside)) this.#outcomes.delete(aside.path)
      else this.#asides.push(aside)
    }
  }

  /** Gives the new file or link its name; false when something has the name. */
  async #place(path: RepoPath, after: FileVersion): Promise<boolean> {
    const { folders, fileSystem, blobs } = this.#request
    const staged = this.#staged.staged.get(path)
    const placed = await folders.within(parentOf(path), async (to) => {
      const address = to.at(nameOf(path))
      if (staged === undefined) return placeLink(fileSystem, blobs, after.oid as Oid, address)
      return folders.within(staged.folder, (from) => placeNew({ fileSystem }, from.at(staged.name), address))
    })
    return placed === true
  }

  /** On systems that fold names, a file that is to be deleted may have the name under another spelling. */
  async #placeOverOtherSpelling(path: RepoPath, after: FileVersion): Promise<boolean> {
    const found = await this.#statOf(path)
    for (const { path: other, before } of this.#deletes.values()) {
      if (other === path || before === undefined || foldName(other) !== foldName(path)) continue
      const stat = await this.#statOf(other as RepoPath)
      if (stat === undefined || found === undefined || identity(stat) !== identity(found)) continue
      if (await this.#moveAside(other as RepoPath, before)) return this.#place(path, after)
    }
    return false
  }

  async #noteWritten(path: RepoPath): Promise<void> {
    const stat = this.#deletes.size === 0 ? undefined : await this.#statOf(path)
    if (stat !== undefined) this.#written.add(identity(stat))
  }

  #statOf(path: RepoPath): Promise<FileStat | undefined> {
    const { folders, fileSystem } = this.#request
    return folders.within(parentOf(path), (folder) => fileSystem.lstat(folder.at(nameOf(path))))
  }

  async #isFolder(path: RepoPath): Promise<boolean> {
    return (await this.#request.folders.within(path, async () => true)) === true
  }

  async #makeFolder(path: RepoPath, permissions: number | undefined): Promise<void> {
    const { folders, fileSystem } = this.#request
    // Files have to go in first; the exact bits come last.
    const bits = permissions === undefined ? undefined : permissions | 0o700
    await folders.within(parentOf(path), (parent) => fileSystem.makeFolder(parent.at(nameOf(path)), bits))
    this.#touched.add(parentOf(path))
  }

  async #chmod(path: RepoPath, permissions: number | undefined): Promise<void> {
    const { folders, fileSystem } = this.#request
    if (permissions !== undefined)
      await folders.within(path, (folder) => fileSystem.chmodFolder(folder.address, permissions))
  }

  /** Removes the folder if nothing is in it. */
  async #removeIfEmpty(path: RepoPath): Promise<boolean> {
    const { folders, fileSystem } = this.#request
    const stat = await this.#statOf(path)
    try {
      await folders.within(parentOf(path), (parent) => fileSystem.removeFolder(parent.at(nameOf(path))))
    } catch (error) {
      if (NOT_EMPTY.has(errnoOf(error) ?? "")) return false
      throw error
    }
    folders.forget(path)
    if (stat !== undefined) this.#removedFolders.push({ path, permissions: stat.permissions })
    this.#touched.add(parentOf(path))
    return true
  }

  async #removeEmptied(from: RepoPath): Promise<void> {
    for (let folder = from; folder !== ROOT; folder = parentOf(folder)) {
      if (!(await this.#isFolder(folder))) continue
      if ((await this.#request.keepsFolder(folder)) || !(await this.#removeIfEmpty(folder))) return
    }
  }

  async #removeAside(aside: Aside): Promise<undefined> {
    await this.#moves.remove(aside)
  }

  async #sync(): Promise<void> {
    const { folders, fileSystem } = this.#request
    for (const path of this.#touched) await folders.within(path, (folder) => fileSystem.syncFolder(folder.address))
  }
}

const NOT_EMPTY: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR"])

/** Permission bits of folders are set when everything is in them. */
function foldersLast(writes: readonly PlannedChange[]): PlannedChange[] {
  const isBits = ({ before, after }: PlannedChange): boolean => before?.mode === "40000" && after?.mode === "40000"
  return [...writes.filter((change) => !isBits(change)), ...writes.filter(isBits).reverse()]
}

function isFile({ after }: PlannedChange): boolean {
  return after?.mode === "100644" || after?.mode === "100755"
}

function conflict(change: PlannedChange): Outcome {
  return { path: change.path, action: "kept", reason: "conflict", ...oids(change) }
}

function oids({ before, after }: PlannedChange): { readonly ours?: string; readonly theirs?: string } {
  return { ...(before && { ours: before.oid }), ...(after && { theirs: after.oid }) }
}

function identity({ device, inode }: FileStat): string {
  return `${device}:${inode}`
}

function foldName(path: string): string {
  return path.normalize("NFC").toLowerCase()
}

/** A link is made under its name at once: that takes no name that something has. */
async function placeLink(fileSystem: FileSystem, blobs: BlobSource, oid: Oid, address: string): Promise<boolean> {
  const text = await contentOf(blobs, oid)
  try {
    await fileSystem.makeLink(text, address)
    return true
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false
    throw error
  }
}

async function contentOf(blobs: BlobSource, oid: Oid): Promise<Uint8Array> {
  const blob = await blobs.stream(oid)
  if (blob === undefined)
    throw new SnapshotError(
      "OBJECT_MISSING",
      `The link text ${oid} is missing from the store. Everything was put back. Restore the other paths by naming them.`,
      { oid },
    )
  const pieces: Uint8Array[] = []
  for await (const piece of blob.chunks) pieces.push(piece)
  return concat(pieces)
}
