/*
 * Git's index file. All numbers are in network order.
 *
 *   "DIRC" <4 bytes: version> <4 bytes: number of entries>
 *   entries: ctime (seconds, nanoseconds), mtime (the same), device, inode, mode, uid, gid, size: 4 bytes each;
 *            <20 bytes of the oid> <2 bytes of flags> [<2 bytes of more flags>] <path> NUL
 *            versions 2 and 3: NULs up to a multiple of 8 bytes
 *            version 4: the path is <how much of the path before it to drop, a variable-length number> <what to add>
 *   extensions: <4 letters> <4 bytes: size> <bytes>
 *   <20 bytes: SHA-1 of all of it, or zeros>
 *
 * Source: https://git-scm.com/docs/index-format
 */
import { equalBytes } from "./bytes.js"
import { SnapshotError } from "./errors.js"
import { ewahAt, setBits, type EwahBitmap } from "./ewah.js"
import type { Hasher } from "./hasher.js"
import { OID_BYTES, oidAt, type Oid } from "./oid.js"
import { readColumns, type IndexColumns } from "./index-columns.js"
import { entriesOf, type IndexEntry } from "./index-entry.js"
import { comparePaths } from "./path.js"

/** What a split index holds beside its own entries. */
export interface SharedIndexLink {
  /** The shared index is `sharedindex.<checksum>`, next to the index. */
  readonly checksum: Oid
  readonly deleted: EwahBitmap | undefined
  readonly replaced: EwahBitmap | undefined
}

/** An index file. */
export interface GitIndex {
  readonly version: 2 | 3 | 4
  readonly columns: IndexColumns
  /** The same one by one, made when they are asked for, as are the objects below. */
  readonly entries: readonly IndexEntry[]
  /** The trailer: all zeros when Git was told to write none. */
  readonly checksum: Oid
  /** There for a split index: what it tracks is known only together with the shared index. */
  readonly link: SharedIndexLink | undefined
  /**
   * Objects that its extensions name: the trees that Git last made of its entries (the cache tree), and the stages of
   * merges that have been settled (resolve undo). Git's own collection keeps them.
   */
  readonly extensionOids: readonly Oid[]
}

/**
 * Reads an index file of a repository with SHA-1 names; `path` is for the error. FORMAT_UNSUPPORTED for what is damaged,
 * of another version, or needs an extension that is not known here.
 */
export async function readGitIndex(hasher: Hasher, bytes: Uint8Array, path: string): Promise<GitIndex> {
  const refuse = (cause: string): SnapshotError => refusal(path, cause)
  const end = bytes.length - OID_BYTES
  if (end < HEADER_BYTES) throw refuse("it is cut short")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint32(4)
  if (view.getUint32(0) !== SIGNATURE) throw refuse("it is no index")
  if (version !== 2 && version !== 3 && version !== 4) throw refuse(`its version is ${version}`)
  const trailer = bytes.subarray(end)
  const isChecked = trailer.some((byte) => byte !== 0)
  if (isChecked && !equalBytes(await hasher.sha1([bytes.subarray(0, end)]), trailer)) throw refuse("it is damaged")

  const mostPathBytes = bytes.length * MOST_GROWTH
  const found = await readColumns(bytes, HEADER_BYTES, end, version, view.getUint32(8), mostPathBytes)
  if (found === undefined) throw refuse("it is damaged, or its paths take more room than those of any work tree")
  const { columns } = found
  const { link, naming } = readExtensions(bytes.subarray(found.end, end), refuse)
  let entries: readonly IndexEntry[] | undefined
  let extensionOids: readonly Oid[] | undefined
  return {
    version,
    columns,
    checksum: oidAt(trailer),
    link,
    get entries() {
      return (entries ??= entriesOf(columns))
    },
    get extensionOids() {
      return (extensionOids ??= naming.flatMap(({ name, content }) => EXTENSIONS[name]?.(content) ?? []))
    },
  }
}

/**
 * All entries of a split index, by path and stage. `shared` is its shared index; FORMAT_UNSUPPORTED when it is not, or
 * when the two do not fit together.
 */
export function joinSharedIndex(index: GitIndex, shared: GitIndex, path: string): readonly IndexEntry[] {
  const { link } = index
  if (link === undefined) return index.entries
  if (link.checksum !== shared.checksum) throw refusal(path, "its shared index is another one")
  const deleted = link.deleted === undefined ? [] : setBits(link.deleted, shared.entries.length)
  const replaced = link.replaced === undefined ? [] : setBits(link.replaced, shared.entries.length)
  if (deleted === undefined || replaced === undefined || replaced.length > index.entries.length)
    throw refusal(path, "it does not fit its shared index")

  const joined = new Map<string, IndexEntry>()
  const gone = new Set(deleted)
  const place = (entry: IndexEntry): string => `${entry.stage}${entry.path}`
  const successors = new Map(replaced.map((position, at) => [position, index.entries[at] as IndexEntry]))
  for (const [position, entry] of shared.entries.entries()) {
    const successor = successors.get(position)
    if (successor !== undefined && (successor.path !== "" || gone.has(position)))
      throw refusal(path, "it does not fit its shared index")
    if (!gone.has(position)) joined.set(place(entry), successor?.withPath(entry.path) ?? entry)
  }
  for (const entry of index.entries.slice(replaced.length)) {
    if (entry.path === "") throw refusal(path, "it does not fit its shared index")
    joined.set(place(entry), entry)
  }
  return [...joined.values()].sort((a, b) => comparePaths(a.path, b.path) || a.stage - b.stage)
}

