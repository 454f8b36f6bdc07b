import type { FileVersion } from "../core/change.js"
import { isInside, type RepoPath } from "../core/path.js"
import type { Manifest } from "../core/manifest.js"
import type { Keep, KeepReason, PlannedChange } from "../core/restore.js"
import type { TreeEntry } from "../core/tree.js"
import type { CapturedTree } from "../core/tree-capture.js"
import type { RestoreSteps } from "../tree/finish-restore.js"
import type { Folders } from "../tree/folders.js"
import { obstacleFinder, type ObstacleFinder } from "../tree/obstacle.js"
import { permissionsAt } from "../tree/permissions.js"
import { entryFinder, type EntryFinder } from "../tree/tree-entry.js"
import { withFolders } from "./carry-out.js"
import type { StoreContext } from "./context.js"
import { readCaptured } from "./side.js"

/** The steps of a plan that can be done, and the paths of the others. */
export interface CheckedSteps extends RestoreSteps {
  readonly kept: readonly Keep[]
}

/**
 * Sorts out the paths that are not what the plan saw: the safety snapshot holds something else of them, or nothing. What
 * is done already is in neither list.
 */
export async function stillAsPlanned(
  store: StoreContext,
  captured: CapturedTree,
  work: RestoreSteps,
): Promise<CheckedSteps> {
  return withFolders(store, async (folders) => {
    const check = new PlanCheck(store, folders, captured, work)
    const passed = async (changes: readonly PlannedChange[]): Promise<PlannedChange[]> => {
      const steps: PlannedChange[] = []
      for (const change of changes) {
        const step = await check.stepOf(change)
        if (step !== undefined) steps.push(step)
      }
      return steps
    }
    return { writes: await passed(work.writes), deletes: await passed(work.deletes), kept: check.kept }
  })
}

class PlanCheck {
  readonly kept: Keep[] = []
  readonly #manifest: Manifest
  readonly #entryNow: EntryFinder
  readonly #leaving: ReadonlyMap<string, PlannedChange>
  readonly #comingFolders: ReadonlySet<string>
  /** Why something is there that the look left out. */
  readonly #left: ObstacleFinder
  /** What is in the way of something new. */
  readonly #way: ObstacleFinder

  constructor(store: StoreContext, folders: Folders, captured: CapturedTree, { writes, deletes }: RestoreSteps) {
    const readTree = readCaptured(store, captured)
    const { fileSystem } = store.platform
    this.#manifest = captured.manifest
    this.#entryNow = entryFinder(readTree, captured.tree)
    this.#leaving = new Map(deletes.map((change) => [change.path, change]))
    this.#comingFolders = new Set(writes.filter(({ after }) => after?.mode === "40000").map(({ path }) => path))
    const request = { fileSystem, folders, now: captured, readTree, keeps: [] }
    this.#left = obstacleFinder({ ...request, deletes: new Map() })
    this.#way = obstacleFinder({ ...request, deletes: this.#leaving })
  }

  /** What is to be done of a step; undefined where that is nothing, or where the path stays. */
  async stepOf(change: PlannedChange): Promise<PlannedChange | undefined> {
    const entry = await this.#entryNow(change.path)
    if (change.after?.mode === "40000") return this.#folderStep(change, entry)
    if (change.before?.mode === "40000" && this.#isFolder(change.path, entry)) return change
    return change.after === undefined ? this.#deleteStep(change, entry) : this.#writeStep(change, change.after, entry)
  }

  async #folderStep(change: PlannedChange, entry: TreeEntry | undefined): Promise<PlannedChange | undefined> {
    const { path, before, after } = change
    const isFolder = this.#isFolder(path, entry)
    if (before?.mode !== "40000") return isFolder ? undefined : this.#newStep(change, entry)
    const bits = isFolder ? permissionsAt(this.#manifest.permissions, path, "40000") : undefined
    if (isFolder && (bits === undefined || bits === after?.permissions)) return undefined
    return isFolder && bits === before.permissions ? change : this.#keep(change, entry)
  }

  async #deleteStep(change: PlannedChange, entry: TreeEntry | undefined): Promise<PlannedChange | undefined> {
    const { path, before } = change
    if (before?.mode !== "40000" && isVersion(entry, before)) return this.#withBitsNow(change)
    // Where a folder was, a file says that the folder is gone.
    if (entry !== undefined && entry.mode !== "40000")
      return before?.mode === "40000" ? undefined : this.#keep(change, entry)
    if (this.#isFolder(path, entry) && this.#comingFolders.has(path)) return undefined
    // What the look left out is not gone.
    const reason = await this.#left.find(path as RepoPath)
    return reason === undefined ? undefined : this.#keep(change, entry, reason)
  }

  async #writeStep(
    change: PlannedChange,
    after: FileVersion,
    entry: TreeEntry | undefined,
  ): Promise<PlannedChange | undefined> {
    const { path, before } = change
    if (isVersion(entry, after)) {
      const bits = permissionsAt(this.#manifest.permissions, path, after.mode)
      if (after.permissions === undefined || bits === undefined || bits === after.permissions) return undefined
      if (isVersion(before, after) && bits === before?.permissions) return change
      const changesBits = before?.mode !== after.mode || before.permissions !== after.permissions
      return changesBits ? this.#keep(change, entry) : undefined
    }
    if (before === undefined) return this.#newStep(change, entry)
    if (isVersion(entry, before)) return this.#withBitsNow(change)
    const reason = entry === undefined ? await this.#left.find(path as RepoPath) : undefined
    return this.#keep(change, entry, reason)
  }

  /** Something that comes where nothing is, or where something leaves. */
  async #newStep(change: PlannedChange, entry: TreeEntry | undefined): Promise<PlannedChange | undefined> {
    if (entry !== undefined && entry.mode !== "40000" && !this.#leaving.has(change.path))
      return this.#keep(change, entry)
    const reason = await this.#way.find(change.path as RepoPath)
    return reason === undefined ? change : this.#keep(change, entry, reason)
  }

  /**
   * The step with the bits that the path has now, which somebody may have changed since: they are what an undo gives back,
   * and they stay where the step changes none.
   */
  #withBitsNow(change: PlannedChange): PlannedChange {
    const { path, before, after } = change
    if (before?.permissions === undefined) return change
    const permissions = permissionsAt(this.#manifest.permissions, path, before.mode)
    if (permissions === undefined || permissions === before.permissions) return change
    const isKept = after?.mode === before.mode && after.permissions === before.permissions
    return {
      ...change,
      before: { ...before, permissions },
      ...(isKept ? { after: { ...after, permissions } } : {}),
    }
  }

  #keep({ path, after }: PlannedChange, entry: TreeEntry | undefined, reason: KeepReason = "conflict"): undefined {
    this.kept.push({
      path,
      reason,
      ...(entry === undefined ? {} : { ours: entry.oid }),
      ...(after === undefined ? {} : { theirs: after.oid }),
    })
  }

  #isFolder(path: string, entry: TreeEntry | undefined): boolean {
    return entry?.mode === "40000" || this.#manifest.emptyFolders.some((folder) => isInside(folder, path))
  }
}

function isVersion(
  one: Pick<FileVersion, "mode" | "oid"> | undefined,
  other: Pick<FileVersion, "mode" | "oid"> | undefined,
): boolean {
  return one !== undefined && one.mode === other?.mode && one.oid === other.oid
}
