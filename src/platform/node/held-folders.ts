import fs from "node:fs"
import type { FileStat, FolderHandle } from "../../core/file-system.js"
import { ioError, refusal } from "../io-error.js"
import { checkedName, folderReplaced } from "../plain-folder-handle.js"
import type { NodeCalls } from "./node-calls.js"
import { fileStat } from "./node-stat.js"

/**
 * Folders held open by their descriptors and addressed through them. Linux resolves /proc/self/fd/<n> to the folder
 * itself, wherever its path leads by now. Source: proc(5).
 */
export class HeldFolders {
  readonly #calls: NodeCalls
  readonly #paths = new Map<number, string>()

  constructor(calls: NodeCalls) {
    this.#calls = calls
  }

  /** The folder at `path`, never through a link in its last component. */
  async open(path: string): Promise<FolderHandle> {
    const shown = this.shown(path)
    try {
      const fd = await this.#calls.open(path, OPEN_FOLDER)
      this.#paths.set(fd, shown)
      return new HeldFolder(this.#calls, fd, shown, () => this.#paths.delete(fd))
    } catch (cause) {
      throw ioError("open the folder", shown, cause)
    }
  }

  /** `path` as people know it: the address of a held folder becomes the path under which it was opened. */
  shown(path: string): string {
    if (!path.startsWith(DESCRIPTORS)) return path
    const end = path.indexOf("/", DESCRIPTORS.length)
    const fd = Number(path.slice(DESCRIPTORS.length, end < 0 ? undefined : end))
    const folder = this.#paths.get(fd)
    if (folder === undefined) return path
    const rest = end < 0 ? "" : path.slice(end).replace(/^\/\.(?=\/|$)/, "")
    return folder === "/" && rest !== "" ? rest : `${folder}${rest}`
  }
}

/** Whether `path` is the address of a held folder itself. */
export function isHeldAddress(path: string): boolean {
  return path.startsWith(DESCRIPTORS) && /^\d+\/\.$/.test(path.slice(DESCRIPTORS.length))
}

/** Whether this system resolves addresses through descriptors. */
export function holdsFolders(): boolean {
  if (process.platform !== "linux") return false
  let fd: number | undefined
  try {
    fd = fs.openSync("/", OPEN_FOLDER)
    const through = fs.lstatSync(`${DESCRIPTORS}${fd}/.`, { bigint: true })
    const direct = fs.fstatSync(fd, { bigint: true })
    return through.isDirectory() && through.ino === direct.ino && through.dev === direct.dev
  } catch {
    return false
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

/** How to open a folder so that a link in its place is refused; 0 where the system has no such flags. */
export const OPEN_FOLDER: number = (fs.constants.O_DIRECTORY ?? 0) | (fs.constants.O_NOFOLLOW ?? 0)

class HeldFolder implements FolderHandle {
  // Without the dot at the end, lstat would tell of the descriptor's link.
  readonly address: string
  readonly #calls: NodeCalls
  readonly #fd: number
  readonly #path: string
  readonly #whenClosed: () => void
  #closed: Promise<void> | undefined

  constructor(calls: NodeCalls, fd: number, path: string, whenClosed: () => void) {
    this.address = `${DESCRIPTORS}${fd}/.`
    this.#calls = calls
    this.#fd = fd
    this.#path = path
    this.#whenClosed = whenClosed
  }

  at(name: string): string {
    this.#refuseClosed()
    return `${DESCRIPTORS}${this.#fd}/${checkedName(name, this.#path, SEPARATORS)}`
  }

  async stat(): Promise<FileStat> {
    this.#refuseClosed()
    try {
      return fileStat(await this.#calls.fstat(this.#fd))
    } catch (cause) {
      throw ioError("look at the folder", this.#path, cause)
    }
  }

  async check(): Promise<void> {
    const held = await this.stat()
    const found = await this.#calls.lstat(this.#path).catch(() => undefined)
    if (found === undefined || found.ino !== held.inode || found.dev !== held.device) throw folderReplaced(this.#path)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#whenClosed()
    try {
      await this.#calls.close(this.#fd)
    } catch (cause) {
      throw ioError("close the folder", this.#path, cause)
    }
  }

  /** An address through a closed descriptor would lead to whatever the system opens next. */
  #refuseClosed(): void {
    if (this.#closed !== undefined) throw refusal("use the folder", this.#path, "EBADF")
  }
}

const DESCRIPTORS = "/proc/self/fd/"
const SEPARATORS = /[/\0]/
