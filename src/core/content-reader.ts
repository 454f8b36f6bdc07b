import type { FileStat } from "./file-system.js"
import type { Oid } from "./oid.js"
import type { PackedObject } from "./pack.js"

/** Which files to read, and what of them is wanted. */
export interface ContentRequest {
  readonly files: readonly RequestedFile[]
  /** A larger file is not read. */
  readonly limitBytes: number
  /** Give the contents as entries of a pack. */
  readonly isWanted: boolean
}

/** A file to read. */
export interface RequestedFile {
  /**
   * As for FileSystem.open; of a file in a folder that is held until the answer is there. Through a path, another file may
   * be read than the one that was meant: its stat tells.
   */
  readonly address: string
  /** Its content is not given when its oid is this one. */
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

/**
 * What a file holds, or undefined where the caller has to read it: when the file is no plain one, when it changes or
 * changed a moment ago, and when anything fails.
 */
export type ContentAnswer = ContentFound | ContentTooLarge | undefined

/** Port: reads, hashes and compresses many files beside the event loop. */
export interface ContentReader {
  /** An answer for each file, in order; undefined when there is too little to do to be worth it. Never rejects. */
  read(request: ContentRequest): Promise<readonly ContentAnswer[]> | undefined
}
