import type { GitObject } from "./object.js"
import type { Oid } from "./oid.js"

/** An entry of a pack, header and zlib stream, and the object that it should be. */
export interface PackedEntry {
  readonly oid: Oid
  readonly entry: Uint8Array
}

/** Port: inflates and hashes short objects at once, with no way over an event loop or a thread pool. */
export interface Unpacker {
  /** The object; undefined when the entry is a delta, is cut off or damaged, or is not what its oid names. Never throws. */
  unpack(packed: PackedEntry): GitObject | undefined
}
