import type { Oid } from "../core/oid.js"
import { joinPath, ROOT, type RepoPath } from "../core/path.js"
import type { TreeEntry } from "../core/tree.js"
import type { TreeReader } from "./compare-trees.js"

/** Finds the entry at a path of one tree; undefined when there is none. The root is an entry without a name. */
export type EntryFinder = (path: string) => Promise<TreeEntry | undefined>

/** Finds many entries of a tree: each folder on the way is read once, not once for each of them. */
export function entryFinder(readTree: TreeReader, tree: Oid): EntryFinder {
  const folders = new Map<Oid, ReadonlyMap<string, TreeEntry>>()

  async function folderOf(oid: Oid): Promise<ReadonlyMap<string, TreeEntry>> {
    const known = folders.get(oid)
    if (known !== undefined) return known
    const entries = new Map<string, TreeEntry>()
    // Of two entries with one name, which no Git writes, the first counts.
    for (const entry of await readTree(oid)) if (!entries.has(entry.name)) entries.set(entry.name, entry)
    if (folders.size >= MOST_FOLDERS) folders.clear()
    folders.set(oid, entries)
    return entries
  }

  return async (path) => {
    let entry: TreeEntry = { mode: "40000", name: "", oid: tree }
    for (const name of path === ROOT ? [] : path.split("/")) {
      if (entry.mode !== "40000") return undefined
      const found = (await folderOf(entry.oid)).get(name)
      if (found === undefined) return undefined
      entry = found
    }
    return entry
  }
}

/** So many folders are kept in memory. */
const MOST_FOLDERS = 4096

/** The entry at `path` in a tree; undefined when there is none. The root is an entry without a name. */
export async function entryAt(readTree: TreeReader, tree: Oid, path: string): Promise<TreeEntry | undefined> {
  return entryFinder(readTree, tree)(path)
}

/** Every path in a tree, folders included and ahead of what is in them, with its entry. */
export async function* entriesIn(
  readTree: TreeReader,
  tree: Oid,
): AsyncGenerator<readonly [path: RepoPath, entry: TreeEntry]> {
  const open: [RepoPath, Oid][] = [[ROOT, tree]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [folder, oid] = next
    for (const entry of await readTree(oid)) {
      const path = joinPath(folder, entry.name)
      yield [path, entry]
      if (entry.mode === "40000") open.push([path, entry.oid])
    }
  }
}
