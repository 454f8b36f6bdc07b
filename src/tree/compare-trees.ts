import { changeBetween, type Change, type FileVersion } from "../core/change.js"
import { EMPTY_TREE, type Oid } from "../core/oid.js"
import type { GitObject, ObjectReader } from "../core/object.js"
import { comparePaths, joinPath, ROOT, type RepoPath } from "../core/path.js"
import { drain, settleAll } from "../core/settle-all.js"
import { decodeTree, readTree, readUnlike, unlikeEntries, type Mode, type TreeEntry } from "../core/tree.js"
import { pauses } from "../core/turns.js"
import type { PathFilter } from "./path-filter.js"

/** Gives the entries of a tree. Asked for the same tree more than once; never for the empty tree. */
export interface TreeReader {
  (oid: Oid): Promise<readonly TreeEntry[]>
  /** The entries of two trees, which may lack those that are alike in both, where that takes less than reading all. */
  readonly unlike?: (
    before: Oid,
    after: Oid,
  ) => Promise<readonly [before: readonly TreeEntry[], after: readonly TreeEntry[]] | undefined>
  /** To be told of the trees that are asked for next, where many take less together. */
  readonly ahead?: (oids: readonly Oid[]) => Promise<void>
}

/** Where trees are stored. */
export interface TreeObjects extends ObjectReader {
  /** Those of `oids` that can be had together; the others are to be asked for by themselves. */
  readTogether?(oids: Iterable<Oid>): Promise<ReadonlyMap<Oid, GitObject>>
}

/** Reads the trees that are stored. */
export function storedTrees(objects: TreeObjects): TreeReader {
  let read: ReadonlyMap<Oid, GitObject> = new Map()
  const known = (oid: Oid): Uint8Array | undefined => {
    const object = read.get(oid)
    return object?.type === "tree" ? object.bytes : undefined
  }
  const entries = async (oid: Oid): Promise<readonly TreeEntry[]> => {
    const bytes = known(oid)
    return bytes === undefined ? readTree(objects, oid) : decodeTree(bytes, oid)
  }
  return Object.assign(entries, {
    async unlike(before: Oid, after: Oid) {
      const [left, right] = [known(before), known(after)]
      if (left === undefined || right === undefined) return readUnlike(objects, before, after)
      return unlikeEntries({ oid: before, bytes: left }, { oid: after, bytes: right })
    },
    async ahead(oids: readonly Oid[]) {
      read = (await objects.readTogether?.(oids)) ?? new Map()
    },
  })
}

/**
 * The files, links and gitlinks that differ between two trees, sorted by path, byte by byte. No folder is listed: a
 * folder that is new or gone shows as its files, and one that changes places with a file as both. Absent trees have no
 * entries. Equal folders, and those that `filter` does not reach, are not read. What the reader throws is thrown.
 */
export async function compareTrees(
  reader: TreeReader,
  before: Oid | undefined,
  after: Oid | undefined,
  filter?: PathFilter,
): Promise<Change[]> {
  const changes: Change[] = []
  const pause = pauses()
  // Level by level: what is on one level is read together, and trees may be deeper than the call stack.
  let level: FolderPair[] = before === after ? [] : [{ path: ROOT, before, after }]
  while (level.length > 0) {
    const below: FolderPair[] = []
    for (let at = 0; at < level.length; at += PAIRS_AHEAD) {
      const pairs = level.slice(at, at + PAIRS_AHEAD)
      if (pairs.length > 1) await reader.ahead?.(pairs.flatMap((pair) => [pair.before, pair.after].filter(isRead)))
      await drain(pairs, PAIRS_AT_ONCE, async (pair) => {
        await pause()
        const [left, right] = await entriesOfPair(reader, pair)
        for (const [path, old, now] of differences(pair.path, left, right)) {
          if (old?.mode === FOLDER || now?.mode === FOLDER) {
            if (filter?.reaches(path) !== false) below.push({ path, before: old?.oid, after: now?.oid })
            continue
          }
          const change = changeBetween(path, versionOf(old), versionOf(now))
          if (change !== undefined && filter?.(path) !== false) changes.push(change)
        }
      })
    }
    level = below
  }
  return changes.sort((a, b) => comparePaths(a.path, b.path))
}

const FOLDER: Mode = "40000"

const PAIRS_AT_ONCE = 16
const PAIRS_AHEAD = 1024

interface FolderPair {
  readonly path: RepoPath
  readonly before: Oid | undefined
  readonly after: Oid | undefined
}

async function entriesOfPair(
  reader: TreeReader,
  { before, after }: FolderPair,
): Promise<readonly [readonly TreeEntry[], readonly TreeEntry[]]> {
  if (isRead(before) && isRead(after)) {
    const unlike = await reader.unlike?.(before, after)
    if (unlike !== undefined) return unlike
  }
  const [left, right] = await settleAll([entriesOf(reader, before), entriesOf(reader, after)])
  return [left ?? [], right ?? []]
}

function isRead(oid: Oid | undefined): oid is Oid {
  return oid !== undefined && oid !== EMPTY_TREE
}

async function entriesOf(reader: TreeReader, oid: Oid | undefined): Promise<readonly TreeEntry[]> {
  return isRead(oid) ? reader(oid) : []
}

type Difference = readonly [path: RepoPath, before: TreeEntry | undefined, after: TreeEntry | undefined]

/** Pairs entries by name and by being a folder, so the order in the trees does not matter. */
function differences(folder: RepoPath, before: readonly TreeEntry[], after: readonly TreeEntry[]): Difference[] {
  const found: Difference[] = []
  const compare = (old: TreeEntry, now: TreeEntry | undefined): void => {
    if (now?.oid !== old.oid || now.mode !== old.mode) found.push([joinPath(folder, old.name), old, now])
  }
  // Mostly the same names stand at the same places.
  let first = 0
  for (; first < before.length && first < after.length; first++) {
    const [old, now] = [before[first] as TreeEntry, after[first] as TreeEntry]
    if (!isPair(old, now)) break
    compare(old, now)
  }
  if (first === before.length && first === after.length) return found
  const others = new Map(after.slice(first).map((entry) => [keyOf(entry), entry]))
  for (const entry of before.slice(first)) {
    const key = keyOf(entry)
    compare(entry, others.get(key))
    others.delete(key)
  }
  for (const other of others.values()) found.push([joinPath(folder, other.name), undefined, other])
  return found
}

function isPair(a: TreeEntry, b: TreeEntry): boolean {
  return a.name === b.name && (a.mode === FOLDER) === (b.mode === FOLDER)
}

function keyOf(entry: TreeEntry): string {
  return entry.mode === FOLDER ? `${entry.name}/` : entry.name
}

function versionOf(entry: TreeEntry | undefined): FileVersion | undefined {
  return entry && { mode: entry.mode, oid: entry.oid }
}