interface Extension {
  readonly name: string
  readonly content: Uint8Array
}

/**
 * The link of a split index, and the extensions that name objects. Extensions whose name starts with a capital may be
 * passed over. Of the others, "sdir" only says that there are sparse folders.
 */
function readExtensions(
  bytes: Uint8Array,
  refuse: (cause: string) => SnapshotError,
): Pick<GitIndex, "link"> & { readonly naming: readonly Extension[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let link: SharedIndexLink | undefined
  const naming: Extension[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw refuse("it is damaged")
    const name = String.fromCharCode(...bytes.subarray(at, at + 4))
    const next = at + 8 + view.getUint32(at + 4)
    if (next > bytes.length) throw refuse("it is damaged")
    const content = bytes.subarray(at + 8, next)
    if (name === "link") link = readLink(content, refuse)
    else if (name !== "sdir" && !/^[A-Z]/.test(name)) throw refuse(`it needs the extension ${JSON.stringify(name)}`)
    if (Object.hasOwn(EXTENSIONS, name)) naming.push({ name, content })
    at = next
  }
  return { link, naming }
}

/** What reads the objects out of an extension. Git goes on without those that it cannot read. */
const EXTENSIONS: Readonly<Record<string, (content: Uint8Array) => Oid[] | undefined>> = {
  TREE: cacheTreeOids,
  REUC: resolveUndoOids,
}

/** For each folder: <name> NUL <number of entries, or -1 when out of date> SP <number of subfolders> LF [<20 bytes of the oid>]. */
function cacheTreeOids(bytes: Uint8Array): Oid[] | undefined {
  const oids: Oid[] = []
  let at = 0
  while (at < bytes.length) {
    const nul = bytes.indexOf(0, at)
    const end = bytes.indexOf(0x0a, nul + 1)
    if (nul < 0 || end < 0) return undefined
    const counts = /^(-?\d+) \d+$/.exec(String.fromCharCode(...bytes.subarray(nul + 1, Math.min(end, nul + 32))))
    if (counts === null) return undefined
    at = end + 1
    if (Number(counts[1]) < 0) continue
    if (at + OID_BYTES > bytes.length) return undefined
    oids.push(oidAt(bytes, at))
    at += OID_BYTES
  }
  return oids
}

/** For each path: <path> NUL, three modes in octal digits, each with a NUL, and 20 bytes of an oid for each mode but "0". */
function resolveUndoOids(bytes: Uint8Array): Oid[] | undefined {
  const oids: Oid[] = []
  let at = 0
  while (at < bytes.length) {
    at = bytes.indexOf(0, at) + 1
    if (at === 0) return undefined
    let stages = 0
    for (let i = 0; i < 3; i++) {
      const nul = bytes.indexOf(0, at)
      const mode = String.fromCharCode(...bytes.subarray(at, Math.min(nul, at + 8)))
      if (nul < 0 || !/^[0-7]{1,7}$/.test(mode)) return undefined
      if (Number(mode) !== 0) stages++
      at = nul + 1
    }
    for (; stages > 0; stages--, at += OID_BYTES) {
      if (at + OID_BYTES > bytes.length) return undefined
      oids.push(oidAt(bytes, at))
    }
  }
  return oids
}

function readLink(bytes: Uint8Array, refuse: (cause: string) => SnapshotError): SharedIndexLink | undefined {
  if (bytes.length < OID_BYTES) throw refuse("it is damaged")
  const checksum = oidAt(bytes)
  // Without a shared index, the entries are all there are.
  if (/^0+$/.test(checksum)) return undefined
  if (bytes.length === OID_BYTES) return { checksum, deleted: undefined, replaced: undefined }
  const deleted = ewahAt(bytes, OID_BYTES)
  const replaced = deleted === undefined ? undefined : ewahAt(bytes, deleted.end)
  if (deleted === undefined || replaced === undefined) throw refuse("it is damaged")
  return { checksum, deleted, replaced }
}

function refusal(path: string, cause: string): SnapshotError {
  const message = `Git's index ${path} cannot be read: ${cause}.`
  return new SnapshotError("FORMAT_UNSUPPORTED", message, { path, format: "git index" })
}

const SIGNATURE = 0x44495243
const HEADER_BYTES = 12
/** Shortened paths of a real work tree grow to a few times the file. */
const MOST_GROWTH = 32
