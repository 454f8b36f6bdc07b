/*
 * A pack anew with only a part of its objects: their entries as they stand, with those that their deltas build on. It is
 * on the medium, index and all, before anything of the old one may go.
 */
import type { Oid } from "../core/oid.js"
import { SnapshotError } from "../core/errors.js"
import type { OpenFile } from "../core/file-system.js"
import { concat } from "../core/bytes.js"
import { decodeEntryHeader, encodeEntryHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "../core/pack.js"
import type { PackIndex, PackIndexEntry } from "../core/pack-index.js"
import { randomHex } from "../core/random.js"
import { readPiece } from "./file-pieces.js"
import type { GitdirLayout } from "./gitdir.js"
import { packWriter } from "./pack-writer.js"
import type { ObjectPorts } from "./stored-object.js"

/** What was written. */
export interface SlimPack {
  readonly objects: number
  readonly sizeBytes: number
}

/**
 * Writes those entries of the pack at `path`, without extension, that `isWanted` names into a pack of their own. Undefined,
 * with nothing written, when that would not be much less, or when something of the pack is damaged.
 */
export async function slimPack(
  ports: ObjectPorts,
  layout: GitdirLayout,
  path: string,
  index: PackIndex,
  isWanted: (oid: Oid) => boolean,
): Promise<SlimPack | undefined> {
  const file = await ports.fileSystem.open(`${path}.pack`, "read")
  try {
    const endBytes = (await file.stat()).sizeBytes - PACK_TRAILER_BYTES
    const old = new OldPack(ports, file, index, endBytes)
    const wantedBytes = await old.want(isWanted)
    if (wantedBytes === undefined || wantedBytes * MUCH_LESS > endBytes) return undefined
    const writer = packWriter({
      ...ports,
      temporaryFolder: layout.temporary,
      packFolder: layout.packs,
      name: `pack-${randomHex(20)}`,
      durable: true,
    })
    try {
      let offset = PACK_HEADER_BYTES
      for (const entry of old.wanted()) {
        const packed = await old.moved(entry, offset)
        if (packed === undefined) return undefined
        await writer.addPacked({ oid: entry.oid, ...packed })
        offset += packed.entry.length
      }
      await writer.publish()
      return { objects: writer.count, sizeBytes: writer.bytesWritten }
    } finally {
      await writer.discard()
    }
  } catch (error) {
    // What is damaged stays as it is.
    if (error instanceof SnapshotError) throw error
    return undefined
  } finally {
    await file.close()
  }
}

class OldPack {
  readonly #ports: ObjectPorts
  readonly #file: OpenFile
  readonly #index: PackIndex
  readonly #end: number
  readonly #entries = new Map<number, PackIndexEntry>()
  readonly #wanted = new Set<number>()
  /** Where wanted entries stand by now. */
  readonly #moved = new Map<number, number>()

  constructor(ports: ObjectPorts, file: OpenFile, index: PackIndex, end: number) {
    this.#ports = ports
    this.#file = file
    this.#index = index
    this.#end = end
    for (const entry of index.entries()) this.#entries.set(entry.offset, entry)
  }

  /** Wants what `isWanted` names and all that it builds on; gives how many bytes these entries have. Undefined: damaged. */
  async want(isWanted: (oid: Oid) => boolean): Promise<number | undefined> {
    const open: number[] = []
    for (const { oid, offset } of this.#entries.values()) if (isWanted(oid)) open.push(offset)
    let wantedBytes = 0
    for (let offset = open.pop(); offset !== undefined; offset = open.pop()) {
      if (this.#wanted.has(offset)) continue
      const length = this.#endOf(offset) - offset
      const isSound = this.#entries.has(offset) && offset >= PACK_HEADER_BYTES && length > 0 && length <= LONGEST_ENTRY
      if (!isSound) return undefined
      this.#wanted.add(offset)
      wantedBytes += length
      const { header } =
        decodeEntryHeader(await readPiece(this.#file, offset, offset + Math.min(length, HEADER_BYTES))) ?? {}
      if (header === undefined) return undefined
      const base =
        header.type === "offset-delta"
          ? offset - header.distance
          : header.type === "ref-delta"
            ? this.#index.find(header.base)
            : offset
      if (base === undefined) return undefined
      if (base !== offset) open.push(base)
    }
    return wantedBytes
  }

  /** In the order in which they stand. */
  wanted(): PackIndexEntry[] {
    return [...this.#wanted].sort((a, b) => a - b).map((offset) => this.#entries.get(offset) as PackIndexEntry)
  }

  /** An entry as it stands at `offset` in the new pack; undefined when it is damaged. */
  async moved(
    { offset: from, crc32 }: PackIndexEntry,
    offset: number,
  ): Promise<{ readonly entry: Uint8Array; readonly crc32: number } | undefined> {
    const { deflater } = this.#ports
    const bytes = await readPiece(this.#file, from, this.#endOf(from))
    const found = decodeEntryHeader(bytes)
    if (found === undefined || deflater.crc32(bytes) !== crc32) return undefined
    this.#moved.set(from, offset)
    const { header } = found
    if (header.type !== "offset-delta") return { entry: bytes, crc32 }
    const base = this.#moved.get(from - header.distance)
    if (base === undefined) return undefined
    const entry = concat([encodeEntryHeader({ ...header, distance: offset - base }), bytes.subarray(found.end)])
    return { entry, crc32: deflater.crc32(entry) }
  }

  #endOf(offset: number): number {
    return this.#index.nextOffset(offset) ?? this.#end
  }
}

/** Only then is it worth the time. */
const MUCH_LESS = 2
/** A header with the oid of a base. */
const HEADER_BYTES = 32
/** Longer ones are not taken into memory. */
const LONGEST_ENTRY = 64 * 1024 * 1024
