/*
 * Which of many objects a pack really holds: of the type and the size that are told, in entries whose bytes are still
 * those that the index was made for. Nothing is inflated but the first bytes of deltas, which tell the size of what they
 * make. Entries are read in the order in which they stand, many with one call, and known by their place in that order.
 */
import { deltaSizes } from "../core/delta.js"
import type { Deflater } from "../core/deflater.js"
import type { OpenFile } from "../core/file-system.js"
import { inflateStart } from "../core/inflate-start.js"
import { OID_BYTES } from "../core/oid.js"
import { decodeEntryHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "../core/pack.js"
import type { PackIndex } from "../core/pack-index.js"
import { pauses, type Pause } from "../core/turns.js"
import { BLOB, TREE, type WantedObjects } from "../core/wanted-objects.js"

/** Sets to 1 in `held` what of `wanted` is in the pack, which is open as `file`; gives how many more there are. */
export async function checkPack(
  deflater: Pick<Deflater, "crc32">,
  file: OpenFile,
  index: PackIndex,
  wanted: WantedObjects,
  held: Uint8Array,
): Promise<number> {
  const end = (await file.stat()).sizeBytes - PACK_TRAILER_BYTES
  const check = new PackCheck(deflater, file, index, end)
  /** The place of each, counted from one on; 0 for what is not in the pack. */
  const places = new Uint32Array(wanted.count)
  for (let i = 0; i < wanted.count; i++) {
    if (i % PAUSE_ENTRIES === 0) await check.pause()
    const row = held[i] === 1 ? undefined : index.rowOf(wanted.oids, i * OID_BYTES)
    if (row !== undefined) places[i] = 1 + check.want(row)
  }
  await check.readWanted()
  let found = 0
  for (let i = 0; i < wanted.count; i++) {
    const place = places[i] as number
    if (place === 0 || !check.isSound(place - 1, wanted.types[i] as number, wanted.sizes[i] as number)) continue
    held[i] = 1
    found++
  }
  return found
}

class PackCheck {
  readonly #deflater: Pick<Deflater, "crc32">
  readonly #file: OpenFile
  readonly #index: PackIndex
  /** Where the entries begin, and where the last one ends. */
  readonly #starts: Float64Array
  /** By place: UNREAD, or what its bytes say. */
  readonly #states: Uint8Array
  /** By place: the row in the index, of those that are wanted. */
  readonly #rows: Uint32Array
  /** By place: the size of the object. */
  readonly #sizes: Float64Array
  /** By place: of a delta, the place of its base, or NO_BASE. */
  readonly #bases: Uint32Array
  /** What is read is looked at before more is. */
  readonly #buffer = new Uint8Array(RUN_BYTES)
  readonly pause: Pause = pauses()
  #hasAllRows = false

  constructor(deflater: Pick<Deflater, "crc32">, file: OpenFile, index: PackIndex, end: number) {
    this.#deflater = deflater
    this.#file = file
    this.#index = index
    this.#starts = index.starts(end)
    this.#states = new Uint8Array(index.count)
    this.#rows = new Uint32Array(index.count)
    this.#sizes = new Float64Array(index.count)
    this.#bases = new Uint32Array(index.count)
  }

  /** Wants what is in a row; gives its place. */
  want(row: number): number {
    const place = placeOf(this.#starts, this.#index.offsetAt(row))
    this.#rows[place] = row
    if (this.#states[place] === UNREAD) this.#states[place] = WANTED
    return place
  }

  /** Reads what is wanted, and all that its deltas build on. */
  async readWanted(): Promise<void> {
    while (await this.#readRound()) {
      for (const [place, state] of this.#states.entries()) {
        const base = state === DELTA ? (this.#bases[place] as number) : NO_BASE
        if (base !== NO_BASE && this.#states[base] === UNREAD) this.#wantPlace(base)
      }
    }
  }

  /** Whether the entry at a place, and all that it builds on, are sound and make an object of this type and size. */
  isSound(place: number, type: number, sizeBytes: number): boolean {
    if (this.#sizes[place] !== sizeBytes) return false
    let at = place
    for (let length = 0; this.#states[at] === DELTA && length <= LONGEST_CHAIN; length++) {
      at = this.#bases[at] as number
      if (at === NO_BASE) return false
    }
    return this.#states[at] === (type === TREE ? SOUND_TREE : type === BLOB ? SOUND_BLOB : OTHER)
  }

  #wantPlace(place: number): void {
    if (!this.#hasAllRows)
      for (let row = 0; row < this.#index.count; row++)
        this.#rows[placeOf(this.#starts, this.#index.offsetAt(row))] = row
    this.#hasAllRows = true
    this.#states[place] = WANTED
  }

  /** Reads the places that are wanted by now; whether there were any. */
  async #readRound(): Promise<boolean> {
    let wasAny = false
    for (let first = 0; first < this.#states.length; first++) {
      if (this.#states[first] !== WANTED) continue
      wasAny = true
      const start = this.#starts[first] as number
      const last = this.#lastOfRun(first)
      const length = Math.min((this.#starts[last + 1] as number) - start, RUN_BYTES)
      const read = await this.#file.read(this.#buffer.subarray(0, length), start)
      for (let place = first; place <= last; place++) {
        if (this.#states[place] !== WANTED) continue
        if (place % PAUSE_ENTRIES === 0) await this.pause()
        const at = (this.#starts[place] as number) - start
        const isWhole = (this.#starts[place + 1] as number) - start <= read
        this.#states[place] = isWhole ? this.#look(place, at) : await this.#lookAtLong(place, read)
      }
      first = last
    }
    return wasAny
  }

  /** The last of the places that are read with one call. */
  #lastOfRun(first: number): number {
    const start = this.#starts[first] as number
    let last = first
    for (let place = first + 1; place < this.#states.length; place++) {
      if ((this.#starts[place] as number) - (this.#starts[last + 1] as number) > GAP_BYTES) break
      if ((this.#starts[place + 1] as number) - start > RUN_BYTES) break
      if (this.#states[place] === WANTED) last = place
    }
    return last
  }

  /** What the entry says that stands at `at` in the buffer as a whole. */
  #look(place: number, at: number): number {
    const end = at + (this.#starts[place + 1] as number) - (this.#starts[place] as number)
    const crc32 = this.#deflater.crc32(this.#buffer.subarray(at, end))
    return crc32 === this.#index.crc32At(this.#rows[place] as number) ? this.#stateOf(place, at) : OTHER
  }

  /** What the entry says of which the first `read` bytes are in the buffer. */
  async #lookAtLong(place: number, read: number): Promise<number> {
    const end = this.#starts[place + 1] as number
    const state = this.#stateOf(place, 0)
    let crc32 = this.#deflater.crc32(this.#buffer.subarray(0, read))
    let at = (this.#starts[place] as number) + read
    while (at < end) {
      const piece = this.#buffer.subarray(0, Math.min(RUN_BYTES, end - at))
      const more = await this.#file.read(piece, at)
      if (more < piece.length) return OTHER
      crc32 = this.#deflater.crc32(piece, crc32)
      at += more
    }
    return crc32 === this.#index.crc32At(this.#rows[place] as number) ? state : OTHER
  }

  #stateOf(place: number, at: number): number {
    const start = this.#starts[place] as number
    const found = start < PACK_HEADER_BYTES ? undefined : decodeEntryHeader(this.#buffer, at)
    if (found === undefined) return OTHER
    const { header } = found
    this.#sizes[place] = header.sizeBytes
    if (header.type === "blob") return SOUND_BLOB
    if (header.type === "tree") return SOUND_TREE
    if (header.type !== "offset-delta" && header.type !== "ref-delta") return OTHER
    const content = inflateStart(this.#buffer, found.end, DELTA_SIZES_BYTES)
    const sizes = content && deltaSizes(content)
    const base = header.type === "offset-delta" ? start - header.distance : this.#index.find(header.base)
    if (sizes === undefined || base === undefined) return OTHER
    const basePlace = placeOf(this.#starts, base)
    this.#sizes[place] = sizes.resultBytes
    this.#bases[place] = this.#starts[basePlace] === base && basePlace < this.#states.length ? basePlace : NO_BASE
    return DELTA
  }
}

/** Where a number stands among sorted ones, or would. */
function placeOf(sorted: Float64Array, number: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < number) low = middle + 1
    else high = middle
  }
  return low
}

const UNREAD = 0
const WANTED = 1
const SOUND_BLOB = 2
const SOUND_TREE = 3
const DELTA = 4
/** Damaged, or something that nobody looks for. */
const OTHER = 5
const NO_BASE = 0xffffffff
/** Git itself makes no chains above 4,095. Source: https://git-scm.com/docs/git-pack-objects */
const LONGEST_CHAIN = 4095
/** Two numbers, of 7 bits a byte. */
const DELTA_SIZES_BYTES = 20
/** Reading over so much takes no longer than another call. */
const GAP_BYTES = 32 * 1024
const PAUSE_ENTRIES = 256
const RUN_BYTES = 2 * 1024 * 1024
