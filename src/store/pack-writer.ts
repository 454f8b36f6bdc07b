import { concat } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import { MeasuredSource } from "../core/measured-source.js"
import { objectHeader, type ObjectType } from "../core/object.js"
import { oidAt, type Oid } from "../core/oid.js"
import { encodeEntryHeader, encodePackHeader, type PackedObject } from "../core/pack.js"
import { encodePackIndex, type PackIndexEntry } from "../core/pack-index.js"
import { removeIfThere } from "./atomic-file.js"
import { copyPack } from "./copy-pack.js"
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
  /** The path of its files that are not in place yet, without extension. */
  readonly temporary: string
  /** Whether the object is in the pack by now. */
  has(oid: Oid): boolean
  /** Number of objects in the pack. */
  readonly count: number
  /** The objects in the pack. */
  oids(): Iterable<Oid>
  /** Size of the pack so far; once it is published, that of both its files. 0 without objects. */
  readonly bytesWritten: number
  /**
   * Puts an object into the pack, whose oid is `oid`: it is not hashed again. One that is there already, or that another
   * call is about to add, is stored once. When it rejects, nothing of the object is in the pack.
   */
  add(type: ObjectType, bytes: Uint8Array, oid: Oid): Promise<void>
  /** Puts an object into the pack as it stands. As `add` otherwise; undefined when it is in the pack at once. */
  addPacked(object: PackedObject): Promise<void> | undefined
  /**
   * Puts a blob into the pack piece by piece and gives its oid; other calls wait for it to end before they put theirs.
   * When `chunks` throws, with what it threw, or gives another number of bytes than `sizeBytes`, with INVALID_ARGUMENT,
   * it rejects, and nothing of the blob is in the pack.
   */
  addStream(sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<Oid>
  /**
   * Takes over all objects of another pack, as they stand in `<path>.pack` and its index `<path>.idx`; none of them may
   * be in this pack yet. When the pack is damaged, or does not hold all of `oids`: IO_FAILED.
   */
  addPack(path: string, oids: Iterable<Oid>): Promise<void>
  /**
   * Puts the pack in place, then its index; both on the medium when it is durable. Waits for calls that are under way.
   * Without objects it writes nothing. When anything fails, a sync included, all files of the pack are removed, the
   * failure is thrown, and the writer is of no further use: what a failed sync left on the medium is not known.
   */
  publish(): Promise<void>
  /**
   * Gives up: removes all that was written. Calls under way fail with CLOSED, or end first. Does nothing once the pack
   * is in place. May be called more than once.
   */
  discard(): Promise<void>
}

/** Begins a pack. Nothing is written before there is more than fits into memory, or the pack is published. */
export function packWriter(options: PackWriterOptions): PackWriter {
  return new Writer(options)
}

class Writer implements PackWriter {
  readonly temporary: string
  readonly #options: PackWriterOptions
  readonly #spill: Spill
  readonly #entries = new Map<Oid, PackIndexEntry>()
  /** Calls of `add` under way. */
  readonly #adding = new Map<Oid, Promise<void>>()
  /** Settles when the last call that puts something into the pack has ended. */
  #lastTurn: Promise<void> = Promise.resolve()
  /** Calls that wait for their turn or have it. */
  #turns = 0
  #publishing: Promise<number> | undefined
  #publishedBytes: number | undefined
  #discarded = false

