/*
 * Whether the two files of a pack are as they were written: the index by its own checksum; the pack by the checksum at
 * its end, and by the CRC-32 that the index has of each entry, which tells what is damaged. The pack is read once, from
 * its beginning to its end, and nothing is inflated.
 */
import { errnoOf, isSnapshotError } from "../core/errors.js"
import type { OpenFile } from "../core/file-system.js"
import { equalBytes } from "../core/bytes.js"
import type { Oid } from "../core/oid.js"
import { decodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "../core/pack.js"
import { parsePackIndex, type EntriesInOrder, type PackIndex } from "../core/pack-index.js"
import { pauses } from "../core/turns.js"
import { openFollowing, readPieces } from "./file-pieces.js"
import type { ObjectPorts } from "./stored-object.js"
import { isUnreadable } from "./unreadable.js"

/** How a file is. `unreadable`: it is there, and the system does not give what is in it. */
export type FileState = "sound" | "missing" | "corrupt" | "unreadable"

/** How the files of a pack are. */
export interface PackState {
  /** The path of both without their extension. */
  readonly path: string
  readonly index: FileState
  /** The index, where it is sound. */
  readonly parsed: PackIndex | undefined
  /** The pack, its entries aside: readers do not use one that is not sound. */
  readonly pack: FileState
  /** The objects whose entries are damaged. */
  readonly damaged: readonly Oid[]
}

/** Whether there is anything wrong with a pack. */
export function isSound({ index, pack, damaged }: PackState): boolean {
  return index === "sound" && pack === "sound" && damaged.length === 0
}

/**
 * Looks at `<path>.pack` and `<path>.idx`. Undefined: both are gone, or the index is of a version that is not read here.
 * `onRead` is told of bytes that were read.
 */
export async function auditPack(
  ports: ObjectPorts,
  path: string,
  signal?: AbortSignal,
  onRead: (bytes: number) => void = () => {},
): Promise<PackState | undefined> {
  let parsed: PackIndex | "missing" | "corrupt" | "unreadable"
  try {
    parsed = await readIndex(ports, path)
  } catch (error) {
    if (isSnapshotError(error, "FORMAT_UNSUPPORTED")) return undefined
    throw error
  }
  const index = typeof parsed === "string" ? parsed : "sound"
  const known = typeof parsed === "string" ? undefined : parsed
  let found: Omit<PackState, "path" | "index" | "parsed">
  try {
    const file = await openFollowing(ports.fileSystem, `${path}.pack`)
    try {
      found = known === undefined ? NOTHING_KNOWN : await readPack(ports, file, known, signal, onRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    // A folder in its place is as good as nothing.
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "EISDIR") found = { pack: "missing", damaged: [] }
    else if (isUnreadable(error)) found = { pack: "unreadable", damaged: [] }
    else throw error
  }
  return index === "missing" && found.pack === "missing" ? undefined : { path, index, parsed: known, ...found }
}

/** Without its index there is nothing to compare a pack with. */
const NOTHING_KNOWN = { pack: "sound", damaged: [] } as const

async function readIndex(ports: ObjectPorts, path: string): Promise<PackIndex | "missing" | "corrupt" | "unreadable"> {
  let bytes
  try {
    bytes = await ports.fileSystem.readFile(`${path}.idx`)
  } catch (error) {
    if (isUnreadable(error)) return "unreadable"
    throw error
  }
  if (bytes === undefined) return "missing"
  return (await parsePackIndex(ports.hasher, bytes, `${path}.idx`)) ?? "corrupt"
}

async function readPack(
  ports: ObjectPorts,
  file: OpenFile,
  index: PackIndex,
  signal: AbortSignal | undefined,
  onRead: (bytes: number) => void,
): Promise<Pick<PackState, "pack" | "damaged">> {
  const { sizeBytes } = await file.stat()
  const end = Math.max(0, sizeBytes - PACK_TRAILER_BYTES)
  const start = new Uint8Array(PACK_HEADER_BYTES)
  const trailer = new Uint8Array(PACK_TRAILER_BYTES)
  await file.read(start, 0)
  await file.read(trailer, end)
  const order = await index.inOrder(end)
  const entries = new EntryChecks(ports, index, order)
  const hash = ports.hasher.start()
  const pause = pauses()
  let at = 0
  for await (const piece of readPieces(file, 0, end)) {
    signal?.throwIfAborted()
    hash.update(piece)
    await entries.read(piece, at, pause)
    at += piece.length
    onRead(piece.length)
  }
  const damaged = entries.damaged()
  const isFramed = decodePackHeader(start) === index.count && equalBytes(trailer, index.packChecksum)
  // What the entries tell is told of them alone.
  const isSummed = damaged.length > 0 || equalBytes(hash.digest(), trailer)
  return { pack: isFramed && isSummed ? "sound" : "corrupt", damaged }
}

/** Compares entries with what the index has of them, as the bytes of their pack come along. */
class EntryChecks {
  readonly #ports: ObjectPorts
  readonly #index: PackIndex
  readonly #order: EntriesInOrder
  readonly #damaged: number[] = []
  #place = 0
  #crc32 = 0

  constructor(ports: ObjectPorts, index: PackIndex, order: EntriesInOrder) {
    this.#ports = ports
    this.#index = index
    this.#order = order
  }

  /** Takes the bytes of the pack that stand at `at`, behind those of the call before. */
  async read(piece: Uint8Array, at: number, pause: () => Promise<void> | undefined): Promise<void> {
    const { starts } = this.#order
    const pieceEnd = at + piece.length
    while (this.#place < this.#index.count && (starts[this.#place] as number) < pieceEnd) {
      if (this.#place % PAUSE_ENTRIES === 0) await pause()
      const start = starts[this.#place] as number
      const end = starts[this.#place + 1] as number
      const from = Math.max(start, at)
      this.#crc32 = this.#ports.deflater.crc32(
        piece.subarray(from - at, Math.max(from, Math.min(end, pieceEnd)) - at),
        this.#crc32,
      )
      if (end > pieceEnd) return
      this.#end(start < end)
    }
  }

  /** The objects whose entries are not as the index has them, those that the pack is too short for included. */
  damaged(): Oid[] {
    while (this.#place < this.#index.count) this.#end(false)
    const oids: Oid[] = []
    const rows = new Set(this.#damaged)
    let row = 0
    for (const { oid } of rows.size === 0 ? [] : this.#index.entries()) if (rows.has(row++)) oids.push(oid)
    return oids
  }

  #end(isThere: boolean): void {
    const row = this.#order.rows[this.#place++] as number
    if (!isThere || this.#crc32 !== this.#index.crc32At(row)) this.#damaged.push(row)
    this.#crc32 = 0
  }
}

const PAUSE_ENTRIES = 256
