/*
 * The walk over a work tree: which files, links and folders a capture takes, and which it leaves out and why.
 *
 * Folders are listed several at a time, the latest found first, so that few are open at once. A path that vanishes on
 * the way is not there; one that turns into something else is looked at again.
 */
import pLimit from "p-limit"
import {
  decodeName,
  escapePath,
  isInside,
  isUnsafeName,
  joinPath,
  nameOf,
  parentOf,
  ROOT,
  type RepoPath,
} from "../core/path.js"
import { errnoOf, isSnapshotError, SnapshotError } from "../core/errors.js"
import { drain, settleAll } from "../core/settle-all.js"
import type { FileKind, FileSystem, FolderHandle, FolderItem } from "../core/file-system.js"
import type { OnProgress } from "../core/progress.js"
import type { Skipped, SkipReason } from "../core/skipped.js"
import type { Folders } from "./folders.js"
import { UNREADABLE } from "./read-file.js"
import type { IgnoreRules } from "./ignore-rules.js"
import { isRestoreName } from "./restore-name.js"

/** What a scan takes into account. */
export interface ScanScope {
  /** The real path of the work tree. */
  readonly worktree: string
  readonly rules: IgnoreRules
  /** Those of the store's options alone, without any ignore file. */
  readonly ownRules: IgnoreRules
  /** What the user's own repository tracks is taken even where a rule names it. */
  readonly isTracked: (path: RepoPath) => boolean
  readonly hasTrackedInside: (folder: RepoPath) => boolean
  /** With `include`: the only paths to take, and the folders to enter for them. */
  readonly included: IncludedPaths | undefined
  /** The store's own folder inside the work tree, which is left out. */
  readonly gitdir: RepoPath | undefined
}

/** The paths that `include` names. */
export interface IncludedPaths {
  readonly files: ReadonlySet<string>
  readonly folders: ReadonlySet<string>
}

/** What takes the files that a scan finds. */
export interface ScanVisitor {
  /** A plain file or link. "absent": it is gone or turned into something else. A reason: it is left out. */
  visitFile(folder: FolderHandle, path: RepoPath, kind: "file" | "link"): Promise<"taken" | "absent" | SkipReason>
  /** The text of an ignore file; "absent" or a reason as for files. */
  readIgnoreFile(folder: FolderHandle, path: RepoPath): Promise<Uint8Array | "absent" | SkipReason>
  /** A folder that was listed, before anything in it. `isEmpty`: it holds nothing at all. */
  visitFolder(folder: FolderHandle, path: RepoPath, isEmpty: boolean): Promise<void>
  /** The folder turned out to be somewhere else, or could not be read to its end: nothing of it counts. */
  dropFolder(path: RepoPath): void
}

/** What a scan found out beside what it visited. */
export interface ScanResult {
  readonly skipped: readonly Skipped[]
  /** Ignore files that counted, by folder, parents first. */
  readonly ignoreFiles: ReadonlyMap<RepoPath, Uint8Array>
}

export const IGNORE_FILE = ".gitignore"

