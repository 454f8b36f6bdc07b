import { equalBytes } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { GitObject, ObjectReader } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { decodePackHeader, PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "../core/pack.js"
import { parsePackIndex, type PackIndex } from "../core/pack-index.js"
import { readPieces } from "./file-pieces.js"
import { readShortEntries, type EntrySpan, type TakeEntry } from "./short-entries.js"
import type { OpenFiles } from "./open-files.js"
import { PackEntries, type PackPorts } from "./pack-entries.js"
import { asDamage, inOnePiece, ONE_PIECE_BYTES, verified, verifiedChunks, type ObjectStream } from "./stored-object.js"

/** A pack, opened for reading. Its index is in memory, of the pack itself only what is being read. */
export interface PackFile extends ObjectReader {
  readonly index: PackIndex
  /** The object: undefined when it is not in the pack, OBJECT_CORRUPT, UNSUPPORTED above the limit. */
  read(oid: Oid): Promise<GitObject | undefined>
  /**
   * An object of any size; one that is stored as a delta up to the limit only. Small ones and deltas are verified
   * before they are given, others at their end.
   */
  stream(oid: Oid): Promise<ObjectStream | undefined>
  /** Gives `take` those of `oids` that are whole, short entries of the pack, as they are stored, until it says no. */
  readShort(oids: Iterable<Oid>, take: TakeEntry): Promise<void>
}

/**
 * Opens `<path>.pack` and `<path>.idx`. Undefined when they are not what they should be: an index with a wrong checksum,
 * a pack that does not begin with the number of objects or end with the checksum that its index names. A file that is
 * not there: IO_FAILED with ENOENT. Another version of the index than 2: FORMAT_UNSUPPORTED.
 */
export async function openPackFile(ports: PackPorts, path: string): Promise<PackFile | undefined> {
  const indexBytes = await ports.fileSystem.readFile(`${path}.idx`)
  if (indexBytes === undefined) throw missing(`${path}.idx`)
  const index = await parsePackIndex(ports.hasher, indexBytes, `${path}.idx`)
  if (index === undefined) return undefined

  return ports.openFiles.use(`${path}.pack`, async (file) => {
    const { sizeBytes } = await file.stat()
    const endBytes = sizeBytes - PACK_TRAILER_BYTES
    if (endBytes < PACK_HEADER_BYTES) return undefined
    const start = new Uint8Array(PACK_HEADER_BYTES)
    const trailer = new Uint8Array(PACK_TRAILER_BYTES)
    await file.read(start, 0)
    await file.read(trailer, endBytes)
    if (decodePackHeader(start) !== index.count || !equalBytes(trailer, index.packChecksum)) return undefined
    return new IndexedPack(ports, `${path}.pack`, index, endBytes)
  })
}

/**
 * Opens `<path>.pack` by an index that is not in question, whatever the pack's first and last bytes are, and however long
 * it is. What is damaged in it: OBJECT_CORRUPT, object by object.
 */
export async function openByIndex(ports: PackPorts, path: string, index: PackIndex): Promise<PackFile> {
  return ports.openFiles.use(`${path}.pack`, async (file) => {
    const { sizeBytes } = await file.stat()
    const trailer = new Uint8Array(PACK_TRAILER_BYTES)
    const endBytes = Math.max(0, sizeBytes - PACK_TRAILER_BYTES)
    await file.read(trailer, endBytes)
    // A pack that was cut ends in the middle of an entry, not in a checksum.
    const isEnded = equalBytes(trailer, index.packChecksum)
    return new IndexedPack(ports, `${path}.pack`, index, isEnded ? endBytes : sizeBytes)
  })
}

class IndexedPack implements PackFile {
  readonly index: PackIndex
  readonly #ports: PackPorts
  readonly #path: string
  readonly #entries: PackEntries

  constructor(ports: PackPorts, path: string, index: PackIndex, endBytes: number) {
    this.#ports = ports
    this.#path = path
    this.index = index
    this.#entries = new PackEntries(ports, path, index, endBytes)
  }

  async read(oid: Oid): Promise<GitObject | undefined> {
    const offset = this.index.find(oid)
    if (offset === undefined) return undefined
    try {
      return await verified(this.#ports.hasher, oid, await this.#entries.resolve(offset, oid), this.#path)
    } catch (cause) {
      throw asDamage(oid, this.#path, cause)
    }
  }

  readShort(oids: Iterable<Oid>, take: TakeEntry): Promise<void> {
    const spans: EntrySpan[] = []
    for (const oid of oids) {
      const offset = this.index.find(oid)
      const span = offset === undefined ? undefined : this.#entries.span(offset)
      if (span !== undefined) spans.push({ oid, ...span })
    }
    return spans.length === 0 ? Promise.resolve() : readShortEntries(this.#ports.openFiles, this.#path, spans, take)
  }

  async stream(oid: Oid): Promise<ObjectStream | undefined> {
    const offset = this.index.find(oid)
    if (offset === undefined) return undefined
    const { hasher, deflater, openFiles } = this.#ports
    let found
    try {
      found = await this.#entries.at(offset)
    } catch (cause) {
      throw asDamage(oid, this.#path, cause)
    }
    const { type, sizeBytes } = found.header
    if (sizeBytes <= ONE_PIECE_BYTES || type === "offset-delta" || type === "ref-delta") {
      const object = await this.read(oid)
      return object && inOnePiece(object)
    }
    const object = { type, sizeBytes }
    const stored = piecesOf(openFiles, this.#path, found.contentAt, found.end)
    return { ...object, chunks: verifiedChunks(hasher, oid, object, deflater.inflateStream(stored), this.#path) }
  }
}

async function* piecesOf(files: OpenFiles, path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  const held = await files.hold(path)
  try {
    yield* readPieces(held.file, start, end)
  } finally {
    await held.release()
  }
}

function missing(path: string): SnapshotError {
  const details = { action: "open the file", path, errno: "ENOENT" }
  return new SnapshotError("IO_FAILED", `Could not open the file at ${path}: it is not there.`, details)
}
