import { exactText } from "./bytes.js"
import { OID_BYTES, oidAt, type Oid } from "./oid.js"
import { decodeName } from "./path.js"
import { pauses } from "./turns.js"

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
  /** Writes the 20 bytes of the oid at `at`. */
  putOid(bytes: Uint8Array, at: number): void
  /** The same entry with another path. */
  withPath(path: string): IndexEntry
}

/** An entry where it stands in the bytes of an index. Of tens of thousands few fields are ever asked for. */
class EntryInFile implements IndexEntry {
  readonly path: string
  readonly #view: DataView
  readonly #start: number
  readonly #flags: number

  constructor(path: string, view: DataView, start: number, flags: number) {
    this.path = path
    this.#view = view
    this.#start = start
    this.#flags = flags
  }

  get mode(): number {
    return this.#number(6)
  }

  get oid(): Oid {
    return oidAt(this.#oidBytes())
  }

  get stage(): number {
    return (this.#flags >> 12) & 3
  }

  get assumeValid(): boolean {
    return (this.#flags & 0x8000) !== 0
  }

  get skipWorktree(): boolean {
    return (this.#flags & 0x4000_0000) !== 0
  }

  get intentToAdd(): boolean {
    return (this.#flags & 0x2000_0000) !== 0
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

  putOid(bytes: Uint8Array, at: number): void {
    bytes.set(this.#oidBytes(), at)
  }

  withPath(path: string): IndexEntry {
    return new EntryInFile(path, this.#view, this.#start, this.#flags)
  }

  #number(field: number): number {
    return this.#view.getUint32(this.#start + 4 * field)
  }

  #oidBytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#start + STAT_BYTES, OID_BYTES)
  }
}

/** The entries of an index, and where they end. */
export interface FoundEntries {
  readonly entries: readonly IndexEntry[]
  readonly end: number
}

/**
 * The `count` entries from `start` on, of an index that `bytes` hold up to `end`; undefined when they are damaged, or
 * their paths would take more than `mostPathBytes`.
 */
export async function readEntries(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: 2 | 3 | 4,
  count: number,
  mostPathBytes: number,
): Promise<FoundEntries | undefined> {
  const pause = pauses()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const paths = new Paths(bytes, end, mostPathBytes)
  const starts: number[] = []
  const flags: number[] = []
  let at = start
  for (let i = 0; i < count; i++) {
    if (i % PAUSE_ENTRIES === 0) await pause()
    if (at + STAT_BYTES + OID_BYTES + 4 > end) return undefined
    const flagsAt = at + STAT_BYTES + OID_BYTES
    const own = view.getUint16(flagsAt)
    const isExtended = (own & 0x4000) !== 0
    if (isExtended && version === 2) return undefined
    const pathAt = flagsAt + (isExtended ? 4 : 2)
    const next = version === 4 ? paths.addShortened(pathAt) : paths.addPadded(at, pathAt)
    if (next === undefined) return undefined
    starts.push(at)
    flags.push(((isExtended ? view.getUint16(flagsAt + 2) : 0) << 16) | own)
    at = next
  }
  const texts = paths.texts()
  const entries = starts.map((from, i) => new EntryInFile(texts[i] as string, view, from, flags[i] as number))
  return { entries, end: at }
}

/** The paths of the entries, put one behind the other: reading them as one text takes a fraction of the time. */
class Paths {
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #mostBytes: number
  readonly #ends: number[] = []
  #joined: Uint8Array
  /** Of the path that was added last. */
  #lastAt = 0
  #length = 0

  constructor(bytes: Uint8Array, end: number, mostBytes: number) {
    this.#bytes = bytes
    this.#end = end
    this.#mostBytes = mostBytes
    this.#joined = new Uint8Array(bytes.length)
  }

  /** Adds the path at `pathAt` of an entry that begins at `start`; gives where the next one begins. */
  addPadded(start: number, pathAt: number): number | undefined {
    const nul = this.#bytes.indexOf(0, pathAt)
    const next = start + (Math.floor((nul - start) / 8) + 1) * 8
    if (nul < 0 || next > this.#end) return undefined
    return this.#add(0, pathAt, nul) ? next : undefined
  }

  /** The number's bytes hold 7 bits each, the highest first; each byte but the last has its top bit set and adds one. */
  addShortened(pathAt: number): number | undefined {
    const lastLength = this.#length - this.#lastAt
    let at = pathAt
    let byte = this.#bytes[at++] as number
    let dropped = byte & 0x7f
    while (byte >= 0x80) {
      if (dropped > lastLength || at >= this.#end) return undefined
      byte = this.#bytes[at++] as number
      dropped = (dropped + 1) * 128 + (byte & 0x7f)
    }
    const nul = this.#bytes.indexOf(0, at)
    if (dropped > lastLength || nul < 0 || nul >= this.#end) return undefined
    return this.#add(lastLength - dropped, at, nul) ? nul + 1 : undefined
  }

  texts(): string[] {
    const all = this.#joined.subarray(0, this.#length)
    const text = exactText(all)
    const isAscii = text?.length === all.length
    return this.#ends.map((end, i) => {
      const start = this.#ends[i - 1] ?? 0
      return isAscii ? text.slice(start, end) : decodeName(all.subarray(start, end))
    })
  }

  /** Adds the first `kept` bytes of the last path with those from `start` up to `end` behind them. */
  #add(kept: number, start: number, end: number): boolean {
    const length = this.#length + kept + end - start
    if (length > this.#mostBytes) return false
    if (length > this.#joined.length) {
      const larger = new Uint8Array(Math.max(2 * this.#joined.length, length))
      larger.set(this.#joined.subarray(0, this.#length))
      this.#joined = larger
    }
    this.#joined.copyWithin(this.#length, this.#lastAt, this.#lastAt + kept)
    this.#joined.set(this.#bytes.subarray(start, end), this.#length + kept)
    this.#lastAt = this.#length
    this.#length = length
    this.#ends.push(length)
    return true
  }
}

const PAUSE_ENTRIES = 1024
/** Ten numbers: an entry's file state. */
const STAT_BYTES = 40
