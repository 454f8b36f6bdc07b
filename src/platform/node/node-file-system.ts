import fs, { type Dirent } from "node:fs"
import { setTimeout as wait } from "node:timers/promises"
import type {
  FileKind,
  FileStat,
  FileSystem,
  FileSystemTraits,
  FolderHandle,
  FolderItem,
  OpenFile,
  OpenMode,
} from "../../core/file-system.js"
import { errnoOf } from "../../core/errors.js"
import { decodeName } from "../../core/path.js"
import { refusalOfKind } from "../file-mode.js"
import { errorName, ioError, meansMissing, refusal } from "../io-error.js"
import { openPlainFolder } from "../plain-folder-handle.js"
import { HeldFolders, holdsFolders, isHeldAddress, OPEN_FOLDER } from "./held-folders.js"
import { NodeCalls, NO_FOLLOW, NO_WAIT, OPEN_PLAIN_FILE } from "./node-calls.js"
import { NodeOpenFile } from "./node-open-file.js"
import { fileStat } from "./node-stat.js"

/** The file systems of this machine, through node:fs. */
export function nodeFileSystem(): FileSystem {
  return new NodeFileSystem(process.platform, holdsFolders())
}

class NodeFileSystem implements FileSystem {
  readonly traits: FileSystemTraits
  readonly #platform: NodeJS.Platform
  readonly #calls = new NodeCalls()
  readonly #held = new HeldFolders(this.#calls)

  constructor(platform: NodeJS.Platform, folderHandles: boolean) {
    this.#platform = platform
    this.traits = { folderHandles, executableBit: platform !== "win32", hardLinks: true }
  }

