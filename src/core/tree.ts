/*
 * Tree objects. Entry after entry, without a separator:
 *
 *   <mode in octal digits> SP <name> NUL <20 bytes of the oid>
 *
 * sorted by name, byte by byte, a folder's name as if it ended in "/".
 * Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects, https://git-scm.com/docs/git-fast-import
 */
import { SnapshotError } from "./errors.js"
import { OID_BYTES, oidAt, putOid, type Oid } from "./oid.js"
import { comparePaths, decodeName, encodeName } from "./path.js"
import { readAs, type ObjectReader } from "./object.js"
import { settleAll } from "./settle-all.js"

/** The mode of a tree entry, as Git writes it: file, executable file, link, folder, gitlink. */
export type Mode = "100644" | "100755" | "120000" | "40000" | "160000"

/** An entry of a tree object. Names are as decodeName gives them. */
export interface TreeEntry {
  readonly mode: Mode
  readonly name: string
  readonly oid: Oid
}

/** Negative, zero or positive, as entry `a` stands before, with or after `b` in a tree. */
export function compareEntries(a: TreeEntry, b: TreeEntry): number {
  return comparePaths(sortName(a), sortName(b))
}

/** The tree object of `entries`, which may come in any order. */
export function encodeTree(entries: readonly TreeEntry[]): Uint8Array {
  const sorted = entries.toSorted(compareEntries)
  const names = sorted.map(({ name }) => (isAscii(name) ? undefined : encodeName(name)))
  const size = (sum: number, { mode, name }: TreeEntry, i: number): number =>
    sum + mode.length + 1 + (names[i] ?? name).length + 1 + OID_BYTES
  const bytes = new Uint8Array(sorted.reduce(size, 0))
  let at = 0
  const putText = (text: string): void => {
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
  }
  for (const [i, { mode, name, oid }] of sorted.entries()) {
    putText(mode)
    bytes[at++] = SPACE
    const encoded = names[i]
    if (encoded === undefined) putText(name)
    else {
      bytes.set(encoded, at)
      at += encoded.length
    }
    at++
    putOid(oid, bytes, at)
    at += OID_BYTES
  }
  return bytes
}

/** Almost all names are: they need no encoder, which takes longer than the rest of an entry. */
function isAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 127) return false
  return true
}

/**
 * The entries of a tree object, in stored order. Modes that old Gits wrote for plain files are read as today's Git reads
 * them. Bytes that are no tree: OBJECT_CORRUPT with `oid`.
 */
export function decodeTree(bytes: Uint8Array, oid: Oid): TreeEntry[] {
  const entries: TreeEntry[] = []
  for (const cursor = new TreeCursor({ bytes, oid }); cursor.isAtEntry; cursor.advance())
    entries.push(cursor.entry(entries.at(-1)))
  return entries
}

/** A tree object, as it is stored. */
export interface TreeObject {
  readonly oid: Oid
  readonly bytes: Uint8Array
}

/**
 * The entries of two trees, without those that stand byte for byte alike in both; some of these may be among them all
 * the same. Only what is given is decoded: mostly a handful, where trees have hundreds. Errors as of decodeTree.
 */
export function unlikeEntries(before: TreeObject, after: TreeObject): readonly [TreeEntry[], TreeEntry[]] {
  const left: TreeEntry[] = []
  const right: TreeEntry[] = []
  const old = new TreeCursor(before)
  const now = new TreeCursor(after)
  while (old.isAtEntry || now.isAtEntry) {
    const order = !now.isAtEntry ? -1 : !old.isAtEntry ? 1 : old.compareName(now)
    const isAlike = order === 0 && old.isAlike(now)
    if (order <= 0) {
      if (!isAlike) left.push(old.entry(left.at(-1)))
      old.advance()
    }
    if (order >= 0) {
      if (!isAlike) right.push(now.entry(right.at(-1)))
      now.advance()
    }
  }
  return [left, right]
}

/** The entries of the tree `oid`: OBJECT_MISSING, OBJECT_CORRUPT. */
export async function readTree(reader: ObjectReader, oid: Oid): Promise<TreeEntry[]> {
  return decodeTree(await readAs(reader, oid, "tree"), oid)
}

