import { concat } from "./bytes.js"
import { joinedPaths, STAT_BYTES, type IndexColumns } from "./index-columns.js"
import { OID_BYTES, oidAt, type Oid } from "./oid.js"
import { decodeName, encodeName } from "./path.js"

/** An entry of the index. Numbers of the file's state are cut to 32 bits. */
export interface IndexEntry {
  /** As decodeName gives it; a sparse folder's ends with a slash. "" where a split index takes it from the shared one. */
  readonly path: string
  /** Such as 0o100644; 0o040000 for a sparse folder, 0o160000 for a gitlink. */
  readonly mode: number
  readonly oid: Oid
  /** 0, or 1 to 3 while a merge is unsettled. */
  readonly stage: number
  readonly assumeValid: boolean
  readonly skipWorktree: boolean
  readonly intentToAdd: boolean
  readonly sizeBytes: number
  readonly mtimeSeconds: number
  readonly mtimeNanoseconds: number
  readonly ctimeSeconds: number
  readonly ctimeNanoseconds: number
  readonly inode: number
  readonly device: number
  /** As IndexColumns has them. */
  readonly flags: number
  /** Writes the bytes of the file's state and of the oid at `at`. */
  putHead(bytes: Uint8Array, at: number): void
  /** The same entry with another path. */
  withPath(path: string): IndexEntry
}

/** An entry where it stands in the bytes of an index. Of tens of thousands few fields are ever asked for. */
class EntryInFile implements IndexEntry {
  readonly path: string
  readonly flags: number
  readonly #view: DataView
  readonly #start: number

  constructor(path: string, view: DataView, start: number, flags: number) {
    this.path = path
    this.flags = flags
    this.#view = view
    this.#start = start
  }

  get mode(): number {
    return this.#number(6)
  }

  get oid(): Oid {
    return oidAt(new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#start + STAT_BYTES, OID_BYTES))
  }

  get stage(): number {
    return (this.flags >> 12) & 3
  }

  get assumeValid(): boolean {
    return (this.flags & 0x8000) !== 0
  }

  get skipWorktree(): boolean {
    return (this.flags & 0x4000_0000) !== 0
  }

  get intentToAdd(): boolean {
    return (this.flags & 0x2000_0000) !== 0
  }

  get sizeBytes(): number {
    return this.#number(9)
  }

  get mtimeSeconds(): number {
    return this.#number(2)
  }

  get mtimeNanoseconds(): number {
    return this.#number(3)
  }

  get ctimeSeconds(): number {
    return this.#number(0)
  }

  get ctimeNanoseconds(): number {
    return this.#number(1)
  }

  get inode(): number {
    return this.#number(5)
  }

  get device(): number {
    return this.#number(4)
  }

  putHead(bytes: Uint8Array, at: number): void {
    bytes.set(new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#start, HEAD_BYTES), at)
  }

  withPath(path: string): IndexEntry {
    return new EntryInFile(path, this.#view, this.#start, this.flags)
  }

  #number(field: number): number {
    return this.#view.getUint32(this.#start + 4 * field)
  }
}

/** The entries of an index one by one, with the paths as texts. */
export function entriesOf({ count, bytes, starts, flags, paths }: IndexColumns): IndexEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { ends, text } = paths
  return Array.from({ length: count }, (_, i) => {
    const start = i === 0 ? 0 : (ends[i - 1] as number)
    const end = ends[i] as number
    const path = text?.slice(start, end) ?? decodeName(paths.bytes.subarray(start, end))
    return new EntryInFile(path, view, starts[i] as number, flags[i] as number)
  })
}

/** The columns of entries that were put together. */
export function columnsOf(entries: readonly IndexEntry[]): IndexColumns {
  const count = entries.length
  const bytes = new Uint8Array(count * HEAD_BYTES)
  for (const [i, entry] of entries.entries()) entry.putHead(bytes, i * HEAD_BYTES)
  const names = entries.map(({ path }) => encodeName(path))
  let end = 0
  const ends = Uint32Array.from(names, (name) => (end += name.length))
  return {
    count,
    bytes,
    starts: Uint32Array.from(entries, (_, i) => i * HEAD_BYTES),
    flags: Uint32Array.from(entries, (entry) => entry.flags),
    paths: joinedPaths(concat(names), ends),
  }
}

/** File state and oid. */
const HEAD_BYTES = STAT_BYTES + OID_BYTES
