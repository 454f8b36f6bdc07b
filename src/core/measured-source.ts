import { SnapshotError } from "./errors.js"

/** Chunks on their way, which must be a known number of bytes in all. Each is shown to `see`. */
export class MeasuredSource {
  readonly #chunks: AsyncIterable<Uint8Array>
  readonly #sizeBytes: number
  readonly #see: (chunk: Uint8Array) => void
  #seenBytes = 0
  /** What went wrong in the source, as it was thrown there. */
  failure: { readonly error: unknown } | undefined

  constructor(chunks: AsyncIterable<Uint8Array>, sizeBytes: number, see: (chunk: Uint8Array) => void) {
    this.#chunks = chunks
    this.#sizeBytes = sizeBytes
    this.#see = see
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const given of this.#chunks) {
        // A source may use its buffer again while the chunk still waits to be compressed. (`slice` of a Buffer is no copy.)
        const chunk = new Uint8Array(given)
        this.#seenBytes += chunk.length
        if (this.#seenBytes > this.#sizeBytes) this.checkEnd()
        this.#see(chunk)
        yield chunk
      }
      this.checkEnd()
    } catch (error) {
      this.failure = { error }
      throw error
    }
  }

  /** Throws unless as many bytes have come as there should be. */
  checkEnd(): void {
    if (this.#seenBytes === this.#sizeBytes) return
    const relation = this.#seenBytes > this.#sizeBytes ? "more" : "fewer"
    throw new SnapshotError(
      "INVALID_ARGUMENT",
      `The content has ${relation} bytes than the ${this.#sizeBytes} that were announced. Read it again.`,
      { argument: "chunks" },
    )
  }
}