/** As unlikeEntries, of two stored trees: OBJECT_MISSING, OBJECT_CORRUPT. */
export async function readUnlike(
  reader: ObjectReader,
  before: Oid,
  after: Oid,
): Promise<readonly [TreeEntry[], TreeEntry[]]> {
  const [left, right] = await settleAll([readAs(reader, before, "tree"), readAs(reader, after, "tree")])
  return unlikeEntries({ oid: before, bytes: left as Uint8Array }, { oid: after, bytes: right as Uint8Array })
}

/** Goes through the entries of a stored tree, and decodes none that is not asked for. */
class TreeCursor {
  readonly #bytes: Uint8Array
  readonly #oid: Oid
  #at = 0
  #nameAt = 0
  #nul = 0

  constructor({ bytes, oid }: TreeObject) {
    this.#bytes = bytes
    this.#oid = oid
    this.#find()
  }

  get isAtEntry(): boolean {
    return this.#at < this.#bytes.length
  }

  advance(): void {
    this.#at = this.#nul + 1 + OID_BYTES
    this.#find()
  }

  /** The entry, which comes behind `previous`. */
  entry(previous: TreeEntry | undefined): TreeEntry {
    const mode = canonicalMode(this.#bytes, this.#at, this.#nameAt - 1)
    if (mode === undefined) throw this.#damaged("it is no list of entries")
    const name = decodeName(this.#bytes.subarray(this.#nameAt, this.#nul))
    if (previous?.name === name) throw this.#damaged("it names one entry twice")
    return { mode, name, oid: oidAt(this.#bytes, this.#nul + 1) }
  }

  /** As compareEntries. */
  compareName(other: TreeCursor): number {
    for (let i = 0; ; i++) {
      const ours = this.#nameByte(i)
      const theirs = other.#nameByte(i)
      if (ours !== theirs || ours < 0) return ours - theirs
    }
  }

  /** Whether the entries are the same, byte for byte. */
  isAlike(other: TreeCursor): boolean {
    const length = this.#nul + 1 + OID_BYTES - this.#at
    if (other.#nul + 1 + OID_BYTES - other.#at !== length) return false
    for (let i = 0; i < length; i++) if (this.#bytes[this.#at + i] !== other.#bytes[other.#at + i]) return false
    return true
  }

  /** The bytes of the name, a slash behind that of a folder, then -1. */
  #nameByte(i: number): number {
    const at = this.#nameAt + i
    if (at < this.#nul) return this.#bytes[at] as number
    return at === this.#nul && this.#bytes[this.#at] === FOLDER_DIGIT ? SLASH : -1
  }

  #find(): void {
    if (!this.isAtEntry) return
    this.#nameAt = this.#bytes.indexOf(SPACE, this.#at) + 1
    this.#nul = this.#bytes.indexOf(0, this.#nameAt)
    const isWhole = this.#nameAt > 0 && this.#nul > this.#nameAt && this.#nul + OID_BYTES < this.#bytes.length
    if (!isWhole) throw this.#damaged("it is no list of entries")
  }

  #damaged(why: string): SnapshotError {
    return new SnapshotError("OBJECT_CORRUPT", `The tree ${this.#oid} cannot be read: ${why}.`, { oid: this.#oid })
  }
}

/** Git's own reading of a mode: a folder, a link, a gitlink, or a file that may be executable. */
function canonicalMode(bytes: Uint8Array, start: number, end: number): Mode | undefined {
  if (end - start < 5 || end - start > 6) return undefined
  let mode = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 7) return undefined
    mode = mode * 8 + digit
  }
  const kind = mode & 0o170000
  if (kind === 0o040000) return "40000"
  if (kind === 0o120000) return "120000"
  if (kind === 0o160000) return "160000"
  if (kind === 0o100000) return (mode & 0o100) === 0 ? "100644" : "100755"
  return undefined
}

function sortName(entry: TreeEntry): string {
  return entry.mode === "40000" ? `${entry.name}/` : entry.name
}

const SPACE = 0x20
const SLASH = 0x2f
const ZERO = 0x30
/** What the mode of a folder begins with. */
const FOLDER_DIGIT = 0x34