  constructor(options: PackWriterOptions) {
    this.#options = options
    const { fileSystem, temporaryFolder, name, memoryBytes = MEMORY_BYTES } = options
    this.temporary = `${temporaryFolder}/${name}`
    this.#spill = new Spill({
      fileSystem,
      path: `${this.temporary}.pack`,
      permissions: READ_ONLY,
      memoryBytes,
    })
  }

  get count(): number {
    return this.#entries.size
  }

  oids(): Iterable<Oid> {
    return this.#entries.keys()
  }

  get bytesWritten(): number {
    return this.#publishedBytes ?? (this.#entries.size === 0 ? 0 : this.#spill.length)
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

  addPacked(object: PackedObject): Promise<void> | undefined {
    this.#checkOpen()
    if (this.#entries.has(object.oid)) return undefined
    // Waiting for a turn costs more than putting it there.
    const isNext = this.#turns === 0 && this.#spill.length > 0 && this.#spill.hasRoom(object.entry.length)
    if (!isNext) return this.#inTurn(() => this.#put(object))
    const offset = this.#spill.length
    this.#spill.put(object.entry)
    this.#note(object, offset)
    return undefined
  }

  async addStream(sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<Oid> {
    this.#checkOpen()
    return this.#inTurn(() => this.#addStream(sizeBytes, chunks))
  }

  async addPack(path: string, oids: Iterable<Oid>): Promise<void> {
    this.#checkOpen()
    await this.#inTurn(() => this.#addPack(path, oids))
  }

  async publish(): Promise<void> {
    this.#checkOpen()
    this.#publishing = this.#publish()
    this.#publishedBytes = await this.#publishing
  }

  async discard(): Promise<void> {
    this.#discarded = true
    if (this.#publishing !== undefined) await this.#publishing.catch(() => {})
    else await this.#settled()
    // A file that the system does not let go of is of no harm, and the failure that led here counts more.
    await this.#spill.remove().catch(() => {})
  }

  async #add(type: ObjectType, bytes: Uint8Array, oid: Oid): Promise<void> {
    const { deflater } = this.#options
    const entry = concat([encodeEntryHeader({ type, sizeBytes: bytes.length }), await deflater.deflate(bytes)])
    await this.#inTurn(() => this.#put({ oid, entry, crc32: deflater.crc32(entry) }))
  }

  async #put(object: PackedObject): Promise<void> {
    if (this.#entries.has(object.oid)) return
    const offset = await this.#nextOffset()
    try {
      await this.#spill.append(object.entry)
    } catch (error) {
      this.#spill.cut(offset)
      throw error
    }
    this.#note(object, offset)
  }

  /** Counts an object that is in the pack by now. */
  #note({ oid, crc32 }: PackedObject, offset: number): void {
    this.#entries.set(oid, { oid, offset, crc32 })
  }

  async #addStream(sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<Oid> {
    const { hasher, deflater } = this.#options
    const hash = hasher.start()
    hash.update(objectHeader("blob", sizeBytes))
    const source = new MeasuredSource(chunks, sizeBytes, (chunk) => hash.update(chunk))
    const header = encodeEntryHeader({ type: "blob", sizeBytes })
    let crc32 = deflater.crc32(header)
    const offset = await this.#nextOffset()
    try {
      await this.#spill.append(header)
      for await (const piece of deflater.deflateStream(source.chunks())) {
        this.#checkKept()
        crc32 = deflater.crc32(piece, crc32)
        await this.#spill.append(piece)
      }
      source.checkEnd()
    } catch (error) {
      this.#spill.cut(offset)
      throw source.failure === undefined ? error : source.failure.error
    }
    const oid = oidAt(hash.digest())
    if (this.#entries.has(oid)) this.#spill.cut(offset)
    else this.#entries.set(oid, { oid, offset, crc32 })
    return oid
  }

  async #addPack(path: string, oids: Iterable<Oid>): Promise<void> {
    const offset = await this.#nextOffset()
    try {
      const append = async (piece: Uint8Array): Promise<void> => {
        this.#checkKept()
        await this.#spill.append(piece)
      }
      const entries = await copyPack(this.#options, path, oids, offset, append)
      for (const entry of entries) this.#entries.set(entry.oid, entry)
    } catch (error) {
      this.#spill.cut(offset)
      throw error
    }
  }

  /** Where the next entry begins. */
  async #nextOffset(): Promise<number> {
    // The number of objects is not known yet; the header is written anew in the end.
    if (this.#spill.length === 0) await this.#spill.append(encodePackHeader(0))
    return this.#spill.length
  }

  /** The size of both files. */
  async #publish(): Promise<number> {
    await this.#settled()
    try {
      this.#checkKept()
      return this.#entries.size === 0 ? 0 : await this.#putInPlace()
    } finally {
      await this.#spill.remove().catch(() => {})
    }
  }

  async #putInPlace(): Promise<number> {
    const { fileSystem, hasher, packFolder, name, durable } = this.#options
    const temp = this.temporary
    const target = `${packFolder}/${name}`
    const checksum = await this.#finishContent()
    const index = await encodePackIndex(hasher, [...this.#entries.values()], checksum)
    const size = this.#spill.length + index.length
    try {
      await bothOf(this.#finishPack(), this.#writeIndex(`${temp}.idx`, index))
      await fileSystem.rename(`${temp}.pack`, `${target}.pack`)
      await fileSystem.rename(`${temp}.idx`, `${target}.idx`)
      if (durable) await fileSystem.syncFolder(packFolder)
    } catch (error) {
      // The index goes first: without it the pack is nothing to a reader.
      for (const path of [`${target}.idx`, `${target}.pack`, `${temp}.idx`, `${temp}.pack`])
        await removeIfThere(fileSystem, path).catch(() => {})
      throw error
    }
    return size
  }

  /** Writes the true header and the checksum, which it gives. */
  async #finishContent(): Promise<Uint8Array> {
    await this.#spill.replaceStart(encodePackHeader(this.#entries.size))
    const hash = this.#options.hasher.start()
    const hashing = async (): Promise<void> => {
      for await (const piece of this.#spill.pieces()) hash.update(piece)
    }
    // The medium takes most of a large pack meanwhile.
    await bothOf(hashing(), this.#options.durable ? this.#spill.syncWritten() : Promise.resolve())
    const checksum = hash.digest()
    await this.#spill.append(checksum)
    return checksum
  }

  async #finishPack(): Promise<void> {
    const file = await this.#spill.toFile()
    if (this.#options.durable) await file.sync()
    await this.#spill.close()
  }

  async #writeIndex(path: string, index: Uint8Array): Promise<void> {
    const file = await this.#options.fileSystem.open(path, "create", READ_ONLY)
    try {
      await file.write(index, 0)
      if (this.#options.durable) await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Runs `work` when what was asked for before has ended. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#turns++
    const turn = this.#lastTurn.then(() => {
      this.#checkKept()
      return work()
    })
    const ended = (): void => {
      this.#turns--
    }
    this.#lastTurn = turn.then(ended, ended)
    return turn
  }

  /** Resolves when no call is under way. */
  async #settled(): Promise<void> {
    await Promise.allSettled([...this.#adding.values()])
    await this.#lastTurn
  }

  #checkOpen(): void {
    if (this.#publishing !== undefined) throw closed("published")
    this.#checkKept()
  }

  #checkKept(): void {
    if (this.#discarded) throw closed("given up")
  }
}

/** Waits for both to end, and fails when one fails. */
async function bothOf(first: Promise<void>, second: Promise<void>): Promise<void> {
  for (const result of await Promise.allSettled([first, second])) if (result.status === "rejected") throw result.reason
}

function closed(why: string): SnapshotError {
  return new SnapshotError("CLOSED", `The pack has been ${why}: it takes no more objects.`, {})
}

/** As Git has its packs: nothing writes into them again. */
const READ_ONLY = 0o444
const MEMORY_BYTES = 8 << 20
