import type { FileSystem } from "./file-system.js"
import { joinSharedIndex, readGitIndex } from "./git-index.js"
import type { IndexEntry } from "./index-entry.js"
import type { Hasher } from "./hasher.js"
import type { Oid } from "./oid.js"

/** The index of a gitdir, whether it is one file or split into two. */
export interface IndexFile {
  /** By path and stage. */
  readonly entries: readonly IndexEntry[]
  /** Objects that it names beside those of its entries, as `GitIndex` tells. */
  readonly extensionOids: readonly Oid[]
}

/**
 * Reads the index of a gitdir; undefined when it has none. FORMAT_UNSUPPORTED for what is damaged or not known here, a
 * missing shared index included.
 * Source: https://git-scm.com/docs/git-update-index (SPLIT INDEX)
 */
export async function readIndexFile(fs: FileSystem, hasher: Hasher, gitdir: string): Promise<IndexFile | undefined> {
  const path = `${gitdir}/index`
  const bytes = await fs.readFile(path)
  if (bytes === undefined) return undefined
  const index = await readGitIndex(hasher, bytes, path)
  const { entries, extensionOids, link } = index
  if (link === undefined) return { entries, extensionOids }
  const sharedPath = `${gitdir}/sharedindex.${link.checksum}`
  const shared = await readGitIndex(hasher, (await fs.readFile(sharedPath)) ?? new Uint8Array(0), sharedPath)
  return {
    entries: joinSharedIndex(index, shared, path),
    extensionOids: [...extensionOids, ...shared.extensionOids],
  }
}
