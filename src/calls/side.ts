import type { Change, FileVersion } from "../core/change.js"
import type { DiffContent } from "../core/differ.js"
import { readAs } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { isInside, type RepoPath } from "../core/path.js"
import type { TreeEntry } from "../core/tree.js"
import type { CapturedTree } from "../core/tree-capture.js"
import type { PackedEntry } from "../core/unpacker.js"
import type { Rev } from "../snapshot-store.js"
import { nullSink } from "../store/object-sink.js"
import { storedTrees, type TreeReader } from "../tree/compare-trees.js"
import { worktreeFolders } from "../tree/folders.js"
import { pathFilter, type PathFilter } from "../tree/path-filter.js"
import { entryFinder } from "../tree/tree-entry.js"
import { readWorktree } from "../tree/worktree-reader.js"
import type { StoreContext } from "./context.js"
import { resolve } from "./resolve.js"
import { baseAt, findNewest, trackedBy } from "./tracked.js"

/** One side of a comparison. */
export interface Side {
  readonly tree: Oid
  readonly readTree: TreeReader
  /** Whether this side can tell of a path. A look at the work tree cannot tell of what it had to skip. */
  knows(path: string): boolean
  /** Contents are objects of the store. */
  readonly isStored: boolean
  /**
   * The side's version of a changed path as it is by now, and its content; undefined when it is gone. `read` are contents
   * that have been read already.
   */
  content(
    path: RepoPath,
    version: FileVersion,
    read: ReadContents,
  ): Promise<{ readonly version: FileVersion; readonly content: Uint8Array | PackedEntry } | undefined>
  close(): Promise<void>
}

/** Contents of blobs by oid, as they are or as they stand in a pack, and then not verified yet. */
export type ReadContents = ReadonlyMap<string, Uint8Array | PackedEntry>

/** The content itself. One that is not what its oid names is read again on the careful way, which says what is wrong. */
export function bytesOf(
  { platform, objects }: StoreContext,
  content: DiffContent,
): Promise<Uint8Array> | Uint8Array | undefined {
  if (content === undefined || !("entry" in content)) return content
  const object = platform.unpacker?.unpack(content)
  return object?.type === "blob" ? object.bytes : readAs(objects, content.oid, "blob")
}

/** The side of a revision. */
export async function storedSide(store: StoreContext, rev: Rev): Promise<Side> {
  const { tree } = await resolve(store, rev)
  return {
    tree,
    readTree: storedTrees(store.objects),
    knows: () => true,
    isStored: true,
    async content(_path, version, read) {
      if (version.mode === "160000") return { version, content: new Uint8Array() }
      const known = read.get(version.oid)
      return { version, content: known ?? (await readAs(store.objects, version.oid as Oid, "blob")) }
    },
    close: async () => {},
  }
}

/** The side of the work tree as it is now. `from` is what it is compared with: its files are tracked. */
export async function worktreeSide(store: StoreContext, from: Oid, signal?: AbortSignal): Promise<Side> {
  const captured = await look(store, from, signal)
  const folders = worktreeFolders(store.platform.fileSystem, store.worktree)
  return {
    tree: captured.tree,
    readTree: readCaptured(store, captured),
    knows: knowsBy(store, captured),
    isStored: false,
    async content(path, version) {
      const found = await readWorktree(store.platform, folders, path, version.mode)
      return found && { version: found.version, content: found.bytes }
    },
    close: () => folders.close(),
  }
}

/** Reads and hashes the work tree and stores nothing. Tracked is what a capture would take so, and the files of `from`. */
export async function look(store: StoreContext, from: Oid, signal: AbortSignal | undefined): Promise<CapturedTree> {
  const { inScope } = await findNewest(store)
  const base = inScope === undefined ? undefined : await baseAt(store, inScope)
  const request = {
    isTracked: await trackedBy(store, base, filesOf(store, from)),
    base,
    ...(signal === undefined ? {} : { signal }),
  }
  return store.treeCapture.capture(request, nullSink())
}

/** Whether a stored tree has a file at a path; what is damaged of it has none. Only the folders on the way are read. */
export function filesOf(store: StoreContext, tree: Oid): (path: RepoPath) => Promise<boolean> {
  const find = entryFinder(storedTrees(store.objects), tree)
  return async (path) => {
    const entry = await find(path).catch(() => undefined)
    return entry !== undefined && entry.mode !== "40000"
  }
}

/** Reads trees of a captured work tree, whether they are stored or not, and those of the store. */
export function readCaptured(store: StoreContext, captured: CapturedTree, signal?: AbortSignal): TreeReader {
  const stored = storedTrees(store.objects)
  const entries = async (oid: Oid): Promise<readonly TreeEntry[]> => {
    signal?.throwIfAborted()
    return captured.trees.get(oid) ?? stored(oid)
  }
  return Object.assign(entries, {
    async unlike(before: Oid, after: Oid) {
      signal?.throwIfAborted()
      const isNew = captured.trees.has(before) || captured.trees.has(after)
      return isNew ? undefined : stored.unlike?.(before, after)
    },
    ahead: async (oids: readonly Oid[]) => stored.ahead?.(oids.filter((oid) => !captured.trees.has(oid))),
  })
}

/** The paths that captures of this store take. */
export function scopeFilter(store: StoreContext): PathFilter {
  return pathFilter(store.include.length === 0 ? {} : { globs: store.include })
}

function knowsBy(store: StoreContext, captured: CapturedTree): (path: string) => boolean {
  const inScope = scopeFilter(store)
  const skipped = captured.manifest.skipped.map(({ path }) => path)
  const exact = new Set(skipped)
  return (path) => {
    if (!inScope(path) || exact.has(path)) return false
    return !skipped.some((folder) => isInside(path, folder))
  }
}

/** Whether a change is one that both sides can tell of. */
export function isKnown(change: Change, to: Side): boolean {
  return change.status !== "deleted" || to.knows(change.path)
}
