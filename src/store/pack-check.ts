/*
 * Which of many objects a pack really holds: of the type and the size that are told, in entries whose bytes are still
 * those that the index was made for. Nothing is inflated but the first bytes of deltas, which tell the size of what they
 * make. Entries are read in the order in which they stand, many with one call, and known by their place in that order.
 */
import { deltaSizes, type DeltaSizes } from "../core/delta.js"
import type { Deflater } from "../core/deflater.js"
import type { OpenFile } from "../core/file-system.js"
import { inflateStart } from "../core/inflate-start.js"
import { decodeEntryHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "../core/pack.js"
import type { EntriesInOrder, PackIndex } from "../core/pack-index.js"
import { pauses, type Pause } from "../core/turns.js"
import { BLOB, TREE, type WantedObjects } from "../core/wanted-objects.js"

/** What to look for in a pack. */
export interface CheckRequest {
  readonly deflater: Pick<Deflater, "crc32">
  /** The pack. */
  readonly file: OpenFile
  readonly index: PackIndex
  readonly wanted: WantedObjects
  /** For each wanted object its row in the index, counted from one on; 0 for what is not looked for. */
  readonly rows: Uint32Array
}

/**
 * Sets to 1 in `held` what of the wanted objects is in the pack, and in `isSound` the rows of these; gives how many there
 * are.
 */
export async function checkPack(request: CheckRequest, held: Uint8Array, isSound: Uint8Array): Promise<number> {
  const { file, wanted, rows } = request
  const end = (await file.stat()).sizeBytes - PACK_TRAILER_BYTES
  const check = new PackCheck(request, await request.index.inOrder(end))
  /** The place of each, counted from one on; 0 for what is not looked for. */
  const places = new Uint32Array(wanted.count)
  for (let i = 0; i < wanted.count; i++) {
    if (i % PAUSE_ENTRIES === 0) await check.pause()
    const row = rows[i] as number
    if (row !== 0) places[i] = 1 + check.want(row - 1)
  }
  await check.readWanted()
  let found = 0
  for (let i = 0; i < wanted.count; i++) {
    const place = places[i] as number
    if (place === 0 || !check.isSound(place - 1, wanted.types[i] as number, wanted.sizes[i] as number)) continue
    held[i] = 1
    isSound[(rows[i] as number) - 1] = 1
    found++
  }
  return found
}

class PackCheck {
  readonly #deflater: Pick<Deflater, "crc32">
  readonly #file: OpenFile
  readonly #index: PackIndex
  readonly #order: EntriesInOrder
  /** By place: UNREAD, or what its bytes say. */
  readonly #states: Uint8Array
  /** By place: the size of the object. */
  readonly #sizes: Float64Array
  /** By place: of a delta, the place of its base, or NO_BASE. */
  readonly #bases: Uint32Array
  /** While one is looked at, the other one is read into. */
  readonly #buffers: readonly [Uint8Array, Uint8Array] = [new Uint8Array(RUN_BYTES), new Uint8Array(RUN_BYTES)]
  /** What is looked at. */
  #buffer: Uint8Array = this.#buffers[0]
  readonly pause: Pause = pauses()
  /** Bases that are wanted since the last reading. */
  #isLeft = false

  constructor({ deflater, file, index }: CheckRequest, order: EntriesInOrder) {
    this.#deflater = deflater
    this.#file = file
    this.#index = index
    this.#order = order
    this.#states = new Uint8Array(index.count)
    this.#sizes = new Float64Array(index.count)
    this.#bases = new Uint32Array(index.count)
  }

  /** Wants what is in a row; gives its place. */
  want(row: number): number {
    const place = this.#order.places[row] as number
    if (this.#states[place] === UNREAD) this.#states[place] = WANTED
    return place
  }

  /** Reads what is wanted, and all that its deltas build on. */
  async readWanted(): Promise<void> {
    do {
      this.#isLeft = false
      await this.#readRound()
    } while (this.#isLeft)
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

  /** Reads the places that are wanted, from the first to the last: the next run while one is looked at. */
  async #readRound(): Promise<void> {
    let run = this.#runFrom(0)
    let reading = run && this.#read(run, this.#buffers[0])
    try {
      for (let at = 0; run !== undefined && reading !== undefined; at = 1 - at) {
        const read = await reading
        const next = this.#runFrom(run.last + 1)
        reading = next && this.#read(next, this.#buffers[1 - at] as Uint8Array)
        this.#buffer = this.#buffers[at] as Uint8Array
        await this.#lookAt(run, read)
        run = next
      }
    } finally {
      // The file must not be closed under it.
      await reading?.catch(() => {})
    }
  }

  #read({ start, end }: Run, buffer: Uint8Array): Promise<number> {
    return this.#file.read(buffer.subarray(0, Math.min(end - start, RUN_BYTES)), start)
  }

  /** The next places that are wanted, and are read with one call. */
  #runFrom(from: number): Run | undefined {
    const first = this.#states.indexOf(WANTED, from)
    if (first < 0) return undefined
    const states = this.#states
    const { starts } = this.#order
    const start = starts[first] as number
    let last = first
    let end = starts[first + 1] as number
    for (let place = first + 1; place < states.length; place++) {
      if ((starts[place] as number) - end > GAP_BYTES || (starts[place + 1] as number) - start > RUN_BYTES) break
      if (states[place] !== WANTED) continue
      last = place
      end = starts[place + 1] as number
    }
    return { first, last, start, end }
  }

  /** Looks at a run, of which the first `read` bytes are in the buffer. */
  async #lookAt({ first, last, start }: Run, read: number): Promise<void> {
    const states = this.#states
    const { starts } = this.#order
    for (let place = first; place <= last; place++) {
      if (states[place] !== WANTED) continue
      if (place % PAUSE_ENTRIES === 0) await this.pause()
      const isWhole = (starts[place + 1] as number) - start <= read
      const state = isWhole ? this.#look(place, (starts[place] as number) - start) : await this.#lookAtLong(place, read)
      states[place] = state
      const base = state === DELTA ? (this.#bases[place] as number) : NO_BASE
      if (base === NO_BASE || states[base] !== UNREAD) continue
      states[base] = WANTED
      this.#isLeft = true
    }
  }

  /** What the entry says that stands at `at` in the buffer as a whole. */
  #look(place: number, at: number): number {
    const end = at + (this.#order.starts[place + 1] as number) - (this.#order.starts[place] as number)
    const crc32 = this.#deflater.crc32(this.#buffer.subarray(at, end))
    return crc32 === this.#index.crc32At(this.#order.rows[place] as number) ? this.#stateOf(place, at) : OTHER
  }

  /** What the entry says of which the first `read` bytes are in the buffer. */
  async #lookAtLong(place: number, read: number): Promise<number> {
    const end = this.#order.starts[place + 1] as number
    const state = this.#stateOf(place, 0)
    let crc32 = this.#deflater.crc32(this.#buffer.subarray(0, read))
    let at = (this.#order.starts[place] as number) + read
    while (at < end) {
      const piece = this.#buffer.subarray(0, Math.min(RUN_BYTES, end - at))
      const more = await this.#file.read(piece, at)
      if (more < piece.length) return OTHER
      crc32 = this.#deflater.crc32(piece, crc32)
      at += more
    }
    return crc32 === this.#index.crc32At(this.#order.rows[place] as number) ? state : OTHER
  }

  #stateOf(place: number, at: number): number {
    const start = this.#order.starts[place] as number
    const found = start < PACK_HEADER_BYTES ? undefined : decodeEntryHeader(this.#buffer, at)
    if (found === undefined) return OTHER
    const { header, end } = found
    this.#sizes[place] = header.sizeBytes
    if (header.type === "blob") return SOUND_BLOB
    if (header.type === "tree") return SOUND_TREE
    if (header.type !== "offset-delta" && header.type !== "ref-delta") return OTHER
    const sizes = this.#deltaSizesAt(end, FEW_BYTES) ?? this.#deltaSizesAt(end, DELTA_SIZES_BYTES)
    const base = header.type === "offset-delta" ? start - header.distance : this.#index.find(header.base)
    if (sizes === undefined || base === undefined) return OTHER
    const basePlace = placeOf(this.#order.starts, base)
    this.#sizes[place] = sizes.resultBytes
    this.#bases[place] = this.#order.starts[basePlace] === base && basePlace < this.#states.length ? basePlace : NO_BASE
    return DELTA
  }

  /** The sizes in the first `count` bytes of the delta whose stream stands at `at`; undefined when there are not two. */
  #deltaSizesAt(at: number, count: number): DeltaSizes | undefined {
    const content = inflateStart(this.#buffer, at, count)
    return content && deltaSizes(content)
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

/** Places that stand together, from the first to the last, and where they begin and end. */
interface Run {
  readonly first: number
  readonly last: number
  readonly start: number
  readonly end: number
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
/** Enough for objects of up to 256 MiB. */
const FEW_BYTES = 8
/** Reading over so much takes no longer than another call. */
const GAP_BYTES = 32 * 1024
const PAUSE_ENTRIES = 256
const RUN_BYTES = 1024 * 1024
