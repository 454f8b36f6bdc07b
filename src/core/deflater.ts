/** Port: zlib streams (RFC 1950), the compression of Git's objects, and the CRC-32 of its pack indexes. */
export interface Deflater {
  /** `bytes` as one zlib stream. */
  deflate(bytes: Uint8Array): Promise<Uint8Array>
  /**
   * The content of the zlib stream at the start of `bytes`; bytes behind its end are ignored. Rejects when the stream
   * is damaged or its content is not exactly `sizeBytes` long, without allocating more than that.
   */
  inflate(bytes: Uint8Array, sizeBytes: number): Promise<Uint8Array>
  /** The content of a whole zlib stream of unknown size, at most `limitBytes` of it: longer rejects. */
  inflateAll(bytes: Uint8Array, limitBytes: number): Promise<Uint8Array>
  /** One zlib stream of what `chunks` give, piece by piece. */
  deflateStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
  /**
   * The content of the zlib stream that `chunks` give, piece by piece; what follows its end is ignored. A damaged or cut
   * stream throws. `onEnd` is told how many bytes the stream took, once all of its content has been given.
   */
  inflateStream(chunks: AsyncIterable<Uint8Array>, onEnd?: (streamBytes: number) => void): AsyncIterable<Uint8Array>
  /** The CRC-32 of `bytes`, continuing from that of the bytes before them. */
  crc32(bytes: Uint8Array, previous?: number): number
}
