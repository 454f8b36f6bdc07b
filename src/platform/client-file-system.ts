import { exactText, utf8 } from "../core/bytes.js"
import type { ClientFileHandle, ClientPromises, FileSystemClient } from "../core/file-system-client.js"
import type {
  FileStat,
  FileSystem,
  FileSystemTraits,
  FolderHandle,
  FolderItem,
  OpenFile,
  OpenMode,
} from "../core/file-system.js"
import { ClientOpenFile } from "./client-open-file.js"
import { clientStat } from "./client-stat.js"
import { refusalOfKind } from "./file-mode.js"
import { errorName, ioError, meansMissing, refusal } from "./io-error.js"
import { openPlainFolder } from "./plain-folder-handle.js"

/**
 * A file system on anything with the shape of fs.promises, such as memfs. Names and links' texts that are no UTF-8
 * cannot be written (EILSEQ). There are no handles that hold a folder, and what a client does without an error where
 * POSIX has one is refused here.
 */
export function clientFileSystem(client: FileSystemClient): FileSystem {
  return new ClientFileSystem(client.promises)
}

class ClientFileSystem implements FileSystem {
  readonly traits: FileSystemTraits
  readonly #client: ClientPromises

  constructor(client: ClientPromises) {
    this.#client = client
    this.traits = { folderHandles: false, executableBit: true, hardLinks: client.link !== undefined }
  }

  lstat(path: string): Promise<FileStat | undefined> {
    return this.#find("look", path, async (at) => clientStat(await this.#client.lstat(at, { bigint: true })))
  }

