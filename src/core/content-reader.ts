import type { FileStat } from "./file-system.js"
import type { Oid } from "./oid.js"
import type { PackedObject } from "./pack.js"

/** Which file to read, and what of it is wanted. */
export interface ContentRequest {
  /** As for FileSystem.open; of a file in a folder that is held until the answer is there. */
  readonly address: string
  /** A larger file is not read. */
  readonly limitBytes: number
  /** Give the content as an entry of a pack, unless its oid is `knownOid`. */
  readonly isWanted: boolean
  readonly knownOid: Oid | undefined
}

/** A file as it was at one moment. */
export interface ContentFound {
  readonly oid: Oid
  readonly stat: FileStat
  /** The time of day before the file was opened, in milliseconds. */
  readonly openedMs: number
  /** The blob; undefined when it was not wanted. */
  readonly packed: PackedObject | undefined
}

/** A file above the limit. */
export interface ContentTooLarge {
  readonly sizeBytes: number
}

/** Port: reads, hashes and compresses many files beside the event loop. */
export interface ContentReader {
  /**
   * What a file holds, or undefined where the caller has to read it: when there is too little to do to be worth it, when
   * the file is no plain one, when it changes or changed a moment ago, and when anything fails. Never rejects.
   */
  read(request: ContentRequest): Promise<ContentFound | ContentTooLarge | undefined> | undefined
}
