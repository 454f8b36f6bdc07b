/*
 * Which of many objects a pack really holds: of the type and the size that are told, in entries whose bytes are still
 * those that the index was made for. Nothing is inflated but the first bytes of deltas, which tell the size of what they
 * make. Entries are read in the order in which they stand, many with one call.
 */
import { deltaSizes } from "../core/delta.js"
import type { Deflater } from "../core/deflater.js"
import type { OpenFile } from "../core/file-system.js"
import { inflateStart } from "../core/inflate-start.js"
import type { ObjectType } from "../core/object.js"
import { OID_BYTES } from "../core/oid.js"
import { decodeEntryHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES, type PackEntryHeader } from "../core/pack.js"
import type { PackIndex } from "../core/pack-index.js"
import { pauses, type Pause } from "../core/turns.js"
import { TREE, type WantedObjects } from "../core/wanted-objects.js"

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
  const rows = new Map<number, number>()
  for (let i = 0; i < wanted.count; i++) {
    const row = held[i] === 1 ? undefined : index.rowOf(wanted.oids, i * OID_BYTES)
    if (row !== undefined) rows.set(i, row)
  }
  await check.read(rows.values())
  let found = 0
  for (const [i, row] of rows) {
    const type = wanted.types[i] === TREE ? "tree" : "blob"
    if (!check.isSound(index.offsetAt(row), type, wanted.sizes[i] as number)) continue
    held[i] = 1
    found++
  }
  return found
}

/** What the bytes of an entry say. */
interface EntryFacts {
  /** Of a delta: where its base begins; undefined when the base is not in the pack. */
  readonly base: number | undefined
  readonly type: PackEntryHeader["type"]
  /** Of the object. */
  readonly sizeBytes: number
}

interface Span {
  readonly row: number
  readonly start: number
  readonly end: number
}

class PackCheck {
  readonly #deflater: Pick<Deflater, "crc32">
  readonly #file: OpenFile
  readonly #index: PackIndex
  readonly #end: number
  readonly #pause: Pause = pauses()
  /** By where entries begin. Those that are damaged have none. */
  readonly #facts = new Map<number, EntryFacts>()
  readonly #seen = new Set<number>()
  /** What is read is looked at before more is. */
  readonly #buffer = new Uint8Array(RUN_BYTES)
  #rowsByOffset: Map<number, number> | undefined

  constructor(deflater: Pick<Deflater, "crc32">, file: OpenFile, index: PackIndex, end: number) {
    this.#deflater = deflater
    this.#file = file
    this.#index = index
    this.#end = end
  }

  /** Reads these rows, and all that their deltas build on. */
  async read(rows: Iterable<number>): Promise<void> {
    let spans = this.#spansOf(rows)
    while (spans.length > 0) {
      const bases: number[] = []
      for (const run of runsOf(spans)) {
        const buffer = await this.#bytesOf(run)
        for (const span of run) {
          await this.#pause()
          const facts = await this.#factsOf(span, buffer.subarray(span.start - (run[0] as Span).start))
          if (facts === undefined) continue
          this.#facts.set(span.start, facts)
          if (facts.base !== undefined && !this.#seen.has(facts.base)) bases.push(facts.base)
        }
      }
      spans = this.#spansOf(this.#rowsAt(bases))
    }
  }

  /** Whether the entry at `offset`, and all that it builds on, are sound and make an object of this type and size. */
  isSound(offset: number, type: ObjectType, sizeBytes: number): boolean {
    let facts = this.#facts.get(offset)
    if (facts?.sizeBytes !== sizeBytes) return false
    for (let length = 0; facts !== undefined && length <= LONGEST_CHAIN; length++) {
      if (facts.type !== "offset-delta" && facts.type !== "ref-delta") return facts.type === type
      facts = facts.base === undefined ? undefined : this.#facts.get(facts.base)
    }
    return false
  }

  #spansOf(rows: Iterable<number>): Span[] {
    const spans: Span[] = []
    for (const row of rows) {
      const start = this.#index.offsetAt(row)
      const end = this.#index.nextOffset(start) ?? this.#end
      if (this.#seen.has(start) || start < PACK_HEADER_BYTES || end > this.#end || start >= end) continue
      this.#seen.add(start)
      spans.push({ row, start, end })
    }
    return spans.sort((a, b) => a.start - b.start)
  }

  *#rowsAt(offsets: readonly number[]): Generator<number> {
    if (offsets.length === 0) return
    if (this.#rowsByOffset === undefined) {
      this.#rowsByOffset = new Map()
      for (let row = 0; row < this.#index.count; row++) this.#rowsByOffset.set(this.#index.offsetAt(row), row)
    }
    for (const offset of offsets) {
      const row = this.#rowsByOffset.get(offset)
      if (row !== undefined) yield row
    }
  }

  /** Of a run of one long entry, no more than its start. */
  async #bytesOf(run: readonly Span[]): Promise<Uint8Array> {
    const start = (run[0] as Span).start
    const length = Math.min((run.at(-1) as Span).end - start, RUN_BYTES)
    const bytes = this.#buffer.subarray(0, length)
    return bytes.subarray(0, await this.#file.read(bytes, start))
  }

  /** `bytes` begin with the entry, or with the start of a long one. */
  async #factsOf(span: Span, bytes: Uint8Array): Promise<EntryFacts | undefined> {
    const length = span.end - span.start
    const found = decodeEntryHeader(bytes)
    if (found === undefined) return undefined
    const { header } = found
    const facts = this.#factsIn(span, header, bytes, found.end)
    let crc32 = this.#deflater.crc32(bytes.subarray(0, length))
    // What comes next is read into the same place.
    for (let at = bytes.length; at < length; at += RUN_BYTES) {
      const piece = this.#buffer.subarray(0, Math.min(RUN_BYTES, length - at))
      if ((await this.#file.read(piece, span.start + at)) < piece.length) return undefined
      crc32 = this.#deflater.crc32(piece, crc32)
    }
    return crc32 === this.#index.crc32At(span.row) ? facts : undefined
  }

  #factsIn({ start }: Span, header: PackEntryHeader, bytes: Uint8Array, contentAt: number): EntryFacts | undefined {
    const { type } = header
    if (type !== "offset-delta" && type !== "ref-delta") return { type, sizeBytes: header.sizeBytes, base: undefined }
    const content = inflateStart(bytes, contentAt, DELTA_SIZES_BYTES)
    const sizes = content && deltaSizes(content)
    if (sizes === undefined) return undefined
    const base = type === "offset-delta" ? start - header.distance : this.#index.find(header.base)
    return { type, sizeBytes: sizes.resultBytes, base }
  }
}

/** Entries that are read with one call; a long one is alone. */
function runsOf(spans: readonly Span[]): Span[][] {
  const runs: Span[][] = []
  for (const span of spans) {
    const run = runs.at(-1)
    const [first, last] = [run?.[0], run?.at(-1)]
    const isNear = last !== undefined && span.start - last.end <= GAP_BYTES
    if (run !== undefined && first !== undefined && isNear && span.end - first.start <= RUN_BYTES) run.push(span)
    else runs.push([span])
  }
  return runs
}

/** Git itself makes no chains above 4,095. Source: https://git-scm.com/docs/git-pack-objects */
const LONGEST_CHAIN = 4095
/** Two numbers, of 7 bits a byte. */
const DELTA_SIZES_BYTES = 20
/** Reading over so much takes no longer than another call. */
const GAP_BYTES = 32 * 1024
const RUN_BYTES = 2 * 1024 * 1024
