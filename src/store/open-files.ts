import { SnapshotError } from "../core/errors.js"
import type { FileSystem, OpenFile } from "../core/file-system.js"
import { openFollowing } from "./file-pieces.js"

/** A file that stays open until it is released. */
export interface HeldFile {
  readonly file: OpenFile
  /** To be called once. */
  release(): Promise<void>
}

/**
 * Files that are read again and again. Those that nobody holds stay open, the least recently used ones are closed when
 * there are more than the limit.
 */
export class OpenFiles {
  readonly #fileSystem: FileSystem
  readonly #limit: number
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>()
  #closed = false

  constructor(fileSystem: FileSystem, limit: number) {
    this.#fileSystem = fileSystem
    this.#limit = limit
  }

  /** What `work` gives for the file at `path`, which is open meanwhile. */
  async use<T>(path: string, work: (file: OpenFile) => Promise<T>): Promise<T> {
    const held = await this.hold(path)
    try {
      return await work(held.file)
    } finally {
      await held.release()
    }
  }

  /** The file at `path`, open until it is released. Follows a link. After `close`: CLOSED. */
  async hold(path: string): Promise<HeldFile> {
    if (this.#closed) throw new SnapshotError("CLOSED", "The object database is closed. Open the store again.", {})
    const entry = this.#entries.get(path) ?? { opening: openFollowing(this.#fileSystem, path), holders: 0 }
    this.#entries.delete(path)
    this.#entries.set(path, entry)
    entry.holders++
    try {
      return { file: await entry.opening, release: () => this.#release(path, entry) }
    } catch (error) {
      if (this.#entries.get(path) === entry) this.#entries.delete(path)
      throw error
    }
  }

  /** Opens the file at `path` anew when it is next asked for. */
  async forget(path: string): Promise<void> {
    const entry = this.#entries.get(path)
    this.#entries.delete(path)
    if (entry?.holders === 0) await closeEntry(entry)
  }

  /** Closes all files; those that are held when they are released. */
  async close(): Promise<void> {
    this.#closed = true
    for (const path of [...this.#entries.keys()]) await this.forget(path)
  }

  async #release(path: string, entry: Entry): Promise<void> {
    entry.holders--
    if (this.#entries.get(path) !== entry) {
      if (entry.holders === 0) await closeEntry(entry)
      return
    }
    if (this.#entries.size <= this.#limit) return
    for (const [oldest, other] of this.#entries) {
      if (other.holders > 0) continue
      this.#entries.delete(oldest)
      await closeEntry(other)
      if (this.#entries.size <= this.#limit) return
    }
  }
}

interface Entry {
  readonly opening: Promise<OpenFile>
  holders: number
}

async function closeEntry(entry: Entry): Promise<void> {
  await (await entry.opening).close()
}
