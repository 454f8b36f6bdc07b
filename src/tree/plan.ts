/*
 * What a restore would do: the differences between the work tree now and the target, less everything that there is no
 * evidence for. A path is deleted only when the target's rules would have captured it had it been there; a path is
 * written only where nothing stands that the look at the work tree did not capture.
 */
import type { FileVersion } from "../core/change.js"
import type { FileSystem } from "../core/file-system.js"
import type { Manifest } from "../core/manifest.js"
import type { ObjectReader } from "../core/object.js"
import { EMPTY_TREE, type Oid } from "../core/oid.js"
import { comparePaths, isInside, type RepoPath } from "../core/path.js"
import type { Keep, KeepReason, PlannedChange } from "../core/restore.js"
import type { CapturedTree } from "../core/tree-capture.js"
import { compareTrees, type TreeReader } from "./compare-trees.js"
import type { Folders } from "./folders.js"
import { obstacleFinder, SKIPPED_AS } from "./obstacle.js"
import type { PathFilter } from "./path-filter.js"
import { changedPermissions, KEPT_PERMISSIONS, permissionsAt } from "./permissions.js"
import { rulesThen, type RulesThen } from "./rules-then.js"
import { IGNORE_FILE } from "./scan.js"
import { entryFinder } from "./tree-entry.js"

/** What a plan is made from. */
export interface PlanRequest {
  readonly fileSystem: FileSystem
  readonly folders: Folders
  /** The work tree as it is. */
  readonly now: CapturedTree
  /** What is to become the target; the work tree as it is, unless only what changed since is to be taken back. */
  readonly from?: Pick<CapturedTree, "tree" | "manifest">
  readonly target: Oid
  /** What the target left out; undefined when that is not known: then nothing is deleted. */
  readonly then: Manifest | undefined
  readonly reader: ObjectReader
  /** Reads the trees of both sides. */
  readonly readTree: TreeReader
  readonly filter: PathFilter
  readonly added: "remove" | "keep"
  /** Throws for a path that nothing may be written to. */
  readonly checkPath: (path: string) => void
}

/** The writes, deletes and keeps of a plan, each sorted by path. */
export interface PlannedWork {
  readonly writes: readonly PlannedChange[]
  readonly deletes: readonly PlannedChange[]
  readonly keeps: readonly Keep[]
}

/** Makes a plan; touches nothing. */
export async function makePlan(request: PlanRequest): Promise<PlannedWork> {
  const { target, then, reader, readTree, filter } = request
  const rules = then === undefined ? undefined : rulesThen(reader, target, then)
  const files = (await compareTrees(readTree, fromOf(request).tree, target, filter)).map(({ path, before, after }) =>
    withPermissions(request, path, before, after),
  )
  const gitlinks = files.filter(({ after }) => after?.mode === "160000")
  const gone = [...files.filter(({ after }) => after === undefined), ...(await goneFolders(request))]
  const wanted = [
    ...files.filter(({ after }) => after !== undefined && after.mode !== "160000"),
    ...(await newFolders(request)),
    ...(await permissionChanges(request)),
  ]

  const keeps: Keep[] = []
  const deletes = new Map<string, PlannedChange>()
  for (const change of gone) {
    // A gitlink of a tree from elsewhere says nothing of what is in its folder.
    const isLinked = gitlinks.some(({ path }) => isInside(change.path, path))
    const reason = isLinked ? "was-skipped" : await reasonToKeep(request, rules, change)
    if (reason === undefined) deletes.set(change.path, change)
    else keeps.push({ path: change.path, reason, ...(change.before && { ours: change.before.oid }) })
  }
  const writes: PlannedChange[] = []
  const obstacles = obstacleFinder({ ...request, deletes, keeps })
  for (const change of wanted) {
    request.checkPath(change.path)
    const reason = change.before === undefined ? await obstacles.find(change.path as RepoPath) : undefined
    if (reason === undefined) writes.push(change)
    else keeps.push({ path: change.path, reason, ...(change.after && { theirs: change.after.oid }) })
  }
  keeps.push(...unseen(request, keeps))
  return { writes: inOrder(writes), deletes: inOrder([...deletes.values()]), keeps: inOrder(keeps) }
}

/** What could not be read just now and was not left out then: nobody can say whether it is as it was, or is to go. */
function unseen({ from, now, then, filter, added }: PlanRequest, told: readonly Keep[]): Keep[] {
  if (from !== undefined || added === "keep") return []
  const leftOut = new Set(then?.skipped.map(({ path }) => path))
  const unread = now.manifest.skipped.filter(({ path, reason }) => {
    const isUnread = reason === "unreadable" || reason === "changed-while-reading"
    return isUnread && !leftOut.has(path) && filter(path as RepoPath) && !told.some((keep) => isInside(keep.path, path))
  })
  return unread.map(({ path, reason }) => ({ path, reason: SKIPPED_AS[reason] }))
}

function fromOf({ from, now }: PlanRequest): Pick<CapturedTree, "tree" | "manifest"> {
  return from ?? now
}

