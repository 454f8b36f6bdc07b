import { changeBetween, type Change, type FileVersion } from "../core/change.js"
import { EMPTY_TREE, type Oid } from "../core/oid.js"
import { comparePaths, joinPath, ROOT, type RepoPath } from "../core/path.js"
import { drain, settleAll } from "../core/settle-all.js"
import type { Mode, TreeEntry } from "../core/tree.js"
import type { PathFilter } from "./path-filter.js"

/** Gives the entries of a tree. Asked for the same tree more than once; never for the empty tree. */
export type TreeReader = (oid: Oid) => Promise<readonly TreeEntry[]>

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
    const [left, right] = await settleAll([entriesOf(reader, pair.before), entriesOf(reader, pair.after)])
    for (const [path, old, now] of differences(pair.path, left ?? [], right ?? [])) {
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

async function entriesOf(reader: TreeReader, oid: Oid | undefined): Promise<readonly TreeEntry[]> {
  return oid === undefined || oid === EMPTY_TREE ? [] : reader(oid)
}

type Difference = readonly [path: RepoPath, before: TreeEntry | undefined, after: TreeEntry | undefined]

/** Pairs entries by name and by being a folder, so the order in the trees does not matter. */
function differences(folder: RepoPath, before: readonly TreeEntry[], after: readonly TreeEntry[]): Difference[] {
  const found: Difference[] = []
  const others = new Map(after.map((entry) => [keyOf(entry), entry]))
  for (const entry of before) {
    const other = others.get(keyOf(entry))
    others.delete(keyOf(entry))
    if (other?.oid !== entry.oid || other.mode !== entry.mode) found.push([joinPath(folder, entry.name), entry, other])
  }
  for (const other of others.values()) found.push([joinPath(folder, other.name), undefined, other])
  return found
}

function keyOf(entry: TreeEntry): string {
  return entry.mode === FOLDER ? `${entry.name}/` : entry.name
}

function versionOf(entry: TreeEntry | undefined): FileVersion | undefined {
  return entry && { mode: entry.mode, oid: entry.oid }
}
