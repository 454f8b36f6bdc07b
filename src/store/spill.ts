import type { FileSystem, OpenFile } from "../core/file-system.js"
import { removeIfThere } from "./atomic-file.js"
import { readPieces } from "./file-pieces.js"

/** What a spill is made of. */
export interface SpillOptions {
  readonly fileSystem: FileSystem
  /** The temporary file, whose name must be free. It is made when it is needed. */
  readonly path: string
  /** Of the temporary file. */
  readonly permissions: number
  /** How much stays in memory before it is written. */
  readonly memoryBytes: number
}

/** Bytes that are put one behind the other: in memory up to a bound, and from there into a temporary file. One call at a time. */
export class Spill {
  readonly #options: SpillOptions
  /** The bytes from #flushed on; what is behind them in this array counts for nothing. */
  #buffer: Uint8Array = new Uint8Array(FIRST_BUFFER_BYTES)
  #file: OpenFile | undefined
  #flushed = 0
  #length = 0

  constructor(options: SpillOptions) {
    this.#options = options
  }

  get length(): number {
    return this.#length
  }

  /** Whether so many bytes more stay in memory. */
  hasRoom(bytes: number): boolean {
    return this.#length - this.#flushed + bytes <= this.#options.memoryBytes
  }

  /** Puts bytes that there is room for. */
  put(bytes: Uint8Array): void {
    const buffered = this.#length - this.#flushed
    this.#makeRoom(buffered + bytes.length)
    this.#buffer.set(bytes, buffered)
    this.#length += bytes.length
  }

  /** A call that fails changes nothing. */
  async append(bytes: Uint8Array): Promise<void> {
    if (!this.hasRoom(bytes.length)) await this.#flush()
    if (this.hasRoom(bytes.length)) return this.put(bytes)
    const file = await this.#flush()
    await file.write(bytes, this.#length)
    this.#flushed += bytes.length
    this.#length += bytes.length
  }

  /** Takes back all that was put behind the first `length` bytes. */
  cut(length: number): void {
    this.#length = length
    this.#flushed = Math.min(this.#flushed, length)
  }

  /** Puts other bytes in the place of the first ones. */
  async replaceStart(bytes: Uint8Array): Promise<void> {
    if (this.#flushed === 0) this.#buffer.set(bytes)
    else await (await this.#flush()).write(bytes, 0)
  }

  /** All bytes, in pieces that stay as they are until the next call; those of the file are read back. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    if (this.#file !== undefined) yield* readPieces(this.#file, 0, this.#flushed)
    yield this.#buffer.subarray(0, this.#length - this.#flushed)
  }

  /** Resolves when what is in the temporary file by now is on the medium. */
  async syncWritten(): Promise<void> {
    await this.#file?.sync()
  }

  /** The temporary file, with all the bytes in it and nothing behind them. */
  async toFile(): Promise<OpenFile> {
    const file = await this.#flush()
    await file.truncate(this.#length)
    return file
  }

  /** Closes the temporary file and leaves it where it is, as the caller's own. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  /** Closes and removes the temporary file, if there is one. May be called more than once. */
  async remove(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#buffer = new Uint8Array(0)
    if (file === undefined) return
    try {
      await file.close()
    } finally {
      await removeIfThere(this.#options.fileSystem, this.#options.path)
    }
  }

  async #flush(): Promise<OpenFile> {
    const { fileSystem, path, permissions } = this.#options
    this.#file ??= await fileSystem.open(path, "create", permissions)
    if (this.#length > this.#flushed) {
      await this.#file.write(this.#buffer.subarray(0, this.#length - this.#flushed), this.#flushed)
      this.#flushed = this.#length
    }
    return this.#file
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#buffer.length) return
    const larger = new Uint8Array(Math.min(this.#options.memoryBytes, Math.max(bytes, 2 * this.#buffer.length)))
    larger.set(this.#buffer.subarray(0, this.#length - this.#flushed))
    this.#buffer = larger
  }
}

const FIRST_BUFFER_BYTES = 64 * 1024
