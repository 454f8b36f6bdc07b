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

/** Port: compares many paths with what is known of them, beside the event loop. */
export interface StatChecker {
  /**
   * The rows whose path is not what they say, in no order. `root` is the path of the first row, `names` the text of all
   * names.
   */
  changed(root: string, columns: StatColumns, names: string): Promise<Uint32Array>
  /** There will soon be many paths to look at: starts what that takes. */
  prepare(): void
  /** Whether a folder's times change whenever a name in it does, on the file system that `root` is on. */
  keepsFolderTimes(root: string): Promise<boolean>
}

/** The text of all names, of which a row has a part. */
export function namesOf(columns: StatColumns): string {
  // A decoder takes no shared memory.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(columns.names))
}
