/** Port: SHA-1, the hash of Git's object names and checksums. */
export interface Hasher {
  /** The 20 bytes of the SHA-1 of all parts, in order. */
  sha1(parts: readonly Uint8Array[]): Uint8Array | Promise<Uint8Array>
  /** A hash that is fed piece by piece, for content that is not in memory as a whole. */
  start(): RunningHash
}

/** A hash under way. */
export interface RunningHash {
  update(bytes: Uint8Array): void
  /** The 20 bytes; may be called once. */
  digest(): Uint8Array
}
