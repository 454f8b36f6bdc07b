/*
 * The walk over a work tree: which files, links and folders a capture takes, and which it leaves out and why.
 *
 * Folders are listed several at a time, the latest found first, so that few are open at once. A path that vanishes on
 * the way is not there; one that turns into something else is looked at again.
 */
import pLimit from "p-limit"
import { budget } from "../core/budget.js"
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
import type { Oid } from "../core/oid.js"
import { UNREADABLE, type FileKind, type FileSystem, type FolderHandle, type FolderItem } from "../core/file-system.js"
import type { OnProgress } from "../core/progress.js"
import type { Skipped, SkipReason } from "../core/skipped.js"
import { pauses } from "../core/turns.js"
import type { Folders } from "./folders.js"
import type { IgnoreRules } from "./ignore-rules.js"
import type { KnownFolder } from "./known-tree.js"
import { isRestoreName } from "./restore-name.js"
import type { IgnoreFile, ScanScope, ScanVisitor } from "./scan-visitor.js"

/** What a scan found out beside what it visited. */
export interface ScanResult {
  readonly skipped: readonly Skipped[]
  /** Ignore files that counted, by folder, parents first. */
  readonly ignoreFiles: ReadonlyMap<RepoPath, IgnoreFile>
}

export const IGNORE_FILE = ".gitignore"

