import type { Oid } from "./oid.js"

/** Port: contents of blobs of any size. */
export interface BlobSource {
  /**
   * The blob, piece by piece; undefined when nothing holds it. What comes is only known to be right at the end: damage
   * throws OBJECT_CORRUPT after the last piece, so the pieces go to a temporary file first.
   */
  stream(oid: Oid): Promise<{ readonly sizeBytes: number; readonly chunks: AsyncIterable<Uint8Array> } | undefined>
}
