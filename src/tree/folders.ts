import { errnoOf, SnapshotError } from "../core/errors.js"
import type { FileSystem, FolderHandle } from "../core/file-system.js"
import { escapePath, nameOf, parentOf, ROOT, type RepoPath } from "../core/path.js"

/** The folders of a work tree, each reached from its parent without following a link. */
export interface Folders {
  /**
   * Holds a folder until it is released. Undefined when there is no folder at the path: it is missing, something else,
   * or behind a link. Other failures of the system: IO_FAILED.
   */
  hold(path: RepoPath): Promise<HeldFolder | undefined>
  /**
   * Holds a folder while `step` runs; undefined when there is none. Where handles do not hold, PATH_UNSAFE when the path
   * leads elsewhere after the step.
   */
  within<Value>(path: RepoPath, step: (folder: FolderHandle) => Promise<Value>): Promise<Value | undefined>
  /** Forgets a folder and those inside, after it was removed or replaced. */
  forget(path: RepoPath): void
  /** Closes what is not held. */
  close(): Promise<void>
}

/** A folder that is held. */
export interface HeldFolder {
  readonly handle: FolderHandle
  /** May be called once. */
  release(): Promise<void>
}

interface Entry {
  readonly opening: Promise<FolderHandle | undefined>
  users: number
  /** Reached through a path that may lead elsewhere now. */
  forgotten: boolean
}

/** Open folders that nobody holds, kept because their children come next. */
const IDLE_LIMIT = 64

/** The folders below `root`, the real path of the work tree. */
export function worktreeFolders(fileSystem: FileSystem, root: string): Folders {
  const entries = new Map<RepoPath, Entry>()
  const idle = new Set<RepoPath>()

  async function open(path: RepoPath): Promise<FolderHandle | undefined> {
    if (path === ROOT) return openUnlessAbsent(root)
    // Those above that are not open come first, from the top: a call within a call for each would not fit on the stack.
    const above: RepoPath[] = []
    for (let at = parentOf(path); at !== ROOT && !entries.has(at); at = parentOf(at)) above.push(at)
    for (const folder of above.reverse()) {
      const held = await hold(folder)
      if (held === undefined) return undefined
      await held.release()
    }
    return within(parentOf(path), (parent) => openUnlessAbsent(parent.at(nameOf(path))))
  }

  async function openUnlessAbsent(address: string): Promise<FolderHandle | undefined> {
    try {
      return await fileSystem.openFolder(address)
    } catch (error) {
      if (ABSENT.has(errnoOf(error) ?? "")) return undefined
      throw error
    }
  }

  function acquire(path: RepoPath): Entry {
    const known = entries.get(path)
    const entry = known ?? { opening: open(path), users: 0, forgotten: false }
    if (known === undefined) entries.set(path, entry)
    entry.users++
    idle.delete(path)
    return entry
  }

  async function release(path: RepoPath, entry: Entry, keep: boolean): Promise<void> {
    entry.users--
    if (!keep || entry.forgotten) drop(path, entry)
    if (entry.users > 0) return
    if (entry.forgotten) return closeQuietly(entry)
    idle.add(path)
    if (idle.size > IDLE_LIMIT) await evict(idle.values().next().value as RepoPath)
  }

  function drop(path: RepoPath, entry: Entry): void {
    entry.forgotten = true
    // Another folder may have the path by now.
    if (entries.get(path) !== entry) return
    entries.delete(path)
    idle.delete(path)
  }

  async function evict(path: RepoPath): Promise<void> {
    const entry = entries.get(path)
    idle.delete(path)
    if (entry === undefined) return
    entries.delete(path)
    await closeQuietly(entry)
  }

  async function hold(path: RepoPath): Promise<HeldFolder | undefined> {
    const entry = acquire(path)
    let handle: FolderHandle | undefined
    try {
      handle = await entry.opening
    } catch (error) {
      await release(path, entry, false)
      throw error
    }
    if (handle !== undefined) return { handle, release: () => release(path, entry, true) }
    await release(path, entry, false)
    return undefined
  }

  async function within<Value>(
    path: RepoPath,
    step: (folder: FolderHandle) => Promise<Value>,
  ): Promise<Value | undefined> {
    const held = await hold(path)
    if (held === undefined) return undefined
    try {
      const value = await step(held.handle)
      if (!fileSystem.traits.folderHandles) await checkWay(path)
      return value
    } finally {
      await held.release()
    }
  }

  /** Where handles do not hold, a folder on the way may have been swapped for a link: then `path` leads elsewhere. */
  async function checkWay(path: RepoPath): Promise<void> {
    for (let at = path; ; at = parentOf(at)) {
      const held = await hold(at)
      if (held === undefined)
        throw new SnapshotError(
          "PATH_UNSAFE",
          `${escapePath(at)} stopped being a folder while it was in use. Try again.`,
          { path: at },
        )
      try {
        await held.handle.check()
      } finally {
        await held.release()
      }
      if (at === ROOT) return
    }
  }

  return {
    hold,
    within,
    forget(path) {
      for (const [known, entry] of entries) {
        if (known !== path && !known.startsWith(`${path}/`)) continue
        drop(known, entry)
        if (entry.users === 0) void closeQuietly(entry)
      }
    },
    async close() {
      for (const path of [...idle]) await evict(path)
    },
  }
}

/** Nothing is lost with a folder that could not be closed. */
async function closeQuietly({ opening }: Entry): Promise<void> {
  try {
    await (await opening)?.close()
  } catch {
    // A failure to open was told to those who asked for the folder.
  }
}

const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"])
