import { SnapshotError } from "../core/errors.js"
import type { FileStat, FileSystem, FolderHandle } from "../core/file-system.js"
import { escapePath } from "../core/path.js"
import { refusal } from "./io-error.js"

/**
 * A folder handle for platforms without handles: plain paths, and a check by device and inode. `separators` matches
 * names that would lead out of the folder.
 */
export async function openPlainFolder(
  fileSystem: Pick<FileSystem, "lstat">,
  path: string,
  separators: RegExp,
): Promise<FolderHandle> {
  const opened = await statOfFolder(fileSystem, path)
  return new PlainFolderHandle(fileSystem, path, opened, separators)
}

/** `name`, if it names something directly in a folder; PATH_UNSAFE otherwise. */
export function checkedName(name: string, folder: string, separators: RegExp): string {
  if (name !== "" && name !== "." && name !== ".." && !separators.test(name)) return name
  const path = `${folder}/${name}`
  throw new SnapshotError("PATH_UNSAFE", `"${escapePath(name)}" does not name anything inside ${escapePath(folder)}.`, {
    path,
  })
}

/** The error of a folder whose path leads to another one by now. */
export function folderReplaced(path: string): SnapshotError {
  return new SnapshotError(
    "PATH_UNSAFE",
    `The folder ${escapePath(path)} was moved or replaced while it was in use. Try again when nothing changes it.`,
    { path },
  )
}

class PlainFolderHandle implements FolderHandle {
  readonly address: string
  readonly #fileSystem: Pick<FileSystem, "lstat">
  readonly #opened: FileStat
  readonly #separators: RegExp
  #closed = false

  constructor(fileSystem: Pick<FileSystem, "lstat">, path: string, opened: FileStat, separators: RegExp) {
    this.address = path
    this.#fileSystem = fileSystem
    this.#opened = opened
    this.#separators = separators
  }

  at(name: string): string {
    this.#refuseClosed()
    const checked = checkedName(name, this.address, this.#separators)
    return this.address.endsWith("/") ? `${this.address}${checked}` : `${this.address}/${checked}`
  }

  async stat(): Promise<FileStat> {
    this.#refuseClosed()
    const now = await this.#fileSystem.lstat(this.address)
    if (now === undefined || !isSame(now, this.#opened)) throw folderReplaced(this.address)
    return now
  }

  async check(): Promise<void> {
    await this.stat()
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  #refuseClosed(): void {
    if (this.#closed) throw refusal("use the folder", this.address, "EBADF")
  }
}

async function statOfFolder(fileSystem: Pick<FileSystem, "lstat">, path: string): Promise<FileStat> {
  const stat = await fileSystem.lstat(path)
  if (stat === undefined) throw refusal("open the folder", path, "ENOENT")
  if (stat.kind !== "folder") throw refusal("open the folder", path, "ENOTDIR")
  return stat
}

function isSame(a: FileStat, b: FileStat): boolean {
  return a.kind === "folder" && a.device === b.device && a.inode === b.inode
}
