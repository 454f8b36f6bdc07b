import type { Oid } from "../core/oid.js"
import { joinPath, ROOT, type RepoPath } from "../core/path.js"
import type { TreeEntry } from "../core/tree.js"
import type { TreeReader } from "./compare-trees.js"

/** The entry at `path` in a tree; undefined when there is none. The root is an entry without a name. */
export async function entryAt(readTree: TreeReader, tree: Oid, path: string): Promise<TreeEntry | undefined> {
  let entry: TreeEntry = { mode: "40000", name: "", oid: tree }
  for (const name of path === ROOT ? [] : path.split("/")) {
    if (entry.mode !== "40000") return undefined
    const found: TreeEntry | undefined = (await readTree(entry.oid)).find((one) => one.name === name)
    if (found === undefined) return undefined
    entry = found
  }
  return entry
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
