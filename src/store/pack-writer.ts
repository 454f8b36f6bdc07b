import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { objectHeader, type ObjectType } from "../core/object.js"
import { oidAt, type Oid } from "../core/oid.js"
import { encodeEntryHeader, encodePackHeader, PACK_HEADER_BYTES } from "../core/pack.js"
import { encodePackIndex, type PackIndexEntry } from "../core/pack-index.js"
import { removeIfThere } from "./atomic-file.js"
import { Spill } from "./spill.js"
import type { ObjectPorts } from "./stored-object.js"

/** Where a pack goes and how it is written. */
export interface PackWriterOptions extends ObjectPorts {
  /** For files that are not in place yet; on the same file system as the pack folder. */
  readonly temporaryFolder: string
  readonly packFolder: string
  /** The name of the pack without extension, which no pack ever had. */
  readonly name: string
  /** A published pack survives a power cut. */
  readonly durable: boolean
  /** So much of the pack is kept in memory before it is written. Default: 8 MiB. */
  readonly memoryBytes?: number
}

/** Writes one pack. Calls may overlap: contents are compressed side by side and put into the pack one by one. */
export interface PackWriter {
  /** Whether the object is in the pack by now. */
  has(oid: Oid): boolean
  /** Number of objects in the pack. */
  readonly count: number
  /** Size of the pack so far; once it is published, that of both its files. 0 without objects. */
  readonly bytesWritten: number
  /**
   * Puts an object into the pack, whose oid is `oid`: it is not hashed again. One that is there already, or that another
   * call is about to add, is stored once. When it rejects, nothing of the object is in the pack.
   */
  add(type: ObjectType, bytes: Uint8Array, oid: Oid): Promise<void>
  /**
   * Puts a blob into the pack piece by piece and gives its oid; other calls wait for it to end before they put theirs.
   * When `chunks` throws, with what it threw, or gives another number of bytes than `sizeBytes`, with INVALID_ARGUMENT,
   * it rejects, and nothing of the blob is in the pack.
   */
  addStream(sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<Oid>
  /**
   * Puts the pack in place, then its index; both on the medium when it is durable. Waits for calls that are under way.
   * Without objects it writes nothing. When anything fails, a sync included, all files of the pack are removed, the
   * failure is thrown, and the writer is of no further use: what a failed sync left on the medium is not known.
   */
  publish(): Promise<void>
  /** Gives up: removes all that was written. Calls under way fail with CLOSED. Does nothing once the pack is published. */
  discard(): Promise<void>
}

export function packWriter(options: PackWriterOptions): PackWriter {
  return new Writer(options)
}

class Writer implements PackWriter {
  readonly #options: PackWriterOptions
  readonly #spill: Spill
  readonly #entries = new Map<Oid, PackIndexEntry>()
  /** Calls of `add` under way. */
  readonly #adding = new Map<Oid, Promise<void>>()
  /** Settles when the last call that puts something into the pack has ended. */
  #tail: Promise<unknown> = Promise.resolve()
  #closed = false
  #published: number | undefined

  constructor(options: PackWriterOptions) {
    this.#options = options
    const { fileSystem, temporaryFolder, name, memoryBytes = MEMORY_BYTES } = options
    this.#spill = new Spill({ fileSystem, path: `${temporaryFolder}/${name}.pack`, permissions: READ_ONLY, memoryBytes })
  }

  get count(): number {
    return this.#entries.size
  }

  get bytesWritten(): number {
    return this.#published ?? (this.#entries.size === 0 ? 0 : this.#spill.length)
  }

  has(oid: Oid): boolean {
    return this.#entries.has(oid)
  }

  async add(type: ObjectType, bytes: Uint8Array, oid: Oid): Promise<void> {
    this.#checkOpen()
    if (this.#entries.has(oid)) return
    const underWay = this.#adding.get(oid)
    if (underWay !== undefined) return underWay
    const adding = this.#add(type, bytes, oid)
    this.#adding.set(oid, adding)
    try {
      await adding
    } finally {
      this.#adding.delete(oid)
    }
  }

  async addStream(sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<Oid> {
    this.#checkOpen()
    return this.#inTurn(async () => {
      const { hasher, deflater } = this.#options
      const hash = hasher.start()
      hash.update(objectHeader("blob", sizeBytes))
      const source = new CountedSource(chunks, sizeBytes, (chunk) => hash.update(chunk))
      const header = encodeEntryHeader({ type: "blob", sizeBytes })
      const offset = this.#spill.length
      let crc32 = deflater.crc32(header)
      try {
        await this.#spill.append(header)
        for await (const piece of deflater.deflateStream(source.chunks())) {
          this.#checkOpen()
          crc32 = deflater.crc32(piece, crc32)
          await this.#spill.append(piece)
        }
        source.checkEnd()
      } catch (error) {
        this.#spill.cut(offset)
        throw source.failure ?? error
      }
      const oid = oidAt(hash.digest())
      if (this.#entries.has(oid)) this.#spill.cut(offset)
      else this.#entries.set(oid, { oid, offset, crc32 })
      return oid
    })
  }

  async publish(): Promise<void> {
    this.#checkOpen()
    await this.#settled()
    this.#checkOpen()
    this.#closed = true
    try {
      this.#published = this.#entries.size === 0 ? 0 : await this.#publish()
    } finally {
      await this.#spill.remove()
    }
  }

  async discard(): Promise<void> {
    this.#closed = true
    await this.#settled()
    await this.#spill.remove()
  }
}
