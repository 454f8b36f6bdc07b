import type { Readable } from "node:stream"
import { concat } from "../core/bytes.js"

/** How much of an output is read, and who gets it. */
export interface OutputOptions {
  readonly limitBytes: number
  readonly keepBytes: number
  readonly onChunk?: (chunk: Uint8Array) => void
}

/** Who wants to know of an output. */
export interface OutputEvents {
  /** Something came. */
  readonly onActivity: () => void
  /** Nothing more comes. */
  readonly onEnd: () => void
  /** More came than the limit allows. */
  readonly onOverflow: () => void
  /** The callback threw, or a promise that it gave rejects, be it long after the end. */
  readonly onThrow: (error: unknown) => void
}

/** Reads one output of a process from its first byte to its last, and never stops: a full pipe would hold the process. */
export class ProcessOutput {
  readonly #stream: Readable | null
  readonly #options: OutputOptions
  readonly #events: OutputEvents
  readonly #kept: Uint8Array[] = []
  #keptBytes = 0
  #readBytes = 0
  #isTruncated = false
  #isDeaf = false
  #hasEnded = false
  #isDone = false

  constructor(stream: Readable | null, options: OutputOptions, events: OutputEvents) {
    this.#stream = stream
    this.#options = options
    this.#events = events
    stream?.on("data", (chunk: Uint8Array) => this.#take(chunk))
    stream?.on("end", () => {
      this.#hasEnded = true
      this.#finish()
    })
    stream?.on("error", () => this.#finish())
    stream?.on("close", () => this.#finish())
    // A process for which the system had no handles left has no streams.
    if (stream === null || stream === undefined) this.#hasEnded = this.#isDone = true
  }

  /** Nothing more comes: it ended, or it broke. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** All of it was read. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** There was more than is kept. */
  get isTruncated(): boolean {
    return this.#isTruncated
  }

  /** What is kept: the first bytes. */
  bytes(): Uint8Array {
    return concat(this.#kept)
  }

  /** Nothing more is wanted. */
  close(): void {
    this.#isDeaf = true
    this.#stream?.destroy()
  }

  #take(chunk: Uint8Array): void {
    const { limitBytes, keepBytes, onChunk } = this.#options
    const wanted = plain(chunk).subarray(0, Math.max(0, limitBytes - this.#readBytes))
    this.#readBytes += chunk.length
    const kept = wanted.subarray(0, keepBytes - this.#keptBytes)
    // A callback may do with its chunk what it likes.
    if (kept.length > 0) this.#kept.push(onChunk === undefined ? kept : kept.slice())
    this.#keptBytes += kept.length
    if (kept.length < chunk.length) this.#isTruncated = true
    this.#events.onActivity()
    if (this.#readBytes > limitBytes) this.#events.onOverflow()
    if (onChunk !== undefined && wanted.length > 0 && !this.#isDeaf) this.#tell(onChunk, wanted)
  }

  #tell(onChunk: (chunk: Uint8Array) => unknown, chunk: Uint8Array): void {
    try {
      const given = onChunk(chunk)
      if (typeof given === "object" && given !== null) void this.#heed(given)
    } catch (error) {
      this.#throw(error)
    }
  }

  /** A callback may be an async function, whatever its type says: left alone, its failure would end the host. */
  async #heed(given: unknown): Promise<void> {
    try {
      await given
    } catch (error) {
      this.#throw(error)
    }
  }

  #throw(error: unknown): void {
    this.#isDeaf = true
    this.#events.onThrow(error)
  }

  #finish(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#events.onEnd()
  }
}

/** The same bytes as a plain array: a Buffer's slice would share them. */
function plain(chunk: Uint8Array): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
