/*
 * What a pack holds, found out from the pack alone: its entries one after the other, as far as they can be read. For a
 * pack whose index is gone or damaged.
 */
import type { OpenFile } from "../core/file-system.js"
import { equalBytes } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import { hashObject, objectHeader, type ObjectType } from "../core/object.js"
import { oidAt, type Oid } from "../core/oid.js"
import {
  decodeEntryHeader,
  decodePackHeader,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
  type PackEntryHeader,
} from "../core/pack.js"
import type { PackIndexEntry } from "../core/pack-index.js"
import { pauses } from "../core/turns.js"
import { readPiece } from "./file-pieces.js"
import { PackEntries, type PackPorts } from "./pack-entries.js"

/** What was found in a pack. */
export interface ScannedPack {
  /** Each oid once. */
  readonly entries: readonly PackIndexEntry[]
  /** The last 20 bytes of the file. */
  readonly checksum: Uint8Array
  /** All of the pack could be read, and its checksum is the one that it should have. */
  readonly isWhole: boolean
}

/**
 * Reads `<path>.pack` from its first entry on, up to the first that makes no sense. What the system fails to read throws.
 */
export async function scanPack(ports: PackPorts, path: string, signal?: AbortSignal): Promise<ScannedPack> {
  return ports.openFiles.use(`${path}.pack`, async (file) => {
    const scan = new PackScan(ports, `${path}.pack`, file, (await file.stat()).sizeBytes, signal)
    return scan.run()
  })
}

/** An entry that was found. */
interface FoundEntry {
  readonly offset: number
  readonly header: PackEntryHeader
  readonly crc32: number
}

class PackScan {
  readonly #ports: PackPorts
  readonly #path: string
  readonly #file: OpenFile
  readonly #sizeBytes: number
  readonly #signal: AbortSignal | undefined
  readonly #found: FoundEntry[] = []
  readonly #oids = new Map<number, Oid>()
  readonly #offsets = new Map<Oid, number>()
  /** Deltas whose base is not known yet, by where it stands, or by its oid. */
  readonly #waiting = new Map<number | Oid, number[]>()
  /** Deltas whose base is known. */
  readonly #ready: number[] = []
  /** Where each entry ends, by where it begins. */
  readonly #ends = new Map<number, number>()
  #window: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) }

  constructor(ports: PackPorts, path: string, file: OpenFile, sizeBytes: number, signal: AbortSignal | undefined) {
    this.#ports = ports
    this.#path = path
    this.#file = file
    this.#sizeBytes = sizeBytes
    this.#signal = signal
  }

  async run(): Promise<ScannedPack> {
    const start = await this.#bytes(0, Math.min(PACK_HEADER_BYTES, this.#sizeBytes))
    const count = decodePackHeader(start)
    const end = await this.#readEntries(count ?? Number.POSITIVE_INFINITY)
    await this.#resolveDeltas()
    const contentEnd = Math.max(0, this.#sizeBytes - PACK_TRAILER_BYTES)
    const checksum = await this.#bytes(contentEnd, this.#sizeBytes)
    const isRead = count === this.#found.length && end === contentEnd && this.#oids.size === count
    const isWhole = isRead && equalBytes(await this.#hash(contentEnd), checksum)
    return { entries: this.#entries(), checksum, isWhole }
  }

  /** Each oid once, where it was found first. */
  #entries(): PackIndexEntry[] {
    return this.#found.flatMap(({ offset, crc32 }) => {
      const oid = this.#oids.get(offset)
      return oid === undefined || this.#offsets.get(oid) !== offset ? [] : [{ oid, offset, crc32 }]
    })
  }

