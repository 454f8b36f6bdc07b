import type { FileStat, FileSystem } from "../core/file-system.js"
import { joinPath, nameOf, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { Keep, KeepReason, PlannedChange } from "../core/restore.js"
import type { SkipReason } from "../core/skipped.js"
import type { CapturedTree } from "../core/tree-capture.js"
import type { TreeReader } from "./compare-trees.js"
import type { Folders } from "./folders.js"
import { isSameFile, spellings } from "./other-spelling.js"
import { entryFinder } from "./tree-entry.js"

/** Finds what stands in the way of a path that is to be written where nothing was captured. */
export interface ObstacleFinder {
  /** Why the path cannot be written; undefined when nothing is in its way that is not to be deleted. */
  find(path: RepoPath): Promise<KeepReason | undefined>
}

/** What the finder goes by. */
export interface ObstacleRequest {
  readonly fileSystem: FileSystem
  readonly folders: Folders
  readonly now: CapturedTree
  readonly readTree: TreeReader
  /** The planned deletes by path. */
  readonly deletes: ReadonlyMap<string, PlannedChange>
  /** What stays although the target does not have it. */
  readonly keeps: readonly Keep[]
}

export function obstacleFinder(request: ObstacleRequest): ObstacleFinder {
  const { fileSystem, folders, now, deletes } = request
  const entryNow = entryFinder(request.readTree, now.tree)
  const kept = new Map(request.keeps.map(({ path, reason }) => [path, reason]))
  const reasons = new Map(now.manifest.skipped.map(({ path, reason }) => [path, SKIPPED_AS[reason]]))
  const deleted = spellings(deletes.keys())
  const emptyFolders = new Set(now.manifest.emptyFolders)
  const ways = new Map<RepoPath, Blocked>()

  function statOf(path: RepoPath): Promise<FileStat | undefined> {
    return folders.within(parentOf(path), (folder) => fileSystem.lstat(folder.at(nameOf(path))))
  }

  /** Why the look at the work tree left out the path or a folder above it. */
  function skippedAt(path: RepoPath): KeepReason | undefined {
    for (let at: RepoPath = path; at !== ROOT; at = parentOf(at)) if (reasons.has(at)) return reasons.get(at)
    return undefined
  }

  /** Why something that was not captured is there. */
  function reasonFor(path: RepoPath): KeepReason {
    for (let at: RepoPath = path; at !== ROOT; at = parentOf(at)) {
      const reason = kept.get(at) ?? reasons.get(at)
      if (reason !== undefined) return reason
    }
    return "ignored"
  }

  /** What blocks the way through a folder of the path. "clear": nothing is there, so nothing can be further on. */
  async function blockedAbove(folder: RepoPath): Promise<Blocked> {
    const entry = await entryNow(folder)
    if (entry?.mode === "40000") return undefined
    if (entry !== undefined) return deletes.has(folder) ? "clear" : (kept.get(folder) ?? "conflict")
    const stat = await statOf(folder)
    if (stat === undefined) return "clear"
    return stat.kind === "folder" ? undefined : reasonFor(folder)
  }

  /** What blocks the way first, from the top. Each folder is looked at once, however many paths are in it. */
  async function blockedOnWay(folder: RepoPath): Promise<Blocked> {
    const unknown: RepoPath[] = []
    let at = folder
    for (; at !== ROOT && !ways.has(at); at = parentOf(at)) unknown.push(at)
    let blocked = ways.get(at)
    for (const next of unknown.reverse()) {
      blocked ??= await blockedAbove(next)
      ways.set(next, blocked)
    }
    return blocked
  }

  async function blockedAt(path: RepoPath): Promise<KeepReason | undefined> {
    const stat = await statOf(path)
    if (stat === undefined || deletes.has(path)) return undefined
    if (stat.kind === "folder") return firstKept(path)
    return (await isOtherSpelling(path, stat)) ? undefined : reasonFor(path)
  }

  /** What keeps a folder from being cleared: the first thing in it that is not to be deleted. */
  async function firstKept(folder: RepoPath): Promise<KeepReason | undefined> {
    const open: RepoPath[] = [folder]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const path = next
      const skipped = skippedAt(path)
      if (skipped !== undefined) return skipped
      const items = (await folders.within(path, (held) => fileSystem.list(held.address))) ?? []
      if (items.length === 0 && !deletes.has(path)) return emptyFolders.has(path) ? "conflict" : reasonFor(path)
      for (const item of items) {
        const inner = joinPath(path, item.name)
        if (item.kind === "folder") open.push(inner)
        else if (!deletes.has(inner)) return (await entryNow(inner)) ? "conflict" : reasonFor(inner)
      }
    }
    return undefined
  }

  /** On systems that fold names, the file found may be one that is to be deleted, under another spelling. */
  async function isOtherSpelling(path: RepoPath, stat: FileStat): Promise<boolean> {
    for (const other of deleted.others(path)) if (isSameFile(await statOf(other as RepoPath), stat)) return true
    return false
  }

  return {
    async find(path) {
      const skipped = skippedAt(path)
      if (skipped !== undefined) return skipped
      const blocked = await blockedOnWay(parentOf(path))
      if (blocked === "clear") return undefined
      return blocked ?? blockedAt(path)
    },
  }
}

type Blocked = KeepReason | "clear" | undefined

/** Why a path stays that the look at the work tree skipped. */
export const SKIPPED_AS: Readonly<Record<SkipReason, KeepReason>> = {
  "too-large": "was-skipped",
  unreadable: "unreadable",
  "changed-while-reading": "was-skipped",
  "special-file": "special-file",
  "unsafe-name": "was-skipped",
}
