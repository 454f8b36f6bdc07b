import { changeBetween, type Change, type FileVersion } from "../core/change.js"
import { EMPTY_TREE, type Oid } from "../core/oid.js"
import type { ObjectReader } from "../core/object.js"
import { comparePaths, joinPath, ROOT, type RepoPath } from "../core/path.js"
import { drain, settleAll } from "../core/settle-all.js"
import { readTree, readUnlike, type Mode, type TreeEntry } from "../core/tree.js"
import type { PathFilter } from "./path-filter.js"

/** Gives the entries of a tree. Asked for the same tree more than once; never for the empty tree. */
export interface TreeReader {
  (oid: Oid): Promise<readonly TreeEntry[]>
  /** The entries of two trees, which may lack those that are alike in both, where that takes less than reading all. */
  readonly unlike?: (
    before: Oid,
    after: Oid,
  ) => Promise<readonly [before: readonly TreeEntry[], after: readonly TreeEntry[]] | undefined>
}

/** Reads the trees that are stored. */
export function storedTrees(objects: ObjectReader): TreeReader {
  return Object.assign((oid: Oid) => readTree(objects, oid), {
    unlike: (before: Oid, after: Oid) => readUnlike(objects, before, after),
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
  // A stack, not recursion: trees may be deeper than the call stack.
  const pairs: FolderPair[] = before === after ? [] : [{ path: ROOT, before, after }]
  await drain(pairs, PAIRS_AT_ONCE, async (pair) => {
    const [left, right] = await entriesOfPair(reader, pair)
    for (const [path, old, now] of differences(pair.path, left, right)) {
      if (old?.mode === FOLDER || now?.mode === FOLDER) {
        if (filter?.reaches(path) !== false) pairs.push({ path, before: old?.oid, after: now?.oid })
        continue
      }
      const change = changeBetween(path, versionOf(old), versionOf(now))
      if (change !== undefined && filter?.(path) !== false) changes.push(change)
    }
  })
  return changes.sort((a, b) => comparePaths(a.path, b.path))
}

const FOLDER: Mode = "40000"

const PAIRS_AT_ONCE = 16

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