  lstat(path: string): Promise<FileStat | undefined> {
    return this.#find("look", path, async () => {
      const stats = await this.#calls.lstat(path)
      return stats === undefined ? undefined : fileStat(stats)
    })
  }

  async list(path: string): Promise<FolderItem[] | undefined> {
    if (isHeldAddress(path)) return this.#find("list the folder", path, () => this.#items(path))
    let folder: FolderHandle
    try {
      folder = await this.openFolder(path)
    } catch (error) {
      const isMissing = errnoOf(error) === "ENOENT" || (await this.lstat(path)) === undefined
      if (isMissing) return undefined
      const isNoFolder = errnoOf(error) === "ENOTDIR" || errnoOf(error) === "ELOOP"
      throw isNoFolder ? refusal("list the folder", this.#held.shown(path), "ENOTDIR") : error
    }
    try {
      const items = await this.#find("list the folder", path, () => this.#items(folder.address))
      if (!this.traits.folderHandles) await folder.check()
      return items
    } finally {
      await folder.close()
    }
  }

  readLink(path: string): Promise<Uint8Array | undefined> {
    return this.#find("read the link", path, async () => {
      try {
        return plainBytes(await this.#calls.readlink(path))
      } catch (error) {
        // What the system says of a path that is no link.
        if (errorName(error) === "EINVAL") return undefined
        throw error
      }
    })
  }

  realPath(path: string): Promise<string | undefined> {
    return this.#find("resolve the path", path, async () => decodeName(await this.#calls.realpath(path)))
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    const file = await this.#find("open the file", path, () => this.#calls.open(path, OPEN_TO_READ))
    if (file === undefined) return undefined
    try {
      return await this.#do("read the file", path, () => this.#content(file, path))
    } finally {
      await this.#abandon(file)
    }
  }

  open(path: string, mode: OpenMode, permissions?: number): Promise<OpenFile> {
    if (mode === "create") return this.#do("create the file", path, () => this.#create(path, permissions))
    return this.#do("open the file", path, async () => {
      const fd = await this.#calls.open(path, mode === "read" ? OPEN_PLAIN_FILE : OPEN_TO_UPDATE | NO_FOLLOW)
      try {
        const opened = fileStat(await this.#calls.fstat(fd))
        if (opened.kind !== "file") throw refusal("open the file", this.#held.shown(path), refusalOfKind(opened.kind))
        return new NodeOpenFile(this.#calls, fd, this.#held.shown(path), opened)
      } catch (error) {
        await this.#abandon(fd)
        throw error
      }
    })
  }

  openFolder(path: string): Promise<FolderHandle> {
    if (this.traits.folderHandles) return this.#held.open(path)
    return openPlainFolder(this, path, this.#platform === "win32" ? WINDOWS_SEPARATORS : SEPARATORS)
  }

  makeFolder(path: string, permissions?: number): Promise<void> {
    return this.#do("make the folder", path, async () => {
      // The owner's bits let the folder be opened, so that its permissions can be set whatever the mask is.
      await this.#calls.mkdir(path, permissions === undefined ? 0o777 : (permissions & 0o777) | 0o700)
      if (permissions !== undefined) await this.#chmodFolder(path, permissions)
    })
  }

  makeLink(text: Uint8Array, path: string): Promise<void> {
    return this.#do("make the link", path, () => this.#calls.symlink(text, path))
  }

  linkFile(existing: string, path: string): Promise<void> {
    return this.#do("link the file", path, async () => {
      // Here link(2) follows a symbolic link, so a link gets a second one with the same text.
      const isLink = this.#platform === "darwin" && (await this.lstat(existing))?.kind === "link"
      if (isLink) await this.#calls.symlink(await this.#calls.readlink(existing), path)
      else await this.#calls.link(existing, path)
    })
  }

  cloneFile(existing: string, path: string): Promise<boolean> {
    return this.#do("clone the file", path, async () => {
      try {
        await this.#calls.clone(existing, path)
        return true
      } catch (error) {
        if (CANNOT_CLONE.has(errorName(error))) return false
        throw error
      }
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do("rename the file", to, async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#calls.rename(from, to)
        } catch (error) {
          // Here a scanner that looks at a file for a moment keeps others from renaming it.
          const mayPass = this.#platform === "win32" && /^E(?:ACCES|BUSY|PERM)$/.test(errorName(error))
          if (!mayPass || attempt === RENAME_ATTEMPTS) throw error
          await wait(attempt * 10)
        }
      }
    })
  }

  unlink(path: string): Promise<void> {
    return this.#do("remove the file", path, () => this.#calls.unlink(path))
  }

  removeFolder(path: string): Promise<void> {
    return this.#do("remove the folder", path, () => this.#calls.rmdir(path))
  }

  chmodFolder(path: string, permissions: number): Promise<void> {
    return this.#do("set the permissions of the folder", path, () => this.#chmodFolder(path, permissions))
  }

  async syncFolder(path: string): Promise<void> {
    // Windows opens no folders for syncing; NTFS keeps names in its own journal.
    if (this.#platform === "win32") return
    await this.#do("sync the folder", path, () =>
      this.#withFolder(path, async (fd) => {
        try {
          await this.#calls.fsync(fd)
        } catch (error) {
          if (!CANNOT_SYNC.has(errorName(error))) throw error
        }
      }),
    )
  }

  async #items(address: string): Promise<FolderItem[]> {
    const items: FolderItem[] = []
    for (const entry of await this.#calls.readdir(address)) {
      if (entry.name.includes(REPLACEMENT)) return this.#itemsByBytes(address)
      items.push({ name: entry.name, kind: kindOfEntry(entry) })
    }
    return items
  }

  async #itemsByBytes(address: string): Promise<FolderItem[]> {
    const entries = await this.#calls.readdirBytes(address)
    return entries.map((entry) => ({ name: decodeName(entry.name), kind: kindOfEntry(entry) }))
  }

  async #content(fd: number, path: string): Promise<Uint8Array> {
    const stats = await this.#calls.fstat(fd)
    const { kind, sizeBytes } = fileStat(stats)
    // An empty device is a usual way to say "no file": GIT_CONFIG_GLOBAL=/dev/null.
    const isEmptyDevice = stats.isCharacterDevice() && (await this.#calls.read(fd, new Uint8Array(1), 0)) === 0
    if (isEmptyDevice) return new Uint8Array(0)
    if (kind !== "file") throw refusal("read the file", this.#held.shown(path), refusalOfKind(kind))
    // One byte more than the size shows whether the file has grown, and reads files that report no size.
    let bytes = plainBytes(Buffer.allocUnsafeSlow(sizeBytes + 1))
    let filled = await this.#calls.read(fd, bytes, 0)
    while (filled === bytes.length) {
      const more = plainBytes(Buffer.allocUnsafeSlow(Math.max(2 * bytes.length, 4096)))
      more.set(bytes)
      bytes = more
      filled += await this.#calls.read(fd, bytes.subarray(filled), filled)
    }
    return bytes.subarray(0, filled)
  }

  async #create(path: string, permissions?: number): Promise<OpenFile> {
    const fd = await this.#calls.open(path, CREATE, permissions === undefined ? 0o666 : permissions & 0o777)
    try {
      if (permissions !== undefined) await this.#calls.fchmod(fd, permissions)
      return new NodeOpenFile(this.#calls, fd, this.#held.shown(path))
    } catch (error) {
      await this.#abandon(fd)
      await this.#calls.unlink(path).catch(() => undefined)
      throw error
    }
  }

  async #chmodFolder(path: string, permissions: number): Promise<void> {
    if (this.#platform === "win32") return
    try {
      await this.#withFolder(path, (fd) => this.#calls.fchmod(fd, permissions))
    } catch (error) {
      if (errorName(error) !== "EACCES") throw error
      // A folder that its owner may not read cannot be opened, but its permissions can be set by its path.
      if ((await this.lstat(path))?.kind !== "folder") throw error
      await this.#calls.chmod(path, permissions)
    }
  }

  async #withFolder(path: string, use: (fd: number) => Promise<void>): Promise<void> {
    const fd = await this.#calls.open(path, OPEN_FOLDER)
    try {
      await use(fd)
    } finally {
      await this.#abandon(fd)
    }
  }

  /** Closes a descriptor through which nothing was written, or nothing that counts. */
  async #abandon(fd: number): Promise<void> {
    await this.#calls.close(fd).catch(() => undefined)
  }

  async #do<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (cause) {
      throw ioError(action, this.#held.shown(path), cause)
    }
  }

  async #find<T>(action: string, path: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call()
    } catch (cause) {
      if (meansMissing(cause)) return undefined
      throw ioError(action, this.#held.shown(path), cause)
    }
  }
}

function kindOfEntry(entry: Dirent | Dirent<Buffer>): FileKind {
  if (entry.isFile()) return "file"
  if (entry.isDirectory()) return "folder"
  return entry.isSymbolicLink() ? "link" : "special"
}

function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants
const OPEN_TO_READ = O_RDONLY | NO_WAIT
const OPEN_TO_UPDATE = O_WRONLY | NO_WAIT
const CREATE = O_CREAT | O_EXCL | O_RDWR | NO_FOLLOW
/** What systems say where files share no blocks, or not from one file system to another. */
const CANNOT_CLONE: ReadonlySet<string> = new Set([
  "EINVAL",
  "ENOSYS",
  "ENOTSUP",
  "ENOTTY",
  "EOPNOTSUPP",
  "EPERM",
  "EXDEV",
])
const CANNOT_SYNC: ReadonlySet<string> = new Set(["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"])
const SEPARATORS = /[/\0]/
/** On Windows a colon names a stream of a file, or a drive. */
const WINDOWS_SEPARATORS = /[/\\:\0]/
const RENAME_ATTEMPTS = 10
const REPLACEMENT = "\uFFFD"
