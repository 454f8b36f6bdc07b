import type { Hasher } from "../core/hasher.js"
import { hashObject } from "../core/object.js"
import { EMPTY_TREE, type Oid } from "../core/oid.js"
import { isInside, nameOf, parentOf, ROOT, type RepoPath } from "../core/path.js"
import { encodeTree, type TreeEntry } from "../core/tree.js"
import type { NewTree } from "../core/tree-capture.js"

/** Collects the files of a work tree and makes the trees of them. */
export interface TreeBuilder {
  /** Notes a folder; its parent has to be noted before. */
  addFolder(path: RepoPath): void
  /** Adds a file or link to a folder that was noted. */
  addFile(path: RepoPath, mode: TreeEntry["mode"], oid: Oid): void
  /** Drops a folder with all that was added in and below it. */
  dropFolder(path: RepoPath): void
  /** The file or link at a path, if one was added. */
  fileAt(path: RepoPath): TreeEntry | undefined
  /** All trees, children before parents, the root last. Folders without a file in or below them are left out. */
  build(hasher: Hasher): Promise<BuiltTrees>
}

/** The trees of a work tree. */
export interface BuiltTrees {
  readonly root: Oid
  readonly trees: readonly NewTree[]
  /** The folders that are in the tree. */
  readonly folders: ReadonlySet<RepoPath>
}

export function treeBuilder(): TreeBuilder {
  const folders = new Map<RepoPath, Map<string, TreeEntry>>([[ROOT, new Map()]])
  return {
    addFolder(path) {
      if (!folders.has(path)) folders.set(path, new Map())
    },
    addFile(path, mode, oid) {
      const name = nameOf(path)
      folders.get(parentOf(path))?.set(name, { mode, name, oid })
    },
    dropFolder(path) {
      for (const folder of folders.keys()) if (isInside(folder, path)) folders.delete(folder)
    },
    fileAt(path) {
      return folders.get(parentOf(path))?.get(nameOf(path))
    },
    async build(hasher) {
      const trees: NewTree[] = []
      const kept = new Set<RepoPath>()
      // A folder is noted after its parent, so in reverse order children come first.
      for (const [path, entries] of [...folders].reverse()) {
        if (entries.size === 0) continue
        const listed = [...entries.values()]
        const bytes = encodeTree(listed)
        const oid = await hashObject(hasher, "tree", bytes)
        trees.push({ oid, entries: listed, bytes })
        kept.add(path)
        const name = nameOf(path)
        if (path !== ROOT) folders.get(parentOf(path))?.set(name, { mode: "40000", name, oid })
      }
      const root = trees.at(-1)
      if (root !== undefined && kept.has(ROOT)) return { root: root.oid, trees, folders: kept }
      return { root: EMPTY_TREE, trees: [{ oid: EMPTY_TREE, entries: [], bytes: new Uint8Array() }], folders: kept }
    },
  }
}
