import { concat } from "../core/bytes.js"
import { isSnapshotError } from "../core/errors.js"
import type { OpenFile } from "../core/file-system.js"
import { decodeEntryHeader, encodeEntryHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "../core/pack.js"
import type { PackIndexEntry } from "../core/pack-index.js"
import { pauses } from "../core/turns.js"
import { openFollowing, readPiece } from "./file-pieces.js"
import type { GitdirLayout } from "./gitdir.js"
import type { PackFile } from "./pack-file.js"
import { newPack } from "./new-pack.js"
import type { PackWriter } from "./pack-writer.js"
import { putObject } from "./put-object.js"
import type { ObjectPorts } from "./stored-object.js"
import { isUnreadable } from "./unreadable.js"

/**
 * Writes all objects of a damaged pack that are what their oids name, each of them hashed, into a pack of its own, which
 * is on the medium when this resolves; gives how many there are. They are copied as they stand, so that deltas stay
 * deltas, and are made anew only where that cannot be done.
 */
export async function salvagePack(
  ports: ObjectPorts,
  layout: GitdirLayout,
  path: string,
  pack: PackFile,
  signal?: AbortSignal,
): Promise<number> {
  const writer = newPack(ports, layout)
  const file = await openFollowing(ports.fileSystem, `${path}.pack`)
  try {
    const salvage = new Salvage(ports, file, pack, writer)
    const pause = pauses()
    for (const entry of [...pack.index.entries()].sort((a, b) => a.offset - b.offset)) {
      signal?.throwIfAborted()
      await pause()
      await salvage.take(entry)
    }
    await writer.publish()
    return writer.count
  } finally {
    await file.close()
    await writer.discard()
  }
}

class Salvage {
  readonly #ports: ObjectPorts
  readonly #file: OpenFile
  readonly #pack: PackFile
  readonly #writer: PackWriter
  /** Where entries stand by now. */
  readonly #moved = new Map<number, number>()

  constructor(ports: ObjectPorts, file: OpenFile, pack: PackFile, writer: PackWriter) {
    this.#ports = ports
    this.#file = file
    this.#pack = pack
    this.#writer = writer
  }

  async take(entry: PackIndexEntry): Promise<void> {
    if (!(await this.#isSound(entry))) return
    const offset = Math.max(PACK_HEADER_BYTES, this.#writer.bytesWritten)
    const bytes = await this.#moving(entry, offset)
    if (bytes === undefined && !(await this.#putAnew(entry))) return
    if (bytes !== undefined)
      await this.#writer.addPacked({ oid: entry.oid, entry: bytes, crc32: this.#ports.deflater.crc32(bytes) })
    this.#moved.set(entry.offset, offset)
  }

  /** Whether the object is written now. */
  async #putAnew({ oid }: PackIndexEntry): Promise<boolean> {
    const stream = await this.#pack.stream(oid)
    return stream !== undefined && putObject(this.#ports.hasher, this.#writer, oid, stream)
  }

  async #isSound({ oid }: PackIndexEntry): Promise<boolean> {
    try {
      const stream = await this.#pack.stream(oid)
      // Read to its end, where it is verified.
      let length = 0
      for await (const chunk of stream?.chunks ?? []) length += chunk.length
      return stream?.sizeBytes === length
    } catch (error) {
      if (isSnapshotError(error, "OBJECT_CORRUPT") || isSnapshotError(error, "UNSUPPORTED")) return false
      if (isUnreadable(error)) return false
      throw error
    }
  }

  /** The entry as it would stand at `offset`; undefined when where it ends is not known for sure, or it is long. */
  async #moving({ offset: from, crc32 }: PackIndexEntry, offset: number): Promise<Uint8Array | undefined> {
    const end = this.#pack.index.nextOffset(from) ?? (await this.#file.stat()).sizeBytes - PACK_TRAILER_BYTES
    if (end <= from || end - from > LONGEST_ENTRY) return undefined
    const bytes = await readPiece(this.#file, from, end).catch(() => undefined)
    const found = bytes === undefined ? undefined : decodeEntryHeader(bytes)
    if (bytes === undefined || found === undefined || this.#ports.deflater.crc32(bytes) !== crc32) return undefined
    if (found.header.type !== "offset-delta") return bytes
    const base = this.#moved.get(from - found.header.distance)
    if (base === undefined) return undefined
    return concat([encodeEntryHeader({ ...found.header, distance: offset - base }), bytes.subarray(found.end)])
  }
}

/** Longer ones are not taken into memory. */
const LONGEST_ENTRY = 64 * 1024 * 1024
