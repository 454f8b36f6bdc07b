import { readTree, type TreeEntry } from "./tree.js"
import type { ObjectReader } from "./object.js"
import type { Oid } from "./oid.js"
import { settleAll } from "./settle-all.js"
import { joinPath, ROOT, type RepoPath } from "./path.js"

/** A tree with everything below it. */
export interface TreePaths {
  /** Files, links and gitlinks by path. */
  readonly files: ReadonlyMap<RepoPath, TreeEntry>
  /** Folders by path; "" is the tree itself. */
  readonly folders: ReadonlyMap<RepoPath, Oid>
}

/**
 * Reads a tree with everything below it. A tree that is missing or damaged goes to `onDamage`, and what is in it is
 * left out; without `onDamage` it throws.
 */
export async function readTreePaths(
  reader: ObjectReader,
  tree: Oid,
  onDamage?: (error: unknown) => void,
): Promise<TreePaths> {
  const files = new Map<RepoPath, TreeEntry>()
  const folders = new Map<RepoPath, Oid>()
  let level: [RepoPath, Oid][] = [[ROOT, tree]]
  while (level.length > 0) {
    const next: [RepoPath, Oid][] = []
    for (let at = 0; at < level.length; at += CONCURRENCY) {
      const part = level.slice(at, at + CONCURRENCY)
      const listed = await settleAll(part.map(([, oid]) => entriesOf(reader, oid, onDamage)))
      for (const [i, [path, oid]] of part.entries()) {
        const entries = listed[i]
        if (entries === undefined) continue
        folders.set(path, oid)
        for (const entry of entries) {
          const entryPath = joinPath(path, entry.name)
          if (entry.mode === "40000") next.push([entryPath, entry.oid])
          else files.set(entryPath, entry)
        }
      }
    }
    level = next
  }
  return { files, folders }
}

const CONCURRENCY = 16

async function entriesOf(
  reader: ObjectReader,
  oid: Oid,
  onDamage: ((error: unknown) => void) | undefined,
): Promise<TreeEntry[] | undefined> {
  try {
    return await readTree(reader, oid)
  } catch (error) {
    if (onDamage === undefined) throw error
    onDamage(error)
    return undefined
  }
}
