/** What is compared with the file system, row by row. tree/stat-table.ts says what the columns hold. */
export interface StatColumns {
  readonly count: number
  readonly mtimes: BigInt64Array
  readonly ctimes: BigInt64Array
  readonly inodes: BigInt64Array
  readonly sizes: Float64Array
  readonly permissions: Uint32Array
  readonly ends: Uint32Array
  readonly nameStarts: Uint32Array
  readonly kinds: Uint8Array
  readonly names: Uint8Array
}

/** What a row is about. The last one is a file that is not in the tree. */
export const FOLDER_ROW = 0
export const FILE_ROW = 1
export const LINK_ROW = 2
export const LEFT_OUT_ROW = 3

/**
 * Rows as somebody else saw their paths, of which not all is known: of inodes and sizes the lowest 32 bits, of
 * permissions none, of folders nothing.
 */
export interface ToldColumns extends StatColumns {
  /** What was found at each row: the marks below. */
  readonly found: Uint8Array
}

/** The path is what the row said, and the row says by now all that the file system does; of a folder, that it is one. */
export const AS_TOLD = 1
/** Of a folder: its names are those of its rows. */
export const ALL_TOLD = 2
/** Of a folder: there is a file of Git's attributes in it. */
export const HAS_ATTRIBUTES = 4
/** It is on another device than the root. */
export const ELSEWHERE = 8

/** A column of 64-bit numbers as pairs of 32 bits, the lowest first: to read a bigint takes as long as all else about a row. */
export function pairsOf(column: BigInt64Array): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset, 2 * column.length)
}

/** Paths that are being looked at. */
export interface Survey {
  /** Helps with what is left, and resolves when all is done. To be called once, when there is nothing better to do. */
  finish(): Promise<void>
}

/** Port: looks at many paths of which something is known, beside the event loop. */
export interface StatChecker {
  /**
   * The rows whose path is not what they say, in no order. `root` is the path of the first row, `names` the text of all
   * names.
   */
  changed(root: string, columns: StatColumns, names: string): Promise<Uint32Array>
  /** There will soon be many paths to look at: starts what that takes. */
  prepare(): void
  /**
   * Begins to look at the paths of all rows, to list the folders, and to fill in what was not known. `root` is the path of
   * the first row, `names` the text of all names.
   */
  survey(root: string, columns: ToldColumns, names: string): Survey
  /** Whether a folder's times change whenever a name in it does, on the file system that `root` is on. */
  keepsFolderTimes(root: string): Promise<boolean>
}

/** The text of all names, of which a row has a part. */
export function namesOf(columns: StatColumns): string {
  // A decoder takes no shared memory.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(columns.names))
}
