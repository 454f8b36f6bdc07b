/*
 * Puts described folders on node:fs and on memfs alike, and changes what is there into another one with as few steps as
 * an editor would take: what did not change is not touched, what moved is renamed.
 */
import { spawnSync } from "node:child_process"
import fs, { type PathLike } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createFsFromVolume, Volume } from "memfs"
import type { RandomFolder, RandomItem, RandomSpecial } from "./random-folder.js"
import { plainText, type ByteText } from "./random-names.js"

/** The synchronous calls that the tests use; memfs has them, too. */
export type DiskFs = Pick<
  typeof fs,
  | "chmodSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "readFileSync"
  | "readdirSync"
  | "readlinkSync"
  | "renameSync"
  | "rmSync"
  | "statSync"
  | "symlinkSync"
  | "unlinkSync"
  | "writeFileSync"
>

/** A file system and its way to spell paths. */
export interface Disk {
  readonly fs: DiskFs
  path(bytes: ByteText): PathLike
  /** Names in a folder, as bytes. */
  names(path: ByteText): ByteText[]
  linkText(path: ByteText): ByteText
  /** Something to link to that is a fifo or a socket; undefined where there is none. */
  special(type: RandomSpecial["type"]): string | undefined
}

/** node:fs. Fifos and sockets need `withSpecials` first. */
export const nodeDisk: Disk = {
  fs,
  path: (bytes) => Buffer.from(bytes, "latin1"),
  names: (path) => fs.readdirSync(nodeDisk.path(path), { encoding: "buffer" }).map((name) => name.toString("latin1")),
  linkText: (path) => fs.readlinkSync(nodeDisk.path(path), { encoding: "buffer" }).toString("latin1"),
  special: (type) => specials.get(type),
}

/** A new memfs, with the object that `openStore` takes as `fs`. */
export function memDisk(): Disk & { readonly client: ReturnType<typeof createFsFromVolume> } {
  const client = createFsFromVolume(new Volume())
  const memory = client as unknown as DiskFs
  return {
    client,
    fs: memory,
    path: plainText,
    names: (path) => memory.readdirSync(plainText(path)).map((name) => Buffer.from(name).toString("latin1")),
    linkText: (path) => Buffer.from(memory.readlinkSync(plainText(path))).toString("latin1"),
    special: () => undefined,
  }
}

/** Makes a fifo and a socket to link to. Gives what removes them. Where the system knows none, none are written. */
export async function withSpecials(): Promise<() => void> {
  const folder = fs.mkdtempSync(join(tmpdir(), "treeshot-special-"))
  const fifo = join(folder, "fifo")
  if (spawnSync("mkfifo", [fifo]).status === 0) specials.set("fifo", fifo)
  const [bound, socket] = [join(folder, "bound"), join(folder, "socket")]
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(bound, resolve))
  // A server that closes removes the name that it was bound to.
  if (fs.existsSync(bound)) {
    fs.linkSync(bound, socket)
    specials.set("socket", socket)
  }
  await new Promise((resolve) => server.close(resolve))
  return () => {
    specials.clear()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** Makes `root`, which is not there or empty, what `folder` says. */
export function writeFolder(disk: Disk, root: ByteText, folder: RandomFolder): void {
  disk.fs.mkdirSync(disk.path(root), { recursive: true })
  updateFolder(disk, root, { ...folder, items: new Map() }, folder)
  disk.fs.chmodSync(disk.path(root), folder.permissions)
}

/** Makes `root`, which is what `from` says, what `to` says. Moves through the folder `<root>.aside`, which is gone after. */
export function updateFolder(disk: Disk, root: ByteText, from: RandomFolder, to: RandomFolder): void {
  const aside = `${root}.aside`
  disk.fs.mkdirSync(disk.path(aside))
  const moved = new Map<RandomItem, ByteText[]>()
  const update: Update = { disk, aside, moved, count: 0 }
  takeAway(update, root, from, to)
  fillIn(update, root, from, to)
  disk.fs.rmSync(disk.path(aside), { recursive: true })
}

interface Update {
  readonly disk: Disk
  readonly aside: ByteText
  /** Where items are that had to go and may come back elsewhere. */
  readonly moved: Map<RandomItem, ByteText[]>
  count: number
}

function takeAway(update: Update, path: ByteText, from: RandomFolder, to: RandomFolder): void {
  for (const [name, item] of from.items) {
    const next = to.items.get(name)
    if (next === item) continue
    if (item.kind === "folder" && next?.kind === "folder") takeAway(update, `${path}/${name}`, item, next)
    else if (item.kind !== "file" || next?.kind !== "file") putAside(update, `${path}/${name}`, item)
  }
}

function putAside(update: Update, path: ByteText, item: RandomItem): void {
  const { disk, moved } = update
  if (item.kind === "special" && disk.special(item.type) === undefined) return
  // memfs renames what a link leads to.
  if (item.kind === "link") return disk.fs.unlinkSync(disk.path(path))
  const place = `${update.aside}/${update.count++}`
  disk.fs.renameSync(disk.path(path), disk.path(place))
  moved.set(item, [...(moved.get(item) ?? []), place])
}

function fillIn(update: Update, path: ByteText, from: RandomFolder, to: RandomFolder): void {
  for (const [name, item] of to.items) {
    const before = from.items.get(name)
    if (before !== item) place(update, `${path}/${name}`, before, item)
  }
  if (from.permissions !== to.permissions) update.disk.fs.chmodSync(update.disk.path(path), to.permissions)
}

function place(update: Update, path: ByteText, before: RandomItem | undefined, item: RandomItem): void {
  const { disk } = update
  if (item.kind === "folder" && before?.kind === "folder") return fillIn(update, path, before, item)
  if (item.kind === "file" && before?.kind === "file") return changeFile(disk, path, before, item)
  const from = update.moved.get(item)?.pop()
  if (from !== undefined) return disk.fs.renameSync(disk.path(from), disk.path(path))
  if (item.kind === "folder") {
    disk.fs.mkdirSync(disk.path(path))
    fillIn(update, path, { kind: "folder", permissions: -1, items: new Map() }, item)
  } else if (item.kind === "file") {
    disk.fs.writeFileSync(disk.path(path), item.bytes)
    disk.fs.chmodSync(disk.path(path), item.permissions)
  } else if (item.kind === "link") {
    disk.fs.symlinkSync(disk.path(item.text), disk.path(path))
  } else {
    const special = disk.special(item.type)
    if (special !== undefined) disk.fs.linkSync(special, disk.path(path))
  }
}

function changeFile(disk: Disk, path: ByteText, before: RandomItem & { kind: "file" }, item: typeof before): void {
  if (before.bytes !== item.bytes) {
    disk.fs.chmodSync(disk.path(path), 0o600)
    disk.fs.writeFileSync(disk.path(path), item.bytes)
  }
  disk.fs.chmodSync(disk.path(path), item.permissions)
}

const specials = new Map<RandomSpecial["type"], string>()
