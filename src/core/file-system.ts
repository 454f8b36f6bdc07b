/*
 * Port: a file system.
 *
 * Paths are the system's own, with forward slashes between the parts that the library adds. A name that is not UTF-8
 * appears as in core/path.ts and is taken back in the same form.
 *
 * Every call rejects with SnapshotError only: NO_SPACE for ENOSPC, EDQUOT and EFBIG, IO_FAILED otherwise, with the
 * action, the path and the system's error name in `details`. Reading calls give undefined for what is not there
 * (ENOENT, ENOTDIR).
 */

/** What a path can name. Anything but a file, a folder and a symbolic link is special: fifos, sockets, devices. */
export type FileKind = "file" | "folder" | "link" | "special"

/** What the system tells of a file without opening it. */
export interface FileStat {
  readonly kind: FileKind
  /** The twelve permission bits: st_mode & 0o7777. */
  readonly permissions: number
  /** Of a link, the length of its text, or 0 where the file system does not tell. */
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly device: bigint
  readonly inode: bigint
  /** Number of hard links. */
  readonly links: number
}

/** When a file was last written, in whole milliseconds since 1970. */
export function fileMs({ mtimeNs }: Pick<FileStat, "mtimeNs">): number {
  return Number(mtimeNs / 1_000_000n)
}

/** A name in a folder. */
export interface FolderItem {
  readonly name: string
  readonly kind: FileKind
}

/**
 * How to open a file.
 * - `read`: an existing regular file, never through a link in the last component, and never blocking on a fifo.
 * - `update`: an existing file for writing, without creating or cutting it.
 * - `create`: a new file for writing and reading; EEXIST when the name is taken.
 */
export type OpenMode = "read" | "update" | "create"

/** An open file. */
export interface OpenFile {
  /** What `stat` gave when the file was opened, where it was asked then. */
  readonly opened?: FileStat
  stat(): Promise<FileStat>
  /** Fills `buffer` from `position` on; the number of bytes read is smaller only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  truncate(sizeBytes: number): Promise<void>
  chmod(permissions: number): Promise<void>
  /** Resolves when content and size are on the medium. */
  sync(): Promise<void>
  /** May be called more than once. */
  close(): Promise<void>
}

/**
 * A folder that stays the same one while it is held, whatever happens to its path.
 *
 * Where the platform has handles (Linux), `at` gives addresses that go through the handle. Elsewhere it gives plain
 * paths, and `check` tells whether the folder is still the one that was opened; call it after using an address.
 */
export interface FolderHandle {
  /** The address of the folder itself. */
  readonly address: string
  /** The address of `name` in this folder: a path for the other calls of the file system that takes no link on its way. */
  at(name: string): string
  stat(): Promise<FileStat>
  /** PATH_UNSAFE when the folder's path leads elsewhere by now. */
  check(): Promise<void>
  /** Once no call on one of its addresses is under way. May be called more than once. */
  close(): Promise<void>
}

/** What a file system can do. */
export interface FileSystemTraits {
  /** Folder handles hold: what happens to the path does not matter. */
  readonly folderHandles: boolean
  /** The executable bit means something. */
  readonly executableBit: boolean
  /** Hard links can be made; without them a new file is put in place by a rename after a check. */
  readonly hardLinks: boolean
}

/**
 * The system's error names for a hard link that cannot be made here: this file system has none, or not for files of other
 * users (Linux: fs.protected_hardlinks), or not so many.
 */
export const NO_HARD_LINKS: ReadonlySet<string> = new Set(["EPERM", "EMLINK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"])

/** The system's errors that are a file's or folder's own: it is there and cannot be read. */
export const UNREADABLE: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EIO",
  "EBUSY",
  "ESTALE",
  "ETIMEDOUT",
  "EUCLEAN",
])

export interface FileSystem {
  readonly traits: FileSystemTraits
  /** Of the path itself, not of what it links to. */
  lstat(path: string): Promise<FileStat | undefined>
  /** All names in a folder, in no order; undefined when it is not there. A link or a file in its place: IO_FAILED, ENOTDIR. */
  list(path: string): Promise<FolderItem[] | undefined>
  /** The text of a link, byte for byte; undefined also for what is no link. */
  readLink(path: string): Promise<Uint8Array | undefined>
  /** The canonical path behind all links. */
  realPath(path: string): Promise<string | undefined>
  /** A whole file, following links: for the store's and Git's own files. */
  readFile(path: string): Promise<Uint8Array | undefined>
  /** Permissions apply to `create` only, whatever the process's mask is; 0o666 less the mask when left out. */
  open(path: string, mode: OpenMode, permissions?: number): Promise<OpenFile>
  /** Opens a folder, never through a link in the last component (ENOTDIR or ELOOP in `errno`). */
  openFolder(path: string): Promise<FolderHandle>
  /** EEXIST when the name is taken. Permissions as for `open`; 0o777 less the mask when left out. */
  makeFolder(path: string, permissions?: number): Promise<void>
  makeLink(text: Uint8Array, path: string): Promise<void>
  /** A second name for a file; EEXIST when the new name is taken. A link is linked itself, not followed. */
  linkFile(existing: string, path: string): Promise<void>
  /**
   * A file of its own with the same content, whose blocks both share until one of them is written. False, with nothing
   * made, where the file system has no such thing, or not from there to here. EEXIST when the new name is taken.
   */
  cloneFile(existing: string, path: string): Promise<boolean>
  /** Replaces a file or link of the new name. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file or a link. */
  unlink(path: string): Promise<void>
  /** Removes an empty folder; ENOTEMPTY otherwise. */
  removeFolder(path: string): Promise<void>
  /** Of a folder. Files get theirs when they are created. */
  chmodFolder(path: string, permissions: number): Promise<void>
  /** Resolves when the names in a folder are on the medium; does nothing where folders cannot be synced. */
  syncFolder(path: string): Promise<void>
}