  /** Reads up to `most` entries; gives where the last one ends. */
  async #readEntries(most: number): Promise<number> {
    const pause = pauses()
    let at = PACK_HEADER_BYTES
    while (this.#found.length < most && at < this.#sizeBytes) {
      this.#signal?.throwIfAborted()
      await pause()
      const end = await this.#readEntry(at)
      if (end === undefined) break
      at = end
    }
    return at
  }

  /** Reads the entry at `offset`; gives where it ends, undefined when there is none. */
  async #readEntry(offset: number): Promise<number | undefined> {
    const decoded = decodeEntryHeader(await this.#bytes(offset, Math.min(offset + HEADER_BYTES, this.#sizeBytes)))
    if (decoded === undefined) return undefined
    const { header } = decoded
    const contentAt = offset + decoded.end
    const isDelta = header.type === "offset-delta" || header.type === "ref-delta"
    const hash = this.#ports.hasher.start()
    if (!isDelta) hash.update(objectHeader(header.type as ObjectType, header.sizeBytes))
    let streamBytes: number | undefined
    let length = 0
    try {
      const stream = this.#pieces(contentAt)
      for await (const chunk of this.#ports.deflater.inflateStream(stream, (bytes) => (streamBytes = bytes))) {
        length += chunk.length
        if (length > header.sizeBytes) return undefined
        if (!isDelta) hash.update(chunk)
      }
    } catch (error) {
      if (error instanceof SnapshotError) throw error
      return undefined
    }
    if (streamBytes === undefined || length !== header.sizeBytes) return undefined
    const end = contentAt + streamBytes
    this.#found.push({ offset, header, crc32: await this.#crc32(offset, end) })
    this.#ends.set(offset, end)
    if (!isDelta) this.#settle(offset, oidAt(hash.digest()))
    else this.#await(offset, header)
    return end
  }

  #await(offset: number, header: PackEntryHeader): void {
    const base =
      header.type === "offset-delta" ? offset - header.distance : header.type === "ref-delta" ? header.base : 0
    const isKnown = typeof base === "number" ? this.#oids.has(base) : this.#offsets.has(base)
    const waiting = this.#waiting.get(base)
    if (isKnown) this.#ready.push(offset)
    else if (waiting !== undefined) waiting.push(offset)
    else this.#waiting.set(base, [offset])
  }

  /** Notes what an entry is, and that deltas on it can be resolved. */
  #settle(offset: number, oid: Oid): void {
    this.#oids.set(offset, oid)
    if (!this.#offsets.has(oid)) this.#offsets.set(oid, offset)
    for (const base of [offset, oid]) {
      for (const delta of this.#waiting.get(base) ?? []) this.#ready.push(delta)
      this.#waiting.delete(base)
    }
  }

  async #resolveDeltas(): Promise<void> {
    const places = {
      packChecksum: new Uint8Array(0),
      find: (oid: Oid) => this.#offsets.get(oid),
      nextOffset: (offset: number) => this.#ends.get(offset),
    }
    const entries = new PackEntries(this.#ports, this.#path, places, this.#sizeBytes)
    const pause = pauses()
    for (let offset = this.#ready.pop(); offset !== undefined; offset = this.#ready.pop()) {
      this.#signal?.throwIfAborted()
      await pause()
      try {
        const { type, bytes } = await entries.resolve(offset, UNNAMED)
        this.#settle(offset, await hashObject(this.#ports.hasher, type, bytes))
      } catch (error) {
        // One that is damaged, or too large, is not found; nor is what builds on it.
        if (error instanceof SnapshotError && error.code !== "UNSUPPORTED") throw error
      }
    }
  }

  async #hash(end: number): Promise<Uint8Array> {
    const hash = this.#ports.hasher.start()
    for await (const piece of this.#pieces(0, end)) {
      this.#signal?.throwIfAborted()
      hash.update(piece)
    }
    return hash.digest()
  }

  async #crc32(start: number, end: number): Promise<number> {
    let crc32 = 0
    for await (const piece of this.#pieces(start, end)) crc32 = this.#ports.deflater.crc32(piece, crc32)
    return crc32
  }

  /** The bytes from `start` up to `end`, piece by piece. */
  async *#pieces(start: number, end = this.#sizeBytes): AsyncGenerator<Uint8Array> {
    for (let at = start, length = FIRST_PIECE_BYTES; at < end; at += length, length = WINDOW_BYTES) {
      length = Math.min(length, end - at)
      yield await this.#bytes(at, at + length)
    }
  }

  /** Entries are short, and stand one behind the other: most are in what was read for the one before. */
  async #bytes(start: number, end: number): Promise<Uint8Array> {
    const isIn = start >= this.#window.start && end <= this.#window.start + this.#window.bytes.length
    if (!isIn) {
      const windowEnd = Math.max(end, Math.min(start + WINDOW_BYTES, this.#sizeBytes))
      this.#window = { start, bytes: await readPiece(this.#file, start, windowEnd) }
    }
    return this.#window.bytes.subarray(start - this.#window.start, end - this.#window.start)
  }
}

const HEADER_BYTES = 32
const FIRST_PIECE_BYTES = 4 * 1024
const WINDOW_BYTES = 256 * 1024
/** Stands for an object that is about to get its name. */
const UNNAMED = "0".repeat(40) as Oid