  async list(path: string): Promise<FolderItem[] | undefined> {
    const found = await this.lstat(path)
    if (found === undefined) return undefined
    if (found.kind !== "folder") throw refusal("list the folder", path, "ENOTDIR")
    const names = await this.#find("list the folder", path, (at) => this.#client.readdir(at))
    const after = await this.lstat(path)
    if (names === undefined || after === undefined) return undefined
    if (!isSameFile(found, after)) throw refusal("list the folder", path, "ENOTDIR")
    const folder = path.endsWith("/") ? path : `${path}/`
    const items = await Promise.all(names.map((name) => this.#item(folder, String(name))))
    return items.filter((item) => item !== undefined)
  }

  readLink(path: string): Promise<Uint8Array | undefined> {
    return this.#find("read the link", path, async (at) => {
      try {
        return bytesOf(await this.#client.readlink(at, { encoding: "buffer" }))
      } catch (error) {
        // What file systems say of a path that is no link.
        if (errorName(error) === "EINVAL") return undefined
        throw error
      }
    })
  }

  realPath(path: string): Promise<string | undefined> {
    return this.#find("resolve the path", path, async (at) => String(await this.#client.realpath(at)))
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    return this.#find("read the file", path, async (at) => bytesOf(await this.#client.readFile(at)))
  }

  open(path: string, mode: OpenMode, permissions?: number): Promise<OpenFile> {
    if (mode === "create") return this.#do("create the file", path, (at) => this.#create(at, permissions))
    return this.#do("open the file", path, async (at) => {
      const found = await this.lstat(at)
      if (found === undefined) throw refusal("open the file", path, "ENOENT")
      if (found.kind !== "file") throw refusal("open the file", path, refusalOfKind(found.kind))
      const handle = await this.#client.open(at, mode === "read" ? "r" : "r+")
      return this.#whenFine(handle, path, async () => {
        const opened = clientStat(await handle.stat({ bigint: true }))
        if (!isSameFile(opened, found)) throw refusal("open the file", path, "ELOOP")
      })
    })
  }

  openFolder(path: string): Promise<FolderHandle> {
    return openPlainFolder(this, path, /[/\0]/)
  }

  makeFolder(path: string, permissions?: number): Promise<void> {
    return this.#do("make the folder", path, async (at) => {
      await this.#client.mkdir(at, { mode: permissions ?? 0o777 })
      if (permissions !== undefined) await this.#client.chmod(at, permissions)
    })
  }

  makeLink(text: Uint8Array, path: string): Promise<void> {
    return this.#do("make the link", path, async (at) => {
      const target = exactText(text)
      if (target === undefined) throw refusal("make the link", path, "EILSEQ")
      await this.#client.symlink(target, at)
    })
  }

  linkFile(existing: string, path: string): Promise<void> {
    return this.#do("link the file", path, async (at) => {
      if (this.#client.link === undefined) throw refusal("link the file", path, "ENOTSUP")
      await this.#client.link(systemPath(existing), at)
    })
  }

  cloneFile(): Promise<boolean> {
    return Promise.resolve(false)
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do("rename the file", to, async (at) => {
      const [source, target] = [await this.lstat(from), await this.lstat(to)]
      if (source === undefined) throw refusal("rename the file", from, "ENOENT")
      if (target !== undefined) await this.#makeWay(source, target, to)
      // Some clients would rename what the link leads to.
      if (source.kind !== "link") return this.#client.rename(systemPath(from), at)
      if (from === to) return
      if (target !== undefined) await this.#client.unlink(at)
      await this.#copyLink(from, at)
      await this.#client.unlink(systemPath(from))
    })
  }

  unlink(path: string): Promise<void> {
    return this.#do("remove the file", path, (at) => this.#client.unlink(at))
  }

  removeFolder(path: string): Promise<void> {
    return this.#do("remove the folder", path, (at) => this.#client.rmdir(at))
  }

  chmodFolder(path: string, permissions: number): Promise<void> {
    return this.#do("set the permissions of the folder", path, async (at) => {
      const found = await this.lstat(path)
      if (found?.kind !== "folder")
        throw refusal("set the permissions of the folder", path, found === undefined ? "ENOENT" : "ENOTDIR")
      await this.#client.chmod(at, permissions)
    })
  }

  syncFolder(): Promise<void> {
    return Promise.resolve()
  }

  /** Undefined for a name that went meanwhile. */
  async #item(folder: string, name: string): Promise<FolderItem | undefined> {
    // Its kind does not matter: such a name cannot be opened here.
    if (!name.isWellFormed()) return { name, kind: "special" }
    const stat = await this.lstat(`${folder}${name}`)
    return stat === undefined ? undefined : { name, kind: stat.kind }
  }

  async #create(path: string, permissions?: number): Promise<OpenFile> {
    if ((await this.lstat(path)) !== undefined) throw refusal("create the file", path, "EEXIST")
    // Some clients refuse to open for writing what they have just made read-only.
    const handle = await this.#client.open(path, "wx+", permissions === undefined ? 0o666 : permissions | 0o600)
    try {
      return await this.#whenFine(handle, path, async () => {
        if (permissions !== undefined) await handle.chmod(permissions)
      })
    } catch (error) {
      await this.#client.unlink(path).catch(() => undefined)
      throw error
    }
  }

  async #whenFine(handle: ClientFileHandle, path: string, check: () => Promise<void>): Promise<OpenFile> {
    try {
      await check()
      return new ClientOpenFile(handle, path)
    } catch (error) {
      await handle.close().catch(() => undefined)
      throw error
    }
  }

  /** What POSIX demands of the target of a rename. */
  async #makeWay(source: FileStat, target: FileStat, to: string): Promise<void> {
    if (target.kind !== "folder") {
      if (source.kind === "folder") throw refusal("rename the file", to, "ENOTDIR")
      return
    }
    if (source.kind !== "folder") throw refusal("rename the file", to, "EISDIR")
    // An empty folder may be replaced by a folder.
    if (!isSameFile(source, target)) await this.removeFolder(to)
  }

  async #copyLink(existing: string, path: string): Promise<void> {
    const text = await this.readLink(existing)
    if (text === undefined) throw refusal("read the link", existing, "ENOENT")
    await this.makeLink(text, path)
  }

  async #do<T>(action: string, path: string, call: (path: string) => Promise<T>): Promise<T> {
    try {
      return await call(systemPath(path))
    } catch (cause) {
      throw ioError(action, path, cause)
    }
  }

  async #find<T>(action: string, path: string, call: (path: string) => Promise<T>): Promise<T | undefined> {
    try {
      return await call(systemPath(path))
    } catch (cause) {
      if (meansMissing(cause)) return undefined
      throw ioError(action, path, cause)
    }
  }
}

function isSameFile(a: FileStat, b: FileStat): boolean {
  return a.kind === b.kind && a.device === b.device && a.inode === b.inode
}

/** A copy, so that what the client keeps is not shared. */
function bytesOf(content: unknown): Uint8Array {
  if (typeof content === "string") return utf8(content)
  if (content instanceof Uint8Array) return Uint8Array.from(content)
  throw new TypeError("the file system gave neither bytes nor text")
}

/** A slash at the end would make a client follow a link there. */
function systemPath(path: string): string {
  if (!path.isWellFormed()) throw Object.assign(new Error("the path is no UTF-8"), { code: "EILSEQ" })
  return /[^/]\/+$/.test(path) ? path.replace(/\/+$/, "") : path
}
