import fs, { type BigIntStats, type Dirent } from "node:fs"
import { encodeName } from "../../core/path.js"
import { onPool, Pace } from "./pace.js"

/** The calls of node:fs that are used, as promises on descriptors. They reject with the system's errors. */
export class NodeCalls {
  readonly #pace = new Pace()
  /** Where a file system waits for its disk before it frees blocks, it does so for each file, and side by side it takes less. */
  readonly #removals = new Pace(undefined, LONG_REMOVAL_MS)

  /** Undefined where the system says ENOENT; ENOTDIR rejects. */
  lstat(path: string): Promise<BigIntStats | undefined> {
    const at = systemPath(path)
    return this.#pace.call(
      () => fs.lstatSync(at, { bigint: true, throwIfNoEntry: false }),
      (done) => fs.lstat(at, { bigint: true }, done),
    )
  }

  open(path: string, flags: number, mode?: number): Promise<number> {
    const at = systemPath(path)
    return this.#pace.call(
      () => fs.openSync(at, flags, mode),
      (done) => fs.open(at, flags, mode, done),
    )
  }

  fstat(fd: number): Promise<BigIntStats> {
    return this.#pace.call(
      () => fs.fstatSync(fd, { bigint: true }),
      (done) => fs.fstat(fd, { bigint: true }, done),
    )
  }

  close(fd: number): Promise<void> {
    return this.#pace.call(
      () => fs.closeSync(fd),
      (done: (error: Error | null, value: undefined) => void) =>
        fs.close(fd, (error) => done(error ?? null, undefined)),
    )
  }

  /** Fills `buffer` from `position` on, up to the end of the file. */
  async read(fd: number, buffer: Uint8Array, position: number): Promise<number> {
    let filled = 0
    while (filled < buffer.length) {
      const length = Math.min(buffer.length - filled, LONGEST_CALL_BYTES)
      const count = await this.#readOnce(fd, buffer, filled, length, position + filled)
      if (count === 0) break
      filled += count
    }
    return filled
  }

  /** Writes all of `bytes` at `position`. */
  async write(fd: number, bytes: Uint8Array, position: number): Promise<void> {
    let written = 0
    while (written < bytes.length) {
      const length = Math.min(bytes.length - written, LONGEST_CALL_BYTES)
      const count = await this.#writeOnce(fd, bytes, written, length, position + written)
      if (count === 0) throw Object.assign(new Error("the system wrote nothing"), { code: "EIO" })
      written += count
    }
  }

  truncate(fd: number, sizeBytes: number): Promise<void> {
    return onPool((done) => fs.ftruncate(fd, sizeBytes, (error) => done(error, undefined)))
  }

  fchmod(fd: number, permissions: number): Promise<void> {
    return this.#pace.call(
      () => fs.fchmodSync(fd, permissions),
      (done: (error: Error | null, value: undefined) => void) =>
        fs.fchmod(fd, permissions, (error) => done(error, undefined)),
    )
  }

  /** Always on the pool: it waits for the medium. */
  fsync(fd: number): Promise<void> {
    return onPool((done) => fs.fsync(fd, (error) => done(error, undefined)))
  }

  readdir(path: string): Promise<Dirent[]> {
    const at = systemPath(path)
    return this.#pace.call(
      () => fs.readdirSync(at, { withFileTypes: true }),
      (done) => fs.readdir(at, { withFileTypes: true }, done),
    )
  }

  /** The names as the file system's own bytes. */
  readdirBytes(path: string): Promise<Dirent<Buffer>[]> {
    const at = systemPath(path)
    return onPool((done) => fs.readdir(at, { withFileTypes: true, encoding: "buffer" }, done))
  }

  readlink(path: string): Promise<Buffer> {
    const at = systemPath(path)
    return this.#pace.call(
      () => fs.readlinkSync(at, { encoding: "buffer" }),
      (done) => fs.readlink(at, { encoding: "buffer" }, done),
    )
  }

  realpath(path: string): Promise<Buffer> {
    const at = systemPath(path)
    return onPool((done) => fs.realpath.native(at, { encoding: "buffer" }, done))
  }

  mkdir(path: string, mode: number): Promise<void> {
    const at = systemPath(path)
    return this.#pace.call(
      () => fs.mkdirSync(at, { mode, recursive: false }),
      (done: (error: Error | null, value: undefined) => void) =>
        fs.mkdir(at, { mode, recursive: false }, (error) => done(error, undefined)),
    )
  }

  symlink(text: Uint8Array, path: string): Promise<void> {
    const at = systemPath(path)
    const target = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
    return this.#pace.call(
      () => fs.symlinkSync(target, at),
      (done: (error: Error | null, value: undefined) => void) =>
        fs.symlink(target, at, (error) => done(error, undefined)),
    )
  }

  clone(existing: string, path: string): Promise<void> {
    const how = fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE_FORCE
    return onPool((done) => fs.copyFile(systemPath(existing), systemPath(path), how, (error) => done(error, undefined)))
  }

  link(existing: string, path: string): Promise<void> {
    const from = systemPath(existing)
    const to = systemPath(path)
    return this.#pace.call(
      () => fs.linkSync(from, to),
      (done: (error: Error | null, value: undefined) => void) => fs.link(from, to, (error) => done(error, undefined)),
    )
  }

  rename(existing: string, path: string): Promise<void> {
    const from = systemPath(existing)
    const to = systemPath(path)
    return this.#pace.call(
      () => fs.renameSync(from, to),
      (done: (error: Error | null, value: undefined) => void) => fs.rename(from, to, (error) => done(error, undefined)),
    )
  }

  unlink(path: string): Promise<void> {
    const at = systemPath(path)
    return this.#removals.call(
      () => fs.unlinkSync(at),
      (done: (error: Error | null, value: undefined) => void) => fs.unlink(at, (error) => done(error, undefined)),
    )
  }

  rmdir(path: string): Promise<void> {
    const at = systemPath(path)
    return this.#pace.call(
      () => fs.rmdirSync(at),
      (done: (error: Error | null, value: undefined) => void) => fs.rmdir(at, (error) => done(error, undefined)),
    )
  }

  chmod(path: string, permissions: number): Promise<void> {
    return onPool((done) => fs.chmod(systemPath(path), permissions, (error) => done(error, undefined)))
  }

  #readOnce(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    if (length > SHORT_CALL_BYTES) return onPool((done) => fs.read(fd, buffer, offset, length, position, done))
    return this.#pace.call(
      () => fs.readSync(fd, buffer, offset, length, position),
      (done) => fs.read(fd, buffer, offset, length, position, done),
    )
  }

  #writeOnce(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    if (length > SHORT_CALL_BYTES) return onPool((done) => fs.write(fd, bytes, offset, length, position, done))
    return this.#pace.call(
      () => fs.writeSync(fd, bytes, offset, length, position),
      (done) => fs.write(fd, bytes, offset, length, position, done),
    )
  }
}

/** A string becomes UTF-8 on its way to the system, which a name with lone surrogates would not survive. */
export function systemPath(path: string): string | Buffer {
  // A slash at the end would make the system follow a link there.
  const plain =
    path.length > 1 && path.endsWith("/") && !/^(?:[A-Za-z]:)?\/+$/.test(path) ? path.replace(/\/+$/, "") : path
  return plain.isWellFormed() ? plain : Buffer.from(encodeName(plain))
}

// A flag that the system lacks, as on Windows, is not in the table at all.
export const NO_FOLLOW: number = fs.constants.O_NOFOLLOW ?? 0
/** Opening a fifo would wait for its other end, and block a thread with no way out. */
export const NO_WAIT: number = fs.constants.O_NONBLOCK ?? 0
/** Never through a link in the last component, and never blocking. */
export const OPEN_PLAIN_FILE: number = fs.constants.O_RDONLY | NO_WAIT | NO_FOLLOW

/** Reading or writing this much takes some 20 microseconds from and to the system's cache. */
const SHORT_CALL_BYTES = 128 * 1024
/** What the way over the thread pool takes. */
const LONG_REMOVAL_MS = 0.04
/** One call moves less than 2 GiB on every system. */
const LONGEST_CALL_BYTES = 2 ** 30
