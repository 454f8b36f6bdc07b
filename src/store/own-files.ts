/*
 * The files of a gitdir and what they take.
 */
import pLimit from "p-limit"
import { SnapshotError } from "../core/errors.js"
import { fileMs, type FileStat, type FileSystem } from "../core/file-system.js"
import { toOid, type Oid } from "../core/oid.js"
import { settleAll } from "../core/settle-all.js"
import { PACK_FILE } from "./candidates.js"
import type { GitdirLayout } from "./gitdir.js"
import { listFollowing } from "./list-following.js"

/** What a gitdir holds. Sizes are those of the files' contents, in bytes. */
export interface OwnFiles {
  readonly packs: readonly OwnPack[]
  readonly loose: readonly OwnLoose[]
  /** What is in tmp/, file by file. */
  readonly temporary: readonly OwnTemporary[]
  /** Of the stat caches. */
  readonly cacheBytes: number
  /** Of what repairs set aside. */
  readonly asideBytes: number
  /** Of all files that are none of the above: refs, records, configuration and others. */
  readonly otherBytes: number
  /** Paths of folders and files, from the gitdir on, that the system did not let be looked at. */
  readonly unreadable: readonly string[]
}

/** A pack with the files beside it. */
export interface OwnPack {
  /** Without extension. */
  readonly name: string
  /** Of the pack, its index and what Git puts beside them. */
  readonly sizeBytes: number
  /** Another repository has the same file: it costs nothing. */
  readonly isShared: boolean
  /** Git was told to keep it. */
  readonly isKept: boolean
  /** Pack and index are there. */
  readonly isWhole: boolean
}

/** The file of a loose object. */
export interface OwnLoose {
  readonly oid: Oid
  readonly sizeBytes: number
  readonly writtenMs: number
}

/** A file below tmp/. */
export interface OwnTemporary {
  /** Of the file or folder in tmp/ that it is, or is in. */
  readonly name: string
  readonly sizeBytes: number
  readonly writtenMs: number
}

/**
 * Looks at every file of a gitdir, or only at those of its objects. Links are not followed, but for Git's own folders of
 * objects. What goes meanwhile is left out, and what cannot be looked at is named.
 */
export async function readOwnFiles(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  which: "all" | "objects" = "all",
): Promise<OwnFiles> {
  const found = new Found()
  const atOnce = pLimit(CALLS_AT_ONCE)

  async function lookInto(folder: string): Promise<void> {
    const items = await unlessRefused(folder, () =>
      atOnce(() => listFollowing(fileSystem, folder === "" ? layout.gitdir : `${layout.gitdir}/${folder}`)),
    )
    const paths = (items ?? []).map((item) => ({ ...item, path: folder === "" ? item.name : `${folder}/${item.name}` }))
    const isFolder = ({ kind, path }: (typeof paths)[number]): boolean =>
      kind === "folder" || (kind === "link" && OBJECT_FOLDER.test(path))
    await settleAll(
      paths
        .filter((item) => !isFolder(item))
        .map(async ({ path }) => {
          const stat = await unlessRefused(path, () => atOnce(() => fileSystem.lstat(`${layout.gitdir}/${path}`)))
          if (stat !== undefined) found.add(path, stat)
        }),
    )
    // One folder after the other: of many files only those of one folder wait at a time.
    for (const { path } of paths.filter(isFolder)) await lookInto(path)
  }

  async function unlessRefused<Value>(path: string, look: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await look()
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error
      found.unreadable.push(path)
      return undefined
    }
  }

  await lookInto(which === "all" ? "" : "objects")
  return found.files()
}

class Found {
  readonly unreadable: string[] = []
  readonly #packs = new Map<string, Map<string, FileStat>>()
  readonly #loose: OwnLoose[] = []
  readonly #temporary: OwnTemporary[] = []
  #cacheBytes = 0
  #asideBytes = 0
  #otherBytes = 0

  add(path: string, stat: FileStat): void {
    const { sizeBytes } = stat
    const [top = "", second = "", third = "", ...more] = path.split("/")
    const packFile = top === "objects" && second === "pack" && more.length === 0 ? PACK_FILE.exec(third) : null
    const oid = top === "objects" && more.length === 0 ? toOid(second + third) : undefined
    if (packFile !== null) {
      const [, name = "", extension = ""] = packFile
      this.#packs.set(name, (this.#packs.get(name) ?? new Map<string, FileStat>()).set(extension, stat))
    } else if (oid !== undefined) this.#loose.push({ oid, sizeBytes, writtenMs: fileMs(stat) })
    else if (top === "tmp") this.#temporary.push({ name: second, sizeBytes, writtenMs: fileMs(stat) })
    else if (top === "stat-cache") this.#cacheBytes += sizeBytes
    else if (top === "damaged") this.#asideBytes += sizeBytes
    else this.#otherBytes += sizeBytes
  }

  files(): OwnFiles {
    return {
      packs: Array.from(this.#packs, ([name, parts]) => packOf(name, parts)),
      loose: this.#loose,
      temporary: this.#temporary,
      cacheBytes: this.#cacheBytes,
      asideBytes: this.#asideBytes,
      otherBytes: this.#otherBytes,
      unreadable: this.unreadable,
    }
  }
}

function packOf(name: string, parts: ReadonlyMap<string, FileStat>): OwnPack {
  return {
    name,
    sizeBytes: [...parts.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    isShared: (parts.get(".pack")?.links ?? 1) > 1,
    isKept: parts.has(".keep"),
    isWhole: parts.has(".pack") && parts.has(".idx"),
  }
}

const OBJECT_FOLDER = /^objects(?:\/(?:pack|[0-9a-f]{2}))?$/
const CALLS_AT_ONCE = 16