/** How to scan. */
export interface ScanOptions {
  /** The root as it was known. */
  readonly known: KnownFolder | undefined
  /** The rules from outside the work tree are those of then. */
  readonly isSameRules: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Walks the work tree and lets `visitor` take what counts. */
export async function scan(
  fileSystem: FileSystem,
  folders: Folders,
  scope: ScanScope,
  visitor: ScanVisitor,
  options: ScanOptions,
): Promise<ScanResult> {
  const skipped: Skipped[] = []
  const ignoreFiles = new Map<RepoPath, IgnoreFile>()
  /** Folders of which nothing counts. */
  const dropped: RepoPath[] = []
  /** Ignore files that could not be read. */
  const unread = new Set<RepoPath>()
  const stack: PendingFolder[] = [
    { path: ROOT, rules: scope.rules, known: options.known, isSameRules: options.isSameRules },
  ]
  const files = pLimit(FILE_CONCURRENCY)
  const together = budget(FILES_TOGETHER)
  const pause = pauses()
  let done = 0

  const skip = (path: RepoPath, reason: SkipReason, shown: string = path): true => {
    skipped.push({ path: shown, reason })
    visitor.leaveOut(path, reason)
    return true
  }

  async function enterFolder(folder: PendingFolder): Promise<void> {
    const { path } = folder
    options.signal?.throwIfAborted()
    if (dropped.some((folder) => isInside(path, folder))) return
    try {
      const entered = (await enterByList(folder)) ?? (await enterByListing(folder))
      if (entered !== true) await revisit(folder)
    } catch (error) {
      if (path === ROOT) throw error
      const isElsewhere = isSnapshotError(error, "PATH_UNSAFE")
      if (!isElsewhere && !UNREADABLE.has(errnoOf(error) ?? "")) throw error
      dropped.push(path)
      visitor.dropFolder(path)
      skip(path, isElsewhere ? "changed-while-reading" : "unreadable")
    }
  }

  /** Whether there is a folder to list. */
  async function enterByListing({ path, rules, known, isSameRules }: PendingFolder): Promise<boolean> {
    const entered = await folders.within(path, async (handle) => {
      // A name that comes while the folder is listed must not make it look as it is known.
      const before = await visitor.look(handle)
      const items = await fileSystem.list(handle.address)
      if (items === undefined) return false
      visitor.visitFolder(path, before, items.length === 0)
      const hasIgnoreFile = items.some((item) => item.name === IGNORE_FILE && item.kind === "file")
      const inside = hasIgnoreFile ? await rulesInside(handle, path, rules) : { rules, oid: undefined }
      await visitItems(handle, path, items, {
        known,
        rules: inside.rules,
        isSameRules: isSameRules && known?.isSameFile(IGNORE_FILE, hasIgnoreFile, inside.oid) === true,
      })
      return true
    })
    return entered === true
  }

  /** The same by the names that are known, which saves listing it; undefined when it has to be listed. */
  async function enterByList({ path, rules, known, isSameRules }: PendingFolder): Promise<boolean | undefined> {
    const items = isSameRules ? known?.sameItems : undefined
    // What an ignore file says is needed for the folders below.
    const isListed = items?.some(({ name, kind }) => kind === "left-out" || name === IGNORE_FILE) !== false
    if (known === undefined || isListed) return undefined
    const changed = items.filter(({ kind, isSame }) => kind !== "folder" && !isSame)
    const same = items.filter(({ kind, isSame }) => kind !== "folder" && isSame).length
    if (!visitor.takeKnownList(path, known, new Set(changed.map(({ name }) => name)), same)) return undefined
    const inside = { rules, known: undefined, isSameRules }
    const visit = async (handle: FolderHandle): Promise<true> => {
      const pathsOf = (kind: "file" | "link"): RepoPath[] =>
        changed.filter((item) => item.kind === kind).map(({ name }) => joinPath(path, name))
      await visitPaths(handle, pathsOf("file"), pathsOf("link"), inside)
      return true
    }
    if (changed.length > 0 && (await folders.within(path, visit)) !== true) {
      visitor.dropFolder(path)
      return false
    }
    const doneBefore = done
    done += same
    tellSince(doneBefore)
    for (const { name, folder } of items) if (folder !== undefined) enter(joinPath(path, name), folder, inside)
    return true
  }

  /** The rules in a folder with an ignore file, and the oid of the file's text where that could be read. */
  async function rulesInside(
    handle: FolderHandle,
    folder: RepoPath,
    rules: IgnoreRules,
  ): Promise<{ readonly rules: IgnoreRules; readonly oid: Oid | undefined }> {
    const found = await visitor.readIgnoreFile(handle, joinPath(folder, IGNORE_FILE))
    if (found === "absent") return { rules, oid: undefined }
    if (typeof found === "string") {
      const path = joinPath(folder, IGNORE_FILE)
      // Reported at once: its turn as a file may go well, and its rules would be missing all the same.
      skip(path, found)
      unread.add(path)
      return { rules, oid: undefined }
    }
    ignoreFiles.set(folder, found)
    return { rules: rules.enter(folder, decodeName(found.text)), oid: found.oid }
  }

  async function visitItems(
    handle: FolderHandle,
    folder: RepoPath,
    items: readonly FolderItem[],
    inside: Surroundings,
  ): Promise<void> {
    const plain: RepoPath[] = []
    const links: RepoPath[] = []
    const doneBefore = done
    for (let at = 0; at < items.length; at += ITEMS_AT_ONCE) {
      if (at > 0) await pause()
      for (const { name, kind } of items.slice(at, at + ITEMS_AT_ONCE)) {
        const path = joinPath(folder, name)
        if (isSettled(path, name, kind, inside)) continue
        const list = kind === "file" ? plain : links
        list.push(path)
      }
    }
    tellSince(doneBefore)
    await visitPaths(handle, plain, links, inside)
  }

  async function visitPaths(
    handle: FolderHandle,
    plain: readonly RepoPath[],
    links: readonly RepoPath[],
    inside: Surroundings,
  ): Promise<void> {
    await settleAll([
      ...links.map((path) => visitOne(handle, path, "link", inside, 0)),
      ...chunksOf(plain).map((paths) => visitChunk(handle, paths, inside)),
    ])
  }

  async function visitChunk(handle: FolderHandle, paths: readonly RepoPath[], inside: Surroundings): Promise<void> {
    const left = await visitTogether(handle, paths)
    const doneBefore = done
    done += paths.length - left.length
    tellSince(doneBefore)
    await settleAll(left.map((path) => visitOne(handle, path, "file", inside, 0)))
  }

  function tellSince(doneBefore: number): void {
    if (done > doneBefore) options.onProgress?.({ phase: "scan", done })
  }

  async function visitTogether(handle: FolderHandle, paths: readonly RepoPath[]): Promise<readonly RepoPath[]> {
    const free = await together.take(paths.length)
    try {
      options.signal?.throwIfAborted()
      return await visitor.visitFiles(handle, paths)
    } finally {
      free()
    }
  }

  /** Whether there is no more to do for a path, which nothing but its kind has to be known for. */
  function isSettled(path: RepoPath, name: string, kind: FileKind, inside: Surroundings): boolean {
    const { rules, known, isSameRules } = inside
    if (name === ".git" || path === scope.gitdir || unread.has(path)) return true
    if (isRestoreName(name)) return skip(path, "unsafe-name")
    if (isUnsafeName(name)) return skip(path, "unsafe-name", escapePath(path))
    const knownFolder = kind === "folder" ? known?.folder(name) : undefined
    // Where the rules are the same, what is known was not left out by them.
    if (knownFolder !== undefined && isSameRules) return enter(path, knownFolder, inside)
    if (isLeftOut(path, kind, rules)) return true
    if (kind === "special") return skip(path, "special-file")
    if (kind === "folder") return enter(path, knownFolder, inside)
    const knownFile = known?.file(name, kind)
    if (knownFile === undefined || !visitor.takeKnownFile(path, knownFile)) return false
    done++
    return true
  }

  /** A folder that is to be captured: as it is known, or once its turn has come. */
  function enter(path: RepoPath, known: KnownFolder | undefined, { rules, isSameRules }: Surroundings): true {
    if (!isSameRules || known?.isSame !== true || !visitor.takeKnown(path, known))
      stack.push({ path, rules: rulesFor(path, rules), known, isSameRules })
    return true
  }

  async function visitOne(
    handle: FolderHandle,
    path: RepoPath,
    kind: "file" | "link",
    inside: Surroundings,
    attempt: number,
  ): Promise<void> {
    const outcome = await files(() => {
      options.signal?.throwIfAborted()
      return visitor.visitFile(handle, path, kind)
    })
    if (outcome === "absent" && attempt < REVISITS) return revisitIn(handle, path, inside, attempt)
    if (outcome === "absent") return void skip(path, "changed-while-reading")
    if (outcome !== "taken") return void skip(path, outcome)
    options.onProgress?.({ phase: "scan", done: ++done })
  }

  /** A repository inside that is tracked although a rule names it is taken as its own rules say. */
  function rulesFor(folder: RepoPath, rules: IgnoreRules): IgnoreRules {
    return scope.isTrackedFolder(folder) && rules.ignores(folder, "folder") ? scope.ownRules : rules
  }

  function isLeftOut(path: RepoPath, kind: FileKind, rules: IgnoreRules): boolean {
    const isFolder = kind === "folder"
    if (scope.included !== undefined && !(isFolder ? scope.included.folders : scope.included.files).has(path))
      return true
    if (!rules.ignores(path, isFolder ? "folder" : "file")) return false
    return !(isFolder ? scope.hasTrackedInside(path) : scope.isTracked(path))
  }

  /** A folder that is none any more. */
  async function revisit({ path, rules }: PendingFolder): Promise<void> {
    if (path === ROOT)
      throw new SnapshotError("WORKTREE_MISSING", "The work tree is gone. Put it back, or open another folder.", {
        path: scope.worktree,
      })
    await folders.within(parentOf(path), (parent) =>
      revisitIn(parent, path, { rules, known: undefined, isSameRules: false }, 0),
    )
  }

  async function revisitIn(handle: FolderHandle, path: RepoPath, inside: Surroundings, attempt: number): Promise<void> {
    const name = nameOf(path)
    const stat = await fileSystem.lstat(handle.at(name))
    // What is known of the path counted for what it was.
    const anew = { ...inside, known: undefined }
    if (stat === undefined || isSettled(path, name, stat.kind, anew)) return
    await visitOne(handle, path, stat.kind === "link" ? "link" : "file", anew, attempt + 1)
  }

  await drain(stack, FOLDER_CONCURRENCY, enterFolder)
  return { skipped, ignoreFiles }
}

interface PendingFolder extends Surroundings {
  readonly path: RepoPath
}

/** What counts for the paths in a folder. */
interface Surroundings {
  readonly rules: IgnoreRules
  /** The folder as it was known. */
  readonly known: KnownFolder | undefined
  /** No ignore file on the way to it, or in it, is another than it was known. */
  readonly isSameRules: boolean
}

const FOLDER_CONCURRENCY = 64

/** Names that are looked at before the event loop may come round. */
const ITEMS_AT_ONCE = 256

/** Files that are taken one by one. */
const FILE_CONCURRENCY = 128

/** Files of one folder that are taken together, and files of all folders. */
const CHUNK_FILES = 64
const FILES_TOGETHER = 256

function chunksOf(paths: readonly RepoPath[]): RepoPath[][] {
  const chunks: RepoPath[][] = []
  for (let at = 0; at < paths.length; at += CHUNK_FILES) chunks.push(paths.slice(at, at + CHUNK_FILES))
  return chunks
}

/** How often a path that turns into something else is looked at again. */
const REVISITS = 4
