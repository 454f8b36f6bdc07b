import type { FileSystem } from "./file-system.js"
import { joinSharedIndex, readGitIndex } from "./git-index.js"
import type { IndexColumns } from "./index-columns.js"
import { columnsOf } from "./index-entry.js"
import type { Hasher } from "./hasher.js"
import type { Oid } from "./oid.js"

/** The index of a gitdir, whether it is one file or split into two. */
export interface IndexFile {
  readonly columns: IndexColumns
  /** Objects that it names beside those of its entries, as `GitIndex` tells. */
  extensionOids(): readonly Oid[]
  /** When it was last written: of two files, the older time. Never later than what was read. */
  readonly writtenNs: bigint
}

/**
 * Reads the index of a gitdir; undefined when it has none. FORMAT_UNSUPPORTED for what is damaged or not known here, a
 * missing shared index included.
 * Source: https://git-scm.com/docs/git-update-index (SPLIT INDEX)
 */
export async function readIndexFile(fs: FileSystem, hasher: Hasher, gitdir: string): Promise<IndexFile | undefined> {
  const path = `${gitdir}/index`
  const { bytes, writtenNs } = await readDated(fs, path)
  if (bytes === undefined) return undefined
  const index = await readGitIndex(hasher, bytes, path)
  const { columns, link } = index
  if (link === undefined) return { columns, writtenNs, extensionOids: () => index.extensionOids }
  const sharedPath = `${gitdir}/sharedindex.${link.checksum}`
  const dated = await readDated(fs, sharedPath)
  const shared = await readGitIndex(hasher, dated.bytes ?? new Uint8Array(0), sharedPath)
  return {
    columns: columnsOf(joinSharedIndex(index, shared, path)),
    writtenNs: dated.writtenNs < writtenNs ? dated.writtenNs : writtenNs,
    extensionOids: () => [...index.extensionOids, ...shared.extensionOids],
  }
}

/** A file and its time, which is looked at first: a file that takes its place meanwhile is later. */
async function readDated(
  fs: FileSystem,
  path: string,
): Promise<{ readonly bytes: Uint8Array | undefined; readonly writtenNs: bigint }> {
  const real = (await fs.realPath(path)) ?? path
  const writtenNs = (await fs.lstat(real))?.mtimeNs ?? 0n
  return { bytes: await fs.readFile(path), writtenNs }
}
