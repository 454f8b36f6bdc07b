/*
 * Makes a work tree what a plan says.
 *
 *   stage    every new content is written beside where it goes, and synced: a full disk shows before anything is touched
 *   write    old files are moved aside, checked there, and the new ones take their names; folders come and go with them
 *   delete   only when every write succeeded: moved aside, checked there
 *   sync     the folders
 *   settle   what was moved aside is removed, then emptied folders
 *
 * Every step notes what takes it back. A path that is not exactly what the plan saw is put back and reported as a
 * conflict, one whose step fails as failed. An abort, a full disk, or a failure that is not a path's own takes
 * everything back.
 */
import type { FileVersion } from "../core/change.js"
import { errnoOf, isSnapshotError } from "../core/errors.js"
import type { FileBatches } from "../core/file-batches.js"
import type { FileStat } from "../core/file-system.js"
import { comparePaths, isInside, joinPath, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { OnProgress } from "../core/progress.js"
import type { Outcome, PlannedChange } from "../core/restore.js"
import { leftAside } from "./aside.js"
import { removeEmptied } from "./emptied-folders.js"
import { isSameFile, spellings, type Spellings } from "./other-spelling.js"
import { conflict, deleted, failed, written } from "./outcomes.js"
import { stageFiles, unstage, type StageRequest, type StagedFiles } from "./stage.js"
import { swapFiles, type TriedSwap } from "./swap-files.js"
import { WorktreeEdits, type EditRequest } from "./worktree-edits.js"
import { foldersLast } from "./write-order.js"

/** What a restore works with. */
export interface RestoreRequest extends EditRequest {
  /** For many files at once. */
  readonly batches?: FileBatches | undefined
  /** Sync what is written. */
  readonly durable: boolean
  /** Whether the target has this folder, so that it stays when it is emptied. */
  readonly keepsFolder: (path: RepoPath) => Promise<boolean>
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * Carries out the writes and deletes; gives what became of each path. When it throws, nothing is changed. `emptied` are
 * folders that may be empty by now beside those of the deletes.
 */
export async function restoreFiles(
  request: RestoreRequest,
  writes: readonly PlannedChange[],
  deletes: readonly PlannedChange[],
  emptied: readonly RepoPath[] = [],
): Promise<Outcome[]> {
  const run = new RestoreRun(request, writes, deletes)
  await run.stage()
  try {
    await run.write()
    await run.delete()
    await run.sync()
  } catch (error) {
    await run.takeBack()
    throw error
  }
  await run.settle(emptied)
  return run.outcomes()
}

class RestoreRun {
  readonly #request: RestoreRequest
  readonly #edits: WorktreeEdits
  readonly #stageRequest: StageRequest
  readonly #writes: readonly PlannedChange[]
  readonly #deletes: Map<string, PlannedChange>
  readonly #outcomes = new Map<string, Outcome>()
  /** Device and inode of what was written: a delete under another spelling of the same name must not take it away. */
  readonly #written = new Set<string>()
  #staged: StagedFiles = { staged: new Map(), failed: new Map() }
  /** Swaps that may be half done, by path. */
  readonly #unsettled = new Map<string, TriedSwap>()
  #writeFailed = false
  readonly #deleted: Spellings

  constructor(request: RestoreRequest, writes: readonly PlannedChange[], deletes: readonly PlannedChange[]) {
    this.#request = request
    this.#writes = foldersLast(writes)
    this.#edits = new WorktreeEdits(request)
    this.#deletes = new Map(deletes.map((change) => [change.path, change]))
    this.#deleted = spellings(this.#deletes.keys())
    let done = 0
    const total = writes.filter(isFile).length
    const onStaged = (): void => request.onProgress?.({ phase: "stage", done: ++done, total })
    const { fileSystem, folders, blobs, names, batches, durable, signal } = request
    this.#stageRequest = { fileSystem, folders, blobs, names, batches, durable, signal, onStaged }
  }

  async stage(): Promise<void> {
    this.#staged = await stageFiles(this.#stageRequest, this.#writes.filter(isFile))
  }

  async write(): Promise<void> {
    let done = 0
    const onWritten = (): void =>
      this.#request.onProgress?.({ phase: "write", done: ++done, total: this.#writes.length })
    await this.#swapTogether(onWritten)
    for (const change of this.#writes) {
      if (this.#outcomes.has(change.path)) continue
      this.#request.signal?.throwIfAborted()
      await this.#attempt(change, async () => (await this.#settled(change)) ?? this.#writePath(change))
      onWritten()
    }
    for (const [path, permissions] of this.#edits.closedFolders)
      await this.#attempt({ path }, async () => void (await this.#edits.chmod(path, permissions)))
  }

  async delete(): Promise<void> {
    // What was to make way for something stays when that something could not come.
    const unwritten = this.#writes.map(({ path }) => path).filter((path) => this.#outcomes.get(path)?.action === "kept")
    // Folders come after what is in them.
    const inner = [...this.#deletes.values()].toSorted((a, b) => comparePaths(b.path, a.path))
    for (const [at, change] of inner.entries()) {
      if (this.#outcomes.has(change.path)) continue
      this.#request.signal?.throwIfAborted()
      if (this.#writeFailed) this.#outcomes.set(change.path, { ...conflict(change), reason: "write-failed" })
      else if (unwritten.some((path) => isInside(change.path, path) || isInside(path, change.path)))
        this.#outcomes.set(change.path, conflict(change))
      else await this.#attempt(change, () => this.#deletePath(change))
      this.#request.onProgress?.({ phase: "delete", done: at + 1, total: inner.length })
    }
  }

  /** Everything has its place, and what it replaces is still there: the last moment for a failure that takes all back. */
  async sync(): Promise<void> {
    if (this.#request.durable) await this.#edits.sync()
  }

  /** Puts back everything that was moved, and takes away everything that was put in place. */
  async takeBack(): Promise<void> {
    await this.#settleAgain()
    await this.#edits.undoFrom(0)
    await unstage(this.#stageRequest, [...this.#staged.staged.values()])
  }

  /** Removes what is not needed any more. Nothing can be taken back from here on, so nothing throws. */
  async settle(emptied: readonly RepoPath[]): Promise<void> {
    await this.#settleAgain()
    await this.#edits.removeAsides()
    await unstage(this.#stageRequest, [...this.#staged.staged.values()])
    const parents = new Set([...emptied, ...[...this.#deletes.keys()].map((path) => parentOf(path as RepoPath))])
    for (const [path, reason] of await removeEmptied(this.#edits, this.#request.keepsFolder, parents))
      if (!this.#outcomes.has(path)) this.#outcomes.set(path, { path, action: "failed", reason })
  }

  outcomes(): Outcome[] {
    return [...this.#outcomes.values()].sort((a, b) => comparePaths(a.path, b.path))
  }

  /**
   * Runs a step for one path. When it fails or meets a conflict, all that it did is undone. Failures that are the path's
   * own become its outcome; others are thrown.
   */
  async #attempt(change: PlannedChange, step: () => Promise<Outcome | undefined>): Promise<void> {
    const first = this.#edits.count
    try {
      const outcome = await step()
      if (outcome?.action === "kept") await this.#edits.undoFrom(first)
      if (outcome !== undefined) this.#outcomes.set(change.path, outcome)
    } catch (error) {
      await this.#edits.undoFrom(first)
      const errno = errnoOf(error)
      if (errno === undefined || isSnapshotError(error, "NO_SPACE")) throw error
      this.#fail(change, errno, leftAside(error))
    }
  }

  #fail(change: PlannedChange, errno: string, aside?: string): void {
    if (change.after !== undefined) this.#writeFailed = true
    this.#outcomes.set(change.path, failed(change, errno, aside))
  }

  /** Plain files that are staged are swapped together; what does not go through at once comes one by one. */
  async #swapTogether(onWritten: () => void): Promise<void> {
    const { batches, folders, names, signal } = this.#request
    if (batches === undefined) return
    const onSwapped = (tried: TriedSwap): void => {
      const { change, aside, swapped } = tried
      if (swapped === "unsettled") return void this.#unsettled.set(change.path, tried)
      this.#edits.noteSwap(change.path as RepoPath, change.after as FileVersion, aside)
      if (swapped === "placed") this.#staged.staged.delete(change.path)
      this.#outcomes.set(change.path, written(change))
      onWritten()
    }
    await swapFiles({ batches, folders, names, signal, onSwapped }, this.#writes, this.#staged.staged)
    if (this.#deletes.size > 0) for (const path of this.#outcomes.keys()) await this.#noteWritten(path as RepoPath)
  }

  /** What became of a swap that may be half done: written, or undefined when everything is as it was before. */
  async #settled(change: PlannedChange): Promise<Outcome | undefined> {
    const tried = this.#unsettled.get(change.path)
    const staged = this.#staged.staged.get(change.path)
    if (tried === undefined || staged === undefined) return undefined
    const path = change.path as RepoPath
    const isPlaced = await this.#edits.settleSwap(path, change.after as FileVersion, staged, tried.aside)
    this.#unsettled.delete(path)
    if (!isPlaced) return undefined
    await this.#noteWritten(path)
    return written(change)
  }

  /** What failed for a moment is tried once more. */
  async #settleAgain(): Promise<void> {
    for (const { change } of [...this.#unsettled.values()]) {
      const outcome = await this.#settled(change).catch(() => undefined)
      if (outcome !== undefined) this.#outcomes.set(change.path, outcome)
    }
  }

  async #writePath(change: PlannedChange): Promise<Outcome | undefined> {
    const path = change.path as RepoPath
    const after = change.after as FileVersion
    const unstaged = this.#staged.failed.get(path)
    if (unstaged !== undefined) return void this.#fail(change, unstaged)
    if (after.mode === "40000") return this.#writeFolder(change, path, after)
    if (!(await this.#ensureFolder(parentOf(path)))) return conflict(change)
    const free =
      change.before === undefined ? await this.#clear(path) : await this.#edits.moveAside(path, change.before)
    if (!free || !((await this.#place(path, after)) || (await this.#placeOverOtherSpelling(path, after))))
      return conflict(change)
    await this.#noteWritten(path)
    return written(change)
  }

  async #writeFolder(change: PlannedChange, path: RepoPath, after: FileVersion): Promise<Outcome> {
    const { permissions } = after
    const isWritten =
      change.before?.mode === "40000" && permissions !== undefined
        ? await this.#edits.chmod(path, permissions)
        : await this.#ensureFolder(path)
    return isWritten ? written(change) : conflict(change)
  }

  /** Makes the folder and those above it, where a file has to go for it too; false when something else is in the way. */
  async #ensureFolder(path: RepoPath): Promise<boolean> {
    if (path === ROOT || (await this.#edits.isFolder(path))) return true
    let isMissing = false
    for (const folder of wayTo(path)) {
      if (!isMissing && (await this.#edits.isFolder(folder))) continue
      // Below what is missing nothing is there.
      isMissing = true
      const file = this.#deletes.get(folder)
      if (file?.before !== undefined && !this.#outcomes.has(folder)) {
        if (!(await this.#edits.moveAside(folder, file.before))) return false
        this.#noteDeleted(file)
      }
      if (!(await this.#edits.makeFolder(folder))) return false
    }
    return true
  }

  /** Makes way for a new file: a folder in its place goes when all that is in it is to be deleted. */
  async #clear(path: RepoPath): Promise<boolean> {
    if (!(await this.#edits.isFolder(path))) return true
    for (const change of this.#deletes.values()) {
      if (!isInside(change.path, path) || change.before?.mode === "40000" || this.#outcomes.has(change.path)) continue
      // Moved out of the folder, which has to be empty to go.
      const gone = await this.#edits.moveAside(change.path as RepoPath, change.before as FileVersion, parentOf(path))
      if (!gone) return false
      this.#noteDeleted(change)
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
    if (!(await this.#edits.removeIfEmpty(path))) return false
    if (planned !== undefined) this.#noteDeleted(planned)
    return true
  }

  async #deletePath(change: PlannedChange): Promise<Outcome | undefined> {
    const path = change.path as RepoPath
    const before = change.before as FileVersion
    if (before.mode === "40000") {
      if ((await this.#edits.isFolder(path)) && !(await this.#edits.removeIfEmpty(path))) return conflict(change)
    } else {
      const stat = await this.#edits.statOf(path)
      if (stat !== undefined && this.#written.has(identity(stat))) return undefined
      if (!(await this.#edits.moveAside(path, before))) return conflict(change)
    }
    return deleted(change)
  }

  /** A delete that was carried out on the way to a write. */
  #noteDeleted(change: PlannedChange): void {
    this.#outcomes.set(change.path, deleted(change))
    this.#edits.note(async () => this.#outcomes.delete(change.path))
  }

  /** Gives the staged file or the link its name; false when something has the name. */
  async #place(path: RepoPath, after: FileVersion): Promise<boolean> {
    const placed = await this.#edits.place(path, after, this.#staged.staged.get(path))
    if (placed === "moved") this.#staged.staged.delete(path)
    return placed !== "taken"
  }

  /** On systems that fold names, a file that is to be deleted may have the name under another spelling. */
  async #placeOverOtherSpelling(path: RepoPath, after: FileVersion): Promise<boolean> {
    const found = await this.#edits.statOf(path)
    for (const other of this.#deleted.others(path)) {
      const before = this.#deletes.get(other)?.before
      if (before === undefined || !isSameFile(await this.#edits.statOf(other as RepoPath), found)) continue
      if (await this.#edits.moveAside(other as RepoPath, before)) return this.#place(path, after)
    }
    return false
  }

  async #noteWritten(path: RepoPath): Promise<void> {
    const stat = this.#deletes.size === 0 ? undefined : await this.#edits.statOf(path)
    if (stat !== undefined) this.#written.add(identity(stat))
  }
}

/** The folders from the top down to `path`. */
function wayTo(path: RepoPath): RepoPath[] {
  const way: RepoPath[] = []
  for (let at = path; at !== ROOT; at = parentOf(at)) way.push(at)
  return way.reverse()
}

function isFile({ after }: PlannedChange): boolean {
  return after?.mode === "100644" || after?.mode === "100755"
}

function identity({ device, inode }: FileStat): string {
  return `${device}:${inode}`
}
