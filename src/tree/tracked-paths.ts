import { errnoOf, SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { concat, equalBytes } from "../core/bytes.js"
import type { IndexColumns } from "../core/index-columns.js"
import type { Hasher } from "../core/hasher.js"
import { readIndexFile, type IndexFile } from "../core/index-file.js"
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

/** The paths of an index, to be looked up by their bytes; with `ignoreCase` by those of their lower-case spelling. */
class OrderedPaths {
  readonly #bytes: Uint8Array
  readonly #ends: Uint32Array
  /** The entries in the order of their paths; undefined where they stand in it, as Git keeps them while letters are themselves. */
  readonly #order: Uint32Array | undefined

  constructor({ count, paths }: IndexColumns, ignoreCase: boolean) {
    this.#bytes = ignoreCase ? paths.bytes.map(lowerByte) : paths.bytes
    this.#ends = paths.ends
    let isInOrder = true
    for (let i = 1; i < count && isInOrder; i++)
      isInOrder = this.#compare(i - 1, this.#bytes, this.#start(i), this.#end(i)) <= 0
    if (isInOrder) return
    const entries = Uint32Array.from({ length: count }, (_, i) => i)
    this.#order = entries.sort((a, b) => this.#compare(a, this.#bytes, this.#start(b), this.#end(b)))
  }

  has(path: Uint8Array): boolean {
    const found = this.#from(path)
    return found !== undefined && this.#compare(found, path, 0, path.length) === 0
  }

  /** Whether one of them begins so. */
  hasBeginning(start: Uint8Array): boolean {
    const found = this.#from(start)
    if (found === undefined) return false
    return equalBytes(this.#bytes.subarray(this.#start(found), this.#end(found)).subarray(0, start.length), start)
  }

  /** The first entry whose path does not sort before `path`. */
  #from(path: Uint8Array): number | undefined {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(this.#at(middle), path, 0, path.length) < 0) low = middle + 1
      else high = middle
    }
    return low < this.#ends.length ? this.#at(low) : undefined
  }

  #at(place: number): number {
    return this.#order === undefined ? place : (this.#order[place] as number)
  }

  #start(entry: number): number {
    return entry === 0 ? 0 : (this.#ends[entry - 1] as number)
  }

  #end(entry: number): number {
    return this.#ends[entry] as number
  }

  /** Compares the path of an entry with those bytes of `other`, byte by byte. */
  #compare(entry: number, other: Uint8Array, otherStart: number, otherEnd: number): number {
    const bytes = this.#bytes
    const start = this.#start(entry)
    const length = this.#end(entry) - start
    const shared = Math.min(length, otherEnd - otherStart)
    for (let i = 0; i < shared; i++) {
      const difference = (bytes[start + i] as number) - (other[otherStart + i] as number)
      if (difference !== 0) return difference
    }
    return length - (otherEnd - otherStart)
  }
}

function lowerByte(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
}

function lowerAscii(path: string): string {
  return path.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

const SLASH = 0x2f
const SPARSE_FOLDER = 0o040000
const GITLINK = 0o160000
/** Where an entry's mode stands. */
const MODE_AT = 24
