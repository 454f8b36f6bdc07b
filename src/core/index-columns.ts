import { pauses } from "./turns.js"
import { OID_BYTES } from "./oid.js"

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
  /** The paths, one behind the other, and where each ends. */
  readonly paths: Uint8Array
  readonly ends: Uint32Array
}

/** The entries of an index, and where they end. */
export interface FoundColumns {
  readonly columns: IndexColumns
  readonly end: number
}

/** Ten numbers: an entry's file state. */
export const STAT_BYTES = 40

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
    if (at + LEAST_ENTRY_BYTES > end) return undefined
    const flagsAt = at + STAT_BYTES + OID_BYTES
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
  return { columns: { count, bytes, starts, flags, paths: paths.joined(), ends: paths.ends }, end: at }
}

function numberAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

/** The paths of the entries, put one behind the other. */
class Paths {
  readonly ends: Uint32Array
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #mostBytes: number
  #count = 0
  #joined: Uint8Array
  /** Of the path that was added last. */
  #lastAt = 0
  #length = 0

  constructor(bytes: Uint8Array, end: number, count: number, mostBytes: number) {
    this.ends = new Uint32Array(count)
    this.#bytes = bytes
    this.#end = end
    this.#mostBytes = mostBytes
    this.#joined = new Uint8Array(bytes.length)
  }

  joined(): Uint8Array {
    return this.#joined.subarray(0, this.#length)
  }

  /**
   * Adds the path at `pathAt` of an entry that begins at `start` and tells the length of its path, if that is not above
   * what it can tell; gives where the next one begins.
   */
  addPadded(start: number, pathAt: number, told: number): number | undefined {
    const isTold = told < PATH_LENGTH && this.#bytes[pathAt + told] === 0
    const nul = isTold ? pathAt + told : this.#bytes.indexOf(0, pathAt)
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

  /** Adds the first `kept` bytes of the last path with those from `start` up to `end` behind them. */
  #add(kept: number, start: number, end: number): boolean {
    const length = this.#length + kept + end - start
    if (length > this.#mostBytes) return false
    if (length > this.#joined.length) {
      const larger = new Uint8Array(Math.max(2 * this.#joined.length, length))
      larger.set(this.#joined.subarray(0, this.#length))
      this.#joined = larger
    }
    const joined = this.#joined
    let to = this.#length
    // For so few bytes loops take less time than views of them.
    for (let at = this.#lastAt; at < this.#lastAt + kept; at++) joined[to++] = joined[at] as number
    for (let at = start; at < end; at++) joined[to++] = this.#bytes[at] as number
    this.#lastAt = this.#length
    this.#length = length
    this.ends[this.#count++] = length
    return true
  }
}

const PAUSE_ENTRIES = 1024
/** State, oid, flags. */
const LEAST_ENTRY_BYTES = STAT_BYTES + OID_BYTES + 2
const EXTENDED = 0x4000
/** The bits of the flags that tell the length of a path; all of them are set for this length and above. */
const PATH_LENGTH = 0xfff
