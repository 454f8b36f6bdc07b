import { exactText, utf8 } from "./bytes.js"
import { OID_BYTES } from "./oid.js"
import { decodeName } from "./path.js"
import { pauses } from "./turns.js"

/**
 * The entries of an index, by path and stage, as columns: of tens of thousands few are ever looked at one by one, and
 * objects for all of them would take longer than all else.
 */
export interface IndexColumns {
  readonly count: number
  /** What an entry begins with: ten numbers of 4 bytes, its file's state, and the 20 bytes of its oid. */
  readonly bytes: Uint8Array
  /** Where in `bytes` each entry begins. */
  readonly starts: Uint32Array
  /** The entry's 16 bits of flags; above them the 16 bits of its further flags. */
  readonly flags: Uint32Array
  readonly paths: IndexPaths
}

/** The paths of an index, one behind the other. */
export interface IndexPaths {
  readonly bytes: Uint8Array
  /** Where each ends. */
  readonly ends: Uint32Array
  /** All of them as one text, when each byte is one unit of it. */
  readonly text: string | undefined
}

/** The entries of an index, and where they end. */
export interface FoundColumns {
  readonly columns: IndexColumns
  readonly end: number
}

/** Ten numbers: an entry's file state. */
export const STAT_BYTES = 40

/** Paths that were put one behind the other. */
export function joinedPaths(bytes: Uint8Array, ends: Uint32Array): IndexPaths {
  const text = exactText(bytes)
  return { bytes, ends, text: text?.length === bytes.length ? text : undefined }
}

/** The paths whose last part is `name`, as decodeName gives them. */
export function pathsNamed({ count, paths }: IndexColumns, name: string): string[] {
  const wanted = utf8(name)
  const { bytes, ends } = paths
  const found: string[] = []
  for (let i = 0, start = 0; i < count; start = ends[i++] as number) {
    const end = ends[i] as number
    const nameAt = end - wanted.length
    if (nameAt < start || (nameAt > start && bytes[nameAt - 1] !== SLASH)) continue
    if (wanted.every((byte, at) => bytes[nameAt + at] === byte)) found.push(decodeName(bytes.subarray(start, end)))
  }
  return found
}

/**
 * The `count` entries from `start` on, of an index that `bytes` hold up to `end`; undefined when they are damaged, or
 * their paths would take more than `mostPathBytes`.
 */
export async function readColumns(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: 2 | 3 | 4,
  count: number,
  mostPathBytes: number,
): Promise<FoundColumns | undefined> {
  if (count > (end - start) / LEAST_ENTRY_BYTES) return undefined
  const pause = pauses()
  const paths = new Paths(bytes, end, count, mostPathBytes)
  const starts = new Uint32Array(count)
  const flags = new Uint32Array(count)
  let at = start
  for (let i = 0; i < count; i++) {
    if (i % PAUSE_ENTRIES === 0) await pause()
    const flagsAt = at + STAT_BYTES + OID_BYTES
    if (flagsAt + 2 > end) return undefined
    const own = numberAt(bytes, flagsAt)
    const isExtended = (own & EXTENDED) !== 0
    if (isExtended && version === 2) return undefined
    const pathAt = flagsAt + (isExtended ? 4 : 2)
    const next = version === 4 ? paths.addShortened(pathAt) : paths.addPadded(at, pathAt, own & PATH_LENGTH)
    if (next === undefined) return undefined
    starts[i] = at
    flags[i] = isExtended ? numberAt(bytes, flagsAt + 2) * 2 ** 16 + own : own
    at = next
  }
  return { columns: { count, bytes, starts, flags, paths: paths.joined() }, end: at }
}

function numberAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

/** Puts the paths of the entries one behind the other. */
class Paths {
  readonly #ends: Uint32Array
  readonly #end: number
  readonly #mostBytes: number
  /** The bytes of the index, and behind them the paths: within one array, copying makes nothing. */
  #both: Uint8Array
  readonly #pathsAt: number
  #count = 0
  /** Of the path that was added last. */
  #lastAt: number
  #length: number

  constructor(bytes: Uint8Array, end: number, count: number, mostBytes: number) {
    this.#ends = new Uint32Array(count)
    this.#end = end
    this.#mostBytes = mostBytes
    this.#both = new Uint8Array(2 * bytes.length)
    this.#both.set(bytes)
    this.#pathsAt = bytes.length
    this.#lastAt = bytes.length
    this.#length = bytes.length
  }

  joined(): IndexPaths {
    return joinedPaths(this.#both.slice(this.#pathsAt, this.#length), this.#ends)
  }

  /**
   * Adds the path at `pathAt` of an entry that begins at `start` and tells the length of its path, if that is not above
   * what it can tell; gives where the next one begins.
   */
  addPadded(start: number, pathAt: number, told: number): number | undefined {
    const isTold = told < PATH_LENGTH && this.#both[pathAt + told] === 0
    const nul = isTold ? pathAt + told : this.#both.indexOf(0, pathAt)
    const next = start + (((nul - start) >>> 3) + 1) * 8
    if (nul < 0 || next > this.#end) return undefined
    return this.#add(0, pathAt, nul) ? next : undefined
  }

  /** The number's bytes hold 7 bits each, the highest first; each byte but the last has its top bit set and adds one. */
  addShortened(pathAt: number): number | undefined {
    const lastLength = this.#length - this.#lastAt
    let at = pathAt
    let byte = this.#both[at++] as number
    let dropped = byte & 0x7f
    while (byte >= 0x80) {
      if (dropped > lastLength || at >= this.#end) return undefined
      byte = this.#both[at++] as number
      dropped = (dropped + 1) * 128 + (byte & 0x7f)
    }
    const nul = this.#both.indexOf(0, at)
    if (dropped > lastLength || nul < 0 || nul >= this.#end) return undefined
    return this.#add(lastLength - dropped, at, nul) ? nul + 1 : undefined
  }

  /** Adds the first `kept` bytes of the last path with those from `start` up to `end` behind them. */
  #add(kept: number, start: number, end: number): boolean {
    const length = this.#length + kept + end - start
    if (length - this.#pathsAt > this.#mostBytes) return false
    if (length > this.#both.length) {
      const larger = new Uint8Array(Math.max(2 * this.#both.length, length))
      larger.set(this.#both.subarray(0, this.#length))
      this.#both = larger
    }
    if (kept > 0) this.#both.copyWithin(this.#length, this.#lastAt, this.#lastAt + kept)
    this.#both.copyWithin(this.#length + kept, start, end)
    this.#lastAt = this.#length
    this.#length = length
    this.#ends[this.#count++] = length - this.#pathsAt
    return true
  }
}

const SLASH = 0x2f
const PAUSE_ENTRIES = 1024
/** State, oid, flags. */
const LEAST_ENTRY_BYTES = STAT_BYTES + OID_BYTES + 2
const EXTENDED = 0x4000
/** The bits of the flags that tell the length of a path; all of them are set for this length and above. */
const PATH_LENGTH = 0xfff
