import type { PackedEntry } from "./unpacker.js"

/** A file to be made: the blob of a pack's entry, under a name that nothing has. */
export interface NewFile {
  readonly address: string
  /** The nine permission bits, whatever the process's mask is. */
  readonly permissions: number
  readonly packed: PackedEntry
}

/** A file that gives way to another one. */
export interface FileSwap {
  readonly address: string
  /** What stands there now, and where it is moved; undefined where nothing stands. */
  readonly aside?: { readonly address: string; readonly oid: string; readonly executable: boolean } | undefined
  /** The new file, which gets a second name and then loses this one. */
  readonly staged: string
}

/**
 * What became of a swap.
 * - `unsettled`: it was not done, or not all of it. What was moved aside may be there still, the new file may have its place.
 * - `placed`: the old file is aside and what it should be, the new one has its place, and only that.
 * - `linked`: as `placed`, but the new file has kept its first name, too.
 */
export type Swapped = "unsettled" | "placed" | "linked"

/**
 * Port: what a restore does to each file, for many at once, with one try each. Addresses go through folder handles that
 * the caller holds meanwhile. Nothing of it rejects.
 */
export interface FileBatches {
  /** To be told that there is much to do: what takes time to start is started. */
  expect(): void
  /** Makes files; false for one that is not there or, in rare cases, half made. */
  create(files: readonly NewFile[]): Promise<readonly boolean[]>
  /**
   * For each file: what stands there is moved aside, never a folder, and hashed there; the new file takes its place, unless
   * something has it. A file aside that is not what it should be is put back.
   */
  swap(swaps: readonly FileSwap[]): Promise<readonly Swapped[]>
}
