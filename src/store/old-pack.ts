import { PACK_HEADER_BYTES, PACK_TRAILER_BYTES, type PackEntryHeader } from "../core/pack.js"
import type { EntriesInOrder, PackIndex } from "../core/pack-index.js"
import type { Oid } from "../core/oid.js"
import { pauses } from "../core/turns.js"
import { baseOffset, placeOf, readEntryHeaders } from "./entry-headers.js"
import { readPiece } from "./file-pieces.js"
import type { OpenFiles } from "./open-files.js"

/** What is kept of a pack. */
export interface KeepRequest {
  readonly isWanted: (oid: Oid) => boolean
  /** What wanted deltas build on is kept only if it is wanted itself. */
  readonly isCompact: boolean
}

/** A pack whose entries go into another one. They go by their place, counted from the first one that stands in it. */
export class OldPack {
  readonly #files: OpenFiles
  readonly #path: string
  readonly #index: PackIndex
  readonly #order: EntriesInOrder
  /** By place: 1 for what is kept. */
  readonly #kept: Uint8Array
  /** By place: of a delta, the place of its base, counted from one on; 0 for others. */
  readonly #bases: Uint32Array
  /** By place: the size of the object, or of the delta. */
  readonly #sizes: Float64Array
  /** By place: 1 for what has no header that makes sense, or a base that is not there. */
  readonly #damaged: Uint8Array
  /** What the entries take in the pack that are kept as they stand, or in another form. */
  keptBytes = 0

  private constructor(files: OpenFiles, path: string, index: PackIndex, order: EntriesInOrder) {
    this.#files = files
    this.#path = path
    this.#index = index
    this.#order = order
    this.#kept = new Uint8Array(index.count)
    this.#bases = new Uint32Array(index.count)
    this.#sizes = new Float64Array(index.count)
    this.#damaged = new Uint8Array(index.count)
  }

  /** The pack at `<path>.pack`, with what is kept of it; it is opened among `files`. Undefined: it is damaged. */
  static async of(files: OpenFiles, path: string, index: PackIndex, keep: KeepRequest): Promise<OldPack | undefined> {
    const pack = await files.use(`${path}.pack`, async (file) => {
      const end = (await file.stat()).sizeBytes - PACK_TRAILER_BYTES
      const found = new OldPack(files, `${path}.pack`, index, await index.inOrder(end))
      await readEntryHeaders(file, found.#order.starts.subarray(0, index.count), (place, header) =>
        found.#note(place, header),
      )
      return found
    })
    return (await pack.#keep(keep)) ? pack : undefined
  }

  get count(): number {
    return this.#index.count
  }

  isKept(place: number): boolean {
    return this.#kept[place] === 1
  }

  oidAt(place: number): Oid {
    return this.#index.oidAt(this.#order.rows[place] as number)
  }

  /** Of a delta, the place of its base. */
  baseOf(place: number): number | undefined {
    const base = this.#bases[place] as number
    return base === 0 ? undefined : base - 1
  }

  /** Of a delta whose base is kept, the place of that. */
  keptBaseOf(place: number): number | undefined {
    const base = this.baseOf(place)
    return base !== undefined && this.isKept(base) ? base : undefined
  }

  sizeOf(place: number): number {
    return this.#sizes[place] as number
  }

  crc32At(place: number): number {
    return this.#index.crc32At(this.#order.rows[place] as number)
  }

  /** How long the entry is. */
  lengthOf(place: number): number {
    return (this.#order.starts[place + 1] as number) - (this.#order.starts[place] as number)
  }

  /** The entry as it stands. */
  read(place: number): Promise<Uint8Array> {
    const [start, end] = [this.#order.starts[place] as number, this.#order.starts[place + 1] as number]
    return this.#files.use(this.#path, (file) => readPiece(file, start, end))
  }

  async #keep({ isWanted, isCompact }: KeepRequest): Promise<boolean> {
    const pause = pauses()
    const open: number[] = []
    for (let place = 0; place < this.count; place++) {
      if (place % PAUSE_ENTRIES === 0) await pause()
      if (isWanted(this.oidAt(place))) open.push(place)
    }
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (this.isKept(place)) continue
      const start = this.#order.starts[place] as number
      const length = this.lengthOf(place)
      if (this.#damaged[place] === 1 || start < PACK_HEADER_BYTES || length <= 0 || length > LONGEST_ENTRY) return false
      this.#kept[place] = 1
      this.keptBytes += length
      const base = this.baseOf(place)
      if (base !== undefined && !isCompact) open.push(base)
    }
    return true
  }

  #note(place: number, header: PackEntryHeader | undefined): void {
    this.#sizes[place] = header?.sizeBytes ?? 0
    if (header === undefined) this.#damaged[place] = 1
    if (header?.type !== "offset-delta" && header?.type !== "ref-delta") return
    const start = this.#order.starts[place] as number
    const base = placeOf(this.#order.starts.subarray(0, this.count), baseOffset(this.#index, start, header))
    if (base < 0) this.#damaged[place] = 1
    else this.#bases[place] = base + 1
  }
}

const PAUSE_ENTRIES = 1024
/** Longer ones are not taken into memory. */
const LONGEST_ENTRY = 256 * 1024 * 1024
