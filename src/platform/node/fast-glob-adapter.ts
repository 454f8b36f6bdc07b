import type { Dirent, Stats } from "node:fs"
import { relative, resolve, sep } from "node:path"
import { callbackify } from "node:util"
import type { FileSystemAdapter } from "fast-glob"
import { errnoOf, SnapshotError } from "../../core/errors.js"
import type { FileKind, FileSystem } from "../../core/file-system.js"
import { isUtf8Name, nameOf, parentOf, type RepoPath } from "../../core/path.js"

/** The calls of fast-glob, answered by a FileSystem. */
export interface FastGlobAdapter {
  readonly methods: Partial<FileSystemAdapter>
  /** Folders that could not be read so far. */
  readonly unreadable: ReadonlySet<string>
}

/** The folder that fast-glob takes for the root, whatever the real one is. */
export const GLOB_ROOT: string = resolve("/")

/**
 * Shows the folder `root` to fast-glob, without what it must not see: names that are no UTF-8, and whatever lies behind a
 * link, even where a glob names the link itself.
 */
export function fastGlobAdapter(fileSystem: FileSystem, root: string): FastGlobAdapter {
  const kinds = new Map<string, Promise<FileKind | undefined>>([["", Promise.resolve("folder")]])
  const unreadable = new Set<string>()

  async function kindOf(path: string): Promise<FileKind | undefined> {
    const known = kinds.get(path)
    if (known !== undefined) return known
    const asked = look(path)
    kinds.set(path, asked)
    return asked
  }

  async function look(path: string): Promise<FileKind | undefined> {
    const folder = parentOf(path as RepoPath)
    if ((await kindOf(folder)) !== "folder") return undefined
    try {
      return (await fileSystem.lstat(`${root}/${path}`))?.kind
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error
      unreadable.add(folder)
      return undefined
    }
  }

  async function items(folder: string): Promise<Dirent[]> {
    if ((await kindOf(folder)) !== "folder") return []
    const found = (await fileSystem.list(folder === "" ? root : `${root}/${folder}`)) ?? []
    return found
      .filter(({ name }) => isUtf8Name(name))
      .map(({ name, kind }) => {
        kinds.set(folder === "" ? name : `${folder}/${name}`, Promise.resolve(kind))
        return entryOf(hideLineEnds(name), kind) as Dirent
      })
  }

  async function readdir(address: string): Promise<Dirent[]> {
    const folder = pathOf(address)
    try {
      return await items(folder)
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error
      // A folder that became something else meanwhile is no folder to list.
      if (errnoOf(error) !== "ENOTDIR") unreadable.add(folder)
      return []
    }
  }

  async function lstat(address: string): Promise<Stats> {
    const path = pathOf(address)
    const kind = await kindOf(path)
    if (kind === undefined) throw Object.assign(new Error(`${path} is not there`), { code: "ENOENT" })
    return entryOf(nameOf(path as RepoPath), kind) as unknown as Stats
  }

  const lstatWithCallback = callbackify(lstat)
  const readdirWithCallback = callbackify((address: string, _options: unknown) => readdir(address))
  return {
    methods: {
      lstat: lstatWithCallback,
      stat: lstatWithCallback,
      readdir: readdirWithCallback as NonNullable<FileSystemAdapter["readdir"]>,
    },
    unreadable,
  }
}

/**
 * fast-glob's expressions match no line ends, which names may hold. They travel as lone surrogates, which no name in
 * UTF-8 holds.
 */
export function hideLineEnds(text: string): string {
  return text.replace(/[\n\r\u2028\u2029]/g, (symbol) => String.fromCharCode(0xdc00 | (symbol.charCodeAt(0) & 0xff)))
}

/** What hideLineEnds had hidden. */
export function showLineEnds(text: string): string {
  return text.replace(/[\udc0a\udc0d\udc28\udc29]/g, (symbol) => {
    const code = symbol.charCodeAt(0) & 0xff
    return String.fromCharCode(code < 0x20 ? code : 0x2000 | code)
  })
}

function pathOf(address: string): string {
  return showLineEnds(relative(GLOB_ROOT, address).split(sep).join("/"))
}

function entryOf(name: string, kind: FileKind): object {
  const no = (): boolean => false
  return {
    name,
    isFile: () => kind === "file",
    isDirectory: () => kind === "folder",
    isSymbolicLink: () => kind === "link",
    isBlockDevice: no,
    isCharacterDevice: no,
    isFIFO: no,
    isSocket: no,
  }
}