/** Walks the work tree and lets `visitor` take what counts. */
export async function scan(
  fileSystem: FileSystem,
  folders: Folders,
  scope: ScanScope,
  visitor: ScanVisitor,
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: OnProgress | undefined },
): Promise<ScanResult> {
  const skipped: Skipped[] = []
  const ignoreFiles = new Map<RepoPath, Uint8Array>()
  /** Folders of which nothing counts. */
  const dropped: RepoPath[] = []
  /** Ignore files that could not be read. */
  const unread = new Set<RepoPath>()
  const stack: PendingFolder[] = [{ path: ROOT, rules: scope.rules }]
  const files = pLimit(FILE_CONCURRENCY)
  let done = 0

  const skip = (path: string, reason: SkipReason): void => {
    skipped.push({ path, reason })
  }

  async function enterFolder({ path, rules }: PendingFolder): Promise<void> {
    options.signal?.throwIfAborted()
    if (dropped.some((folder) => isInside(path, folder))) return
    try {
      const entered = await folders.within(path, async (handle) => {
        const items = await fileSystem.list(handle.address)
        if (items === undefined) return false
        await visitor.visitFolder(handle, path, items.length === 0)
        const inner = await rulesInside(handle, path, items, rules)
        await settleAll(items.map((item) => visitItem(handle, joinPath(path, item.name), item.kind, inner)))
        return true
      })
      if (entered !== true) await revisit(path, rules)
    } catch (error) {
      if (path === ROOT) throw error
      const isElsewhere = isSnapshotError(error, "PATH_UNSAFE")
      if (!isElsewhere && !UNREADABLE.has(errnoOf(error) ?? "")) throw error
      dropped.push(path)
      visitor.dropFolder(path)
      skip(path, isElsewhere ? "changed-while-reading" : "unreadable")
    }
  }

  async function rulesInside(
    handle: FolderHandle,
    folder: RepoPath,
    items: readonly FolderItem[],
    rules: IgnoreRules,
  ): Promise<IgnoreRules> {
    if (!items.some((item) => item.name === IGNORE_FILE && item.kind === "file")) return rules
    const text = await visitor.readIgnoreFile(handle, joinPath(folder, IGNORE_FILE))
    if (text === "absent") return rules
    if (typeof text === "string") {
      const path = joinPath(folder, IGNORE_FILE)
      // Reported at once: its turn as a file may go well, and its rules would be missing all the same.
      skip(path, text)
      unread.add(path)
      return rules
    }
    ignoreFiles.set(folder, text)
    return rules.enter(folder, decodeName(text))
  }

  async function visitItem(
    handle: FolderHandle,
    path: RepoPath,
    kind: FileKind,
    rules: IgnoreRules,
    attempt = 0,
  ): Promise<void> {
    options.signal?.throwIfAborted()
    const name = nameOf(path)
    if (name === ".git" || path === scope.gitdir || unread.has(path)) return
    if (isRestoreName(name)) return skip(path, "unsafe-name")
    if (isUnsafeName(name)) return skip(escapePath(path), "unsafe-name")
    if (isLeftOut(path, kind, rules)) return
    if (kind === "folder") return void stack.push({ path, rules: rulesFor(path, rules) })
    if (kind === "special") return skip(path, "special-file")
    const outcome = await files(() => visitor.visitFile(handle, path, kind))
    if (outcome === "absent" && attempt < REVISITS) return revisitIn(handle, path, rules, attempt)
    if (outcome === "absent") return skip(path, "changed-while-reading")
    if (outcome !== "taken") return skip(path, outcome)
    options.onProgress?.({ phase: "scan", done: ++done })
  }

  /** A repository inside that is tracked although a rule names it is taken as its own rules say. */
  function rulesFor(folder: RepoPath, rules: IgnoreRules): IgnoreRules {
    return scope.isTracked(folder) && rules.ignores(folder, "folder") ? scope.ownRules : rules
  }

  function isLeftOut(path: RepoPath, kind: FileKind, rules: IgnoreRules): boolean {
    const isFolder = kind === "folder"
    if (scope.included !== undefined && !(isFolder ? scope.included.folders : scope.included.files).has(path))
      return true
    if (!rules.ignores(path, isFolder ? "folder" : "file")) return false
    return !(isFolder ? scope.isTracked(path) || scope.hasTrackedInside(path) : scope.isTracked(path))
  }

  /** A folder that is none any more. */
  async function revisit(path: RepoPath, rules: IgnoreRules): Promise<void> {
    if (path === ROOT)
      throw new SnapshotError("WORKTREE_MISSING", "The work tree is gone. Put it back, or open another folder.", {
        path: scope.worktree,
      })
    await folders.within(parentOf(path), (parent) => revisitIn(parent, path, rules, 0))
  }

  async function revisitIn(handle: FolderHandle, path: RepoPath, rules: IgnoreRules, attempt: number): Promise<void> {
    const stat = await fileSystem.lstat(handle.at(nameOf(path)))
    if (stat === undefined) return
    await visitItem(handle, path, stat.kind, rules, attempt + 1)
  }

  await drain(stack, FOLDER_CONCURRENCY, enterFolder)
  return { skipped, ignoreFiles }
}

interface PendingFolder {
  readonly path: RepoPath
  readonly rules: IgnoreRules
}

const FOLDER_CONCURRENCY = 16

const FILE_CONCURRENCY = 128

/** How often a path that turns into something else is looked at again. */
const REVISITS = 4
