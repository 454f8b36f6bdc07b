/** Times as `bigint: true` asks for them, or in milliseconds where a file system knows no other. */
export interface ClientStats {
  readonly mode: number | bigint
  readonly size: number | bigint
  readonly dev: number | bigint
  readonly ino: number | bigint
  readonly nlink: number | bigint
  readonly mtimeMs: number | bigint
  readonly ctimeMs: number | bigint
  readonly mtimeNs?: bigint
  readonly ctimeNs?: bigint
}

/** An open file as `fs.promises.open` gives it. */
export interface ClientFileHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>
  stat(options: { bigint: true }): Promise<ClientStats>
  truncate(length: number): Promise<void>
  chmod(mode: number): Promise<void>
  sync?(): Promise<void>
  close(): Promise<void>
}

/** The calls that are used of an object shaped like `fs.promises`. */
export interface ClientPromises {
  lstat(path: string, options: { bigint: true }): Promise<ClientStats>
  /** Names, as text. */
  readdir(path: string): Promise<readonly unknown[]>
  /** Bytes, or text from a client that knows no other. */
  readlink(path: string, options: { encoding: "buffer" }): Promise<unknown>
  realpath(path: string): Promise<unknown>
  /** Bytes. */
  readFile(path: string): Promise<unknown>
  open(path: string, flags: string, mode?: number): Promise<ClientFileHandle>
  mkdir(path: string, options: { mode: number }): Promise<unknown>
  symlink(target: string, path: string): Promise<void>
  /** Where hard links can be made. */
  link?(existing: string, path: string): Promise<void>
  /** Expected to be atomic when it replaces a file. */
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  chmod(path: string, mode: number): Promise<void>
}

/** A file system with the shape of node:fs: memfs, ZenFS, or node:fs itself. */
export interface FileSystemClient {
  readonly promises: ClientPromises
}
