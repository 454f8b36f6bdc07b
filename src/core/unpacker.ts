import type { GitObject } from "./object.js"
import type { Oid } from "./oid.js"

/** An entry of a pack, header and zlib stream, and the object that it should be. */
export interface PackedEntry {
  readonly oid: Oid
  readonly entry: Uint8Array
}

/** Port: inflates and hashes objects beside the event loop. */
export interface Unpacker {
  /**
   * The objects, in the order of `entries`; undefined for each that is a delta, or that is not what its oid names. The
   * entries are whole and short. Undefined as a whole, at once or in the end, where the caller has to do it: when there
   * is too little to do to be worth it, and when anything fails. Never rejects. The contents of one call share memory.
   */
  unpack(entries: readonly PackedEntry[]): Promise<readonly (GitObject | undefined)[] | undefined> | undefined
}
