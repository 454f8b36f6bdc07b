/*
 * Stores on a file system of the test's own, and what is to be seen of a store from outside.
 */
import { openOn } from "../../src/calls/open.js"
import type { Clock } from "../../src/core/clock.js"
import { decodeCommit } from "../../src/core/commit.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { Oid } from "../../src/core/oid.js"
import type { Platform } from "../../src/core/platform.js"
import { decodeTree } from "../../src/core/tree.js"
import { readTreePaths } from "../../src/core/tree-paths.js"
import { clientFileSystem } from "../../src/platform/client-file-system.js"
import { webPlatform } from "../../src/platform/web/web-platform.js"
import { picomatchLister } from "../../src/platform/web/picomatch-lister.js"
import type { OpenOptions, SnapshotStore } from "../../src/snapshot-store.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { refStore } from "../../src/store/refs.js"
import { memDisk, type Disk } from "./disk.js"

/** A memfs with the port on top of it. */
export interface Memory {
  readonly disk: Disk
  readonly fileSystem: FileSystem
}

export const WORKTREE = "/work/project"
export const GITDIR = "/stores/project.git"

/** A new memfs. */
export function newMemory(): Memory {
  const disk = memDisk()
  return { disk, fileSystem: clientFileSystem(disk.client) }
}

/** A memfs with all that is in another one. */
export function copyOf(memory: Memory): Memory {
  const copy = newMemory()
  copyInto(memory.disk, copy.disk, "")
  return copy
}

/** A clock well ahead of the file times, so that no file counts as just written. */
function lateClock(): Clock {
  return { nowMs: () => Date.now() + 60_000 }
}

/** How to open a store on a file system. */
export interface StoreOnOptions extends Partial<OpenOptions> {
  readonly clock?: Clock
  readonly platform?: Partial<Platform>
  /** Maintenance packs refs of snapshots when there are so many. */
  readonly refsToPack?: number
}

/**
 * Opens a store on `fileSystem`. All other ports work on the calling thread, so that the same calls come in the same
 * order each time where the file system keeps the order.
 */
export function storeOn(fileSystem: FileSystem, options: StoreOnOptions = {}): Promise<SnapshotStore> {
  const { clock = lateClock(), platform: ports, refsToPack, ...open } = options
  const platform = {
    ...webPlatform(memDisk().client),
    fileSystem,
    clock,
    lister: picomatchLister(fileSystem),
    ...ports,
  }
  const place = { platform, loadGit: () => import("isomorphic-git"), stores: async () => "/stores", refsToPack }
  return openOn(place, { worktree: WORKTREE, gitdir: GITDIR, workspace: "project", ...open })
}

/** The files and links of a stored tree: path to mode and oid. */
export async function treeFiles(
  fileSystem: FileSystem,
  tree: string,
  gitdir: string = GITDIR,
): Promise<Map<string, string>> {
  const { hasher, deflater } = CHECK
  const objects = objectDatabase({ fileSystem, hasher, deflater, objectsFolder: `${gitdir}/objects` })
  const { files } = await readTreePaths(objects, tree as Oid)
  await objects.close()
  return new Map([...files].map(([path, { mode, oid }]): [string, string] => [path, `${mode} ${oid}`]).sort())
}

/** What is wrong with a store: refs that name no whole graph. None in a store as it should be. */
export async function brokenRefs(
  { hasher, deflater }: Platform,
  fileSystem: FileSystem,
  gitdir: string,
): Promise<string[]> {
  const objects = objectDatabase({ fileSystem, hasher, deflater, objectsFolder: `${gitdir}/objects` })
  const refs = refStore(fileSystem, gitdir, `${gitdir}/tmp`)
  const whole = new Set<Oid>()
  const broken: string[] = []
  for (const name of await refs.names("refs/", "pass-over")) {
    try {
      const oid = await refs.read(name)
      if (oid !== undefined) await readAll(objects, oid, whole)
    } catch (error) {
      broken.push(`${name}: ${String(error)}`)
    }
  }
  await objects.close()
  return broken
}

/** The ports that a check works with. */
export const CHECK: Platform = webPlatform(memDisk().client)

/** What a capture or a restore may leave behind and must not: in tmp and leases, refs of restores, and halves of packs. */
export async function leftovers(fileSystem: FileSystem, gitdir: string): Promise<string[]> {
  const namesIn = async (folder: string): Promise<string[]> =>
    ((await fileSystem.list(`${gitdir}/${folder}`)) ?? []).map(({ name }) => `${folder}/${name}`)
  const packs = new Set(await namesIn("objects/pack"))
  const halves = [...packs].filter((name) => !packs.has(otherHalf(name)))
  const restores = await refStore(fileSystem, gitdir, `${gitdir}/tmp`).names("refs/restores/")
  return [...(await namesIn("tmp")), ...(await namesIn("leases")), ...restores, ...halves]
}

/** The names of the packs of a store, without extension. */
export async function packsOf(fileSystem: FileSystem, gitdir: string): Promise<string[]> {
  const names = ((await fileSystem.list(`${gitdir}/objects/pack`)) ?? []).map(({ name }) => name)
  return names.filter((name) => name.endsWith(".idx")).map((name) => name.slice(0, -4))
}

function otherHalf(name: string): string {
  return name.endsWith(".idx") ? `${name.slice(0, -4)}.pack` : name.replace(/\.pack$/, ".idx")
}

/** Reads all that `first` reaches, but for what is known to be whole with all that it reaches, and adds it to that. */
async function readAll(objects: ReturnType<typeof objectDatabase>, first: Oid, whole: Set<Oid>): Promise<void> {
  const read = new Set<Oid>()
  const open = [first]
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    if (whole.has(oid) || read.has(oid)) continue
    const object = await objects.read(oid)
    if (object === undefined) throw new Error(`${oid} is missing`)
    if (object.type === "commit") {
      const { tree, parents } = decodeCommit(object.bytes, oid)
      open.push(tree, ...parents)
    } else if (object.type === "tree") {
      for (const entry of decodeTree(object.bytes, oid)) open.push(entry.oid)
    }
    read.add(oid)
  }
  for (const oid of read) whole.add(oid)
}

function copyInto(from: Disk, to: Disk, folder: string): void {
  for (const name of from.names(`${folder}/`)) {
    const path = `${folder}/${name}`
    const stat = from.fs.lstatSync(path)
    const permissions = stat.mode & 0o7777
    if (stat.isSymbolicLink()) to.fs.symlinkSync(from.fs.readlinkSync(path), path)
    else if (stat.isFile()) {
      to.fs.writeFileSync(path, from.fs.readFileSync(path))
      to.fs.chmodSync(path, permissions)
    } else {
      to.fs.mkdirSync(path, { recursive: true })
      copyInto(from, to, path)
      to.fs.chmodSync(path, permissions)
    }
  }
}