/** Why a path that the target does not have stays; undefined when there is evidence enough to delete it. */
async function reasonToKeep(
  request: PlanRequest,
  rules: RulesThen | undefined,
  change: PlannedChange,
): Promise<KeepReason | undefined> {
  const path = change.path as RepoPath
  if (request.added === "keep" || rules === undefined) return "added"
  if (rulesUnreadable(request.now.manifest, path)) return "was-ignored"
  return rules.leftOut(path, change.before?.mode === "40000" ? "folder" : "file")
}

/** Whether an ignore file on the way to `path` could not be read: it may name the path. */
function rulesUnreadable(manifest: Manifest, path: RepoPath): boolean {
  if (manifest.rulesUnread.length > 0) return true
  return manifest.skipped.some(({ path: skipped }) => {
    if (skipped === IGNORE_FILE) return true
    if (!skipped.endsWith(`/${IGNORE_FILE}`)) return false
    return isInside(path, skipped.slice(0, -IGNORE_FILE.length - 1))
  })
}

/** Empty folders of now that are none in the target. */
async function goneFolders(request: PlanRequest): Promise<PlannedChange[]> {
  const { target, then, filter, readTree } = request
  const gone: PlannedChange[] = []
  const entryThen = entryFinder(readTree, target)
  for (const path of fromOf(request).manifest.emptyFolders) {
    if (then === undefined || !filter(path) || then.emptyFolders.some((folder) => isInside(folder, path))) continue
    if ((await entryThen(path))?.mode === "40000") continue
    gone.push({ path, before: { mode: "40000", oid: EMPTY_TREE } })
  }
  return gone
}

/** Empty folders of the target that are no folders now. */
async function newFolders(request: PlanRequest): Promise<PlannedChange[]> {
  const { then, filter, readTree, fileSystem } = request
  const from = fromOf(request)
  const wanted: PlannedChange[] = []
  const entryNow = entryFinder(readTree, from.tree)
  for (const path of then?.emptyFolders ?? []) {
    if (!filter(path) || from.manifest.emptyFolders.some((folder) => isInside(folder, path))) continue
    if ((await entryNow(path))?.mode === "40000") continue
    const permissions =
      fileSystem.traits.executableBit && then ? permissionsAt(then.permissions, path, "40000") : undefined
    wanted.push({
      path,
      after: { mode: "40000", oid: EMPTY_TREE, ...(permissions === undefined ? {} : { permissions }) },
    })
  }
  return wanted
}

/** Files and folders that are the same on both sides but for their permission bits. */
async function permissionChanges(request: PlanRequest): Promise<PlannedChange[]> {
  const { target, then, filter, readTree, fileSystem } = request
  const from = fromOf(request)
  if (then === undefined || !fileSystem.traits.executableBit) return []
  const changes: PlannedChange[] = []
  const entryThen = entryFinder(readTree, target)
  const entryNow = entryFinder(readTree, from.tree)
  for (const path of await changedPermissions(readTree, target, from.manifest, then)) {
    if (!filter(path)) continue
    const after = (await entryThen(path)) ?? emptyFolderAt(then, path)
    const known = (await entryNow(path)) ?? emptyFolderAt(from.manifest, path)
    const before = known ?? (after?.mode === "40000" ? await standingFolder(request, path as RepoPath) : undefined)
    const isSame = before?.mode === after?.mode && (before?.oid === after?.oid || after?.mode === "40000")
    if (before === undefined || after === undefined || !isSame) continue
    const planned = withPermissions(request, path, before, after)
    // What nothing was captured of has its bits from the look at it just now.
    const change: PlannedChange = known === undefined ? { ...planned, before } : planned
    if (change.before?.permissions !== change.after?.permissions) changes.push(change)
  }
  return changes
}

/** A folder that stands although nothing in it was captured. */
async function standingFolder({ folders, now }: PlanRequest, path: RepoPath): Promise<FileVersion | undefined> {
  // Nothing is known of what could not be read, and nothing is done about it.
  if (now.manifest.skipped.some(({ path: skipped }) => isInside(path, skipped))) return undefined
  return folders.within(path, async (folder) => {
    const permissions = (await folder.stat()).permissions & KEPT_PERMISSIONS
    return { mode: "40000", oid: EMPTY_TREE, permissions } satisfies FileVersion
  })
}

/** A folder that holds nothing but empty folders, or is one itself. */
function emptyFolderAt(manifest: Manifest, path: string): FileVersion | undefined {
  const isThere = manifest.emptyFolders.some((folder) => isInside(folder, path))
  return isThere ? { mode: "40000", oid: EMPTY_TREE } : undefined
}

function withPermissions(
  request: PlanRequest,
  path: string,
  before: FileVersion | undefined,
  after: FileVersion | undefined,
): PlannedChange {
  const { then, fileSystem } = request
  const withBits = (version: FileVersion, manifest: Manifest | undefined): FileVersion => {
    const { mode, oid } = version
    const bits = manifest === undefined ? undefined : permissionsAt(manifest.permissions, path, mode)
    return bits === undefined || !fileSystem.traits.executableBit ? { mode, oid } : { mode, oid, permissions: bits }
  }
  return {
    path,
    ...(before && { before: withBits(before, fromOf(request).manifest) }),
    ...(after && { after: withBits(after, then) }),
  }
}

function inOrder<Item extends { readonly path: string }>(items: readonly Item[]): Item[] {
  return items.toSorted((a, b) => comparePaths(a.path, b.path))
}
