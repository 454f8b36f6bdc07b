import { errnoOf, SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { concat, equalBytes } from "../core/bytes.js"
import type { IndexColumns } from "../core/index-columns.js"
import type { Hasher } from "../core/hasher.js"
import { readIndexFile, type IndexFile } from "../core/index-file.js"
import { OrderedPaths } from "../core/ordered-paths.js"
import { decodeName, encodeName, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { OwnRepository } from "./own-repository.js"
import { unlessRefused } from "./read-small-file.js"

/** What an index tracks in the work tree: that of the user's own repository, or that of a store which another tool made. */
export interface TrackedPaths {
  /** Whether it tracks this path: a file, a link, or a repository inside (a gitlink). */
  has(path: RepoPath): boolean
  /** Whether it tracks this folder as a whole: a repository inside (a gitlink), or one that a sparse index keeps whole. */
  hasAll(folder: RepoPath): boolean
  /** Whether it tracks a path somewhere inside this folder, or the folder itself as a gitlink. */
  hasInside(folder: RepoPath): boolean
  /** Bytes that are others whenever others are tracked. */
  readonly told: readonly Uint8Array[]
  /** False when the repository has an index that could not be read: then nothing counts as tracked. */
  readonly isKnown: boolean
}

/**
 * Reads what a repository's index tracks below `prefix`. Paths with an unsettled merge are tracked. Of a folder that a
 * sparse index keeps whole the names are not known here: all that stands in it counts as tracked.
 * With `ignoreCase`, paths that differ in the case of ASCII letters are one, as for Git on such a file system. `onIndex` is
 * told of the index that was read; not of one that cannot be.
 */
export async function trackedPaths(
  fs: FileSystem,
  hasher: Hasher,
  repository: Pick<OwnRepository, "gitdir" | "prefix"> | undefined,
  ignoreCase: boolean,
  onIndex: (index: IndexFile | undefined) => void = () => {},
): Promise<TrackedPaths> {
  let columns: IndexColumns | undefined
  let isKnown = true
  try {
    const index = repository === undefined ? undefined : await readIndexFile(fs, hasher, repository.gitdir)
    onIndex(index)
    columns = index?.columns
  } catch (error) {
    isKnown = false
    const isDamage = error instanceof SnapshotError && errnoOf(error) === undefined
    // Damage stays; a failure of the system may be over next time, and files would be left out without a word.
    if (!isDamage) unlessRefused(error)
  }
  if (columns === undefined) return { ...NOTHING, told: [], isKnown }
  const index = columns
  const prefix = repository?.prefix ?? ""
  // Where no rule names anything, nobody asks for any of them.
  let set: PathSet | undefined
  const paths = (): PathSet => (set ??= pathSet(index, prefix, ignoreCase))
  return {
    has: (path) => paths().has(path),
    hasAll: (folder) => paths().hasAll(folder),
    hasInside: (folder) => paths().hasInside(folder),
    told: toldOf(index, prefix),
    isKnown,
  }
}

/** The paths below `prefix`, and sparse folders above it, with their ends. */
function toldOf({ count, paths }: IndexColumns, prefix: string): Uint8Array[] {
  const { bytes, ends } = paths
  if (prefix === "") return [bytes, bytesOf(ends)]
  const inside = encodeName(`${prefix}/`)
  const told: Uint8Array[] = []
  for (let i = 0, start = 0; i < count; start = ends[i++] as number) {
    const path = bytes.subarray(start, ends[i])
    const isAbove = path.length < inside.length && path.at(-1) === SLASH
    const shared = isAbove ? path.length : inside.length
    if (equalBytes(path.subarray(0, shared), inside.subarray(0, shared))) told.push(path)
  }
  let end = 0
  return [concat(told), bytesOf(Uint32Array.from(told, (path) => (end += path.length)))]
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

type PathSet = Pick<TrackedPaths, "has" | "hasAll" | "hasInside">

const NOTHING: PathSet = { has: () => false, hasAll: () => false, hasInside: () => false }

/** Of tens of thousands of paths a few are asked for, in the middle of a walk: they are looked up where they stand. */
function pathSet(columns: IndexColumns, prefix: string, ignoreCase: boolean): PathSet {
  const same = (path: string): RepoPath => (ignoreCase ? lowerAscii(path) : path) as RepoPath
  const start = prefix === "" ? "" : `${same(prefix)}/`
  const paths = new OrderedPaths(columns, ignoreCase)
  const sparse = new Set<RepoPath>()
  const gitlinks = new Set<RepoPath>()
  for (const [mode, stored] of wholeFolders(columns)) {
    const full = same(stored).replace(/\/$/, "")
    if (mode === SPARSE_FOLDER && `${start}/`.startsWith(`${full}/`)) sparse.add(ROOT)
    if (full.startsWith(start)) (mode === GITLINK ? gitlinks : sparse).add(full.slice(start.length) as RepoPath)
  }
  const isSparse = (path: RepoPath): boolean => {
    for (let at = path; sparse.size > 0; at = parentOf(at)) {
      if (sparse.has(at)) return true
      if (at === ROOT) break
    }
    return false
  }
  const isWhole = (folder: RepoPath): boolean => gitlinks.has(same(folder)) || isSparse(same(folder))
  return {
    has: (path) => paths.has(encodeName(start + same(path))) || isSparse(same(path)),
    hasAll: isWhole,
    hasInside: (folder) =>
      paths.hasBeginning(encodeName(start + (folder === ROOT ? "" : `${same(folder)}/`))) || isWhole(folder),
  }
}

/** The entries that stand for folders. */
function* wholeFolders({
  count,
  bytes,
  starts,
  paths,
}: IndexColumns): Generator<readonly [mode: number, path: string]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let i = 0; i < count; i++) {
    const mode = view.getUint32((starts[i] as number) + MODE_AT)
    if (mode !== GITLINK && mode !== SPARSE_FOLDER) continue
    yield [mode, decodeName(paths.bytes.subarray(i === 0 ? 0 : paths.ends[i - 1], paths.ends[i]))]
  }
}

function lowerAscii(path: string): string {
  return path.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

const SLASH = 0x2f
const SPARSE_FOLDER = 0o040000
const GITLINK = 0o160000
/** Where an entry's mode stands. */
const MODE_AT = 24
