/*
 * Every file of a store, damaged in every way, one at a time: what is not touched by it goes on working, verify names
 * what is, and a repair mends what can be mended and makes nothing worse.
 */
import { beforeAll, expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { nodeUnpacker } from "../../src/platform/node/node-unpacker.js"
import { pinnedRef, PINS, type RefName } from "../../src/core/ref-name.js"
import { ioError } from "../../src/platform/io-error.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { layoutOf } from "../../src/store/gitdir.js"
import { readOwnNodes } from "../../src/store/own-nodes.js"
import { readRefRoots } from "../../src/store/roots.js"
import { flipped, writeLoose, writeSnapshot, writeTree } from "../support/damage.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { faultyFileSystem, type AroundCall } from "../support/faulty-file-system.js"
import {
  brokenRefs,
  CHECK,
  copyOf,
  GITDIR,
  newMemory,
  storeOn,
  treeFiles,
  WORKTREE,
  type Memory,
} from "../support/store-on.js"

/** Many cases: on a busy machine they take a while. */
const LONG = { timeout: 900_000 }

/** A store in which there is a file of every kind. */
const start = newMemory()
/** The snapshots in it: id by ref. */
const snapshots = new Map<string, string>()
/** The trees and commits in it. */
let nodes = new Set<string>()
/** What the work tree is. */
let worktree = new Map<string, string>()

beforeAll(async () => {
  const { disk, fileSystem } = start
  writeFolder(disk, WORKTREE, folderOf({ "a.txt": "a", dir: { "b.txt": "b", "same.txt": "same ".repeat(40) } }))
  const store = await storeOn(fileSystem)
  for (const text of ["one", "two", "three"]) {
    disk.fs.writeFileSync(`${WORKTREE}/a.txt`, `${text} `.repeat(30))
    await store.capture({ label: text })
  }
  await store.restore("latest~1")
  await store.undo()
  for (const { id } of await store.list({ kind: "all" })) await store.pin(id)
  await store.close()
  const unsynced = await storeOn(fileSystem, { durability: "process" })
  disk.fs.writeFileSync(`${WORKTREE}/a.txt`, "four ".repeat(30))
  const { snapshot } = await unsynced.capture()
  worktree = await treeFiles(fileSystem, snapshot.tree)
  await unsynced.close()
  packRefs(start, 2)
  const place = { fs: disk.fs, gitdir: GITDIR }
  const loose = writeLoose(place, "blob", Buffer.from("a loose one"))
  writeSnapshot(place, "project", writeTree(place, [{ mode: "100644", name: "loose", oid: loose }]))
  const elsewhere = writeLoose({ fs: disk.fs, gitdir: "/elsewhere" }, "blob", Buffer.from("lent"))
  const lent = writeTree(place, [{ mode: "100644", name: "lent", oid: elsewhere }])
  writeSnapshot(place, "project", lent, { nonce: "fedcba9876543210" })
  disk.fs.mkdirSync(`${GITDIR}/objects/info`)
  const id = "a".repeat(32)
  const holder = JSON.stringify({ token: id, createdMs: 1, owner: { pid: 1, host: "gone" } })
  for (const [path, content] of [
    ["objects/info/alternates", "/elsewhere/objects\n"],
    [`leases/${id}.ref`, ""],
    [`leases/${id}.json`, JSON.stringify({ id, createdMs: 1, owner: { pid: 1, host: "gone" } })],
    ["locks/maintenance", holder],
    ["stat-cache/project", "x".repeat(300)],
    ["let-go", `${loose} 1600000000000\n`],
    [`tmp/${id}`, "left over"],
  ] as const)
    disk.fs.writeFileSync(`${GITDIR}/${path}`, content)
  for (const ref of await refsOf(fileSystem)) snapshots.set(...ref)
  nodes = await nodesOf(start)
  expect(snapshots.size).toBe(8)
  expect(await brokenRefs({ ...CHECK, ...PORTS }, fileSystem, GITDIR)).toEqual([])
})

/** Moves the oldest so many refs of captures into packed-refs. */
function packRefs({ disk }: Memory, count: number): void {
  const folder = `${GITDIR}/refs/snapshots/project`
  const lines = ["# pack-refs with: peeled fully-peeled sorted "]
  for (const name of disk.names(folder).toSorted().slice(0, count)) {
    lines.push(`${text(start, `${folder}/${name}`).trim()} refs/snapshots/project/${name}`)
    disk.fs.unlinkSync(`${folder}/${name}`)
  }
  disk.fs.writeFileSync(`${GITDIR}/packed-refs`, `${lines.join("\n")}\n`)
}

function text({ disk }: Memory, path: string): string {
  return Buffer.from(disk.fs.readFileSync(path)).toString()
}

/** The ids of the trees and commits in the store. */
async function nodesOf({ fileSystem }: Memory): Promise<Set<string>> {
  const nodes = new Set<string>()
  await readOwnNodes({ ...PORTS, fileSystem }, layoutOf(GITDIR), (oid) => nodes.add(oid))
  return nodes
}

/** Of these refs the pins without their snapshots: they bar maintenance, and nobody can remove them. */
async function strayPins(fileSystem: FileSystem, broken: ReadonlySet<string>): Promise<string[]> {
  const { oids } = await readRefRoots(fileSystem, GITDIR, () => {})
  return [...broken].filter((ref) => ref.startsWith(PINS) && !oids.has(pinnedRef(ref as RefName)))
}

/** What the refs of snapshots name, as far as they can be read. */
async function refsOf(fileSystem: FileSystem): Promise<[ref: string, id: string][]> {
  const { oids } = await readRefRoots(fileSystem, GITDIR, () => {})
  return [...oids].filter(([ref]) => ref.startsWith("refs/snapshots/"))
}

/** A way to damage a file, and a name for it. */
interface Damage {
  readonly name: string
  /** Undefined for one that the system no longer reads. */
  readonly inflict: ((memory: Memory, path: string) => void) | undefined
}

/** A few of these for files that may go at any time, and for loose objects, of which there are several. */
function damagesOf(size: number, isFew: boolean): Damage[] {
  const write =
    (change: (bytes: Buffer) => Uint8Array) =>
    ({ disk }: Memory, path: string): void => {
      const bytes = Buffer.from(disk.fs.readFileSync(path))
      disk.fs.chmodSync(path, 0o600)
      disk.fs.writeFileSync(path, change(bytes))
    }
  const powers: number[] = []
  for (let length = 1; length < size; length *= 2) powers.push(length)
  const cuts = isFew ? powers.slice(-1) : powers
  const all = [0, size >> 1, size - 1, 1, size >> 2, (3 * size) >> 2, size - 21, size - 2]
  const places = [...new Set(isFew ? all.slice(0, 2) : all)]
  return [
    ...(size === 0 ? [] : [{ name: "emptied", inflict: write(() => new Uint8Array()) }]),
    ...cuts.map((length) => ({ name: `cut to ${length}`, inflict: write((bytes) => bytes.subarray(0, length)) })),
    ...places
      .filter((place) => place >= 0 && place < size)
      .map((place) => ({ name: `a bit of byte ${place} turned`, inflict: write((bytes) => flipped(bytes, place)) })),
    { name: "deleted", inflict: ({ disk }, path) => disk.fs.unlinkSync(path) },
    {
      name: "a folder in its place",
      inflict: ({ disk }, path) => {
        disk.fs.unlinkSync(path)
        disk.fs.mkdirSync(path)
      },
    },
    { name: "unreadable", inflict: undefined },
  ]
}

/** The file system on which nothing in `path` can be had. */
function unreadable(inner: FileSystem, path: string): FileSystem {
  const around: AroundCall = async (call, make) => {
    const isRead = call.kind === "open" || call.kind === "readFile"
    if (isRead && call.path === path) throw ioError("open the file", path, { code: "EACCES" })
    return make()
  }
  return faultyFileSystem(inner, [], around)
}

function filesBelow({ disk }: Memory, folder: string): string[] {
  return disk.names(`${GITDIR}/${folder}`).flatMap((name) => {
    const path = folder === "" ? name : `${folder}/${name}`
    return disk.fs.lstatSync(`${GITDIR}/${path}`).isDirectory() ? filesBelow({ disk } as Memory, path) : [path]
  })
}

/** What is so with a damaged store. */
interface Case {
  readonly file: string
  readonly damage: Damage
  /** The store, damaged, anew each time. */
  readonly fresh: () => FileSystem
}

/** The first and the last of the files of a kind, and all of those that are of a kind of their own each. */
function casesOf(matches: (file: string) => boolean): Case[] {
  const files = filesBelow(start, "").filter(matches)
  const isFew = MAY_GO.test(files[0] ?? "") || LOOSE.test(files[0] ?? "")
  const chosen = new Set(isFew ? files : [files[0] as string, files.at(-1) as string])
  return [...chosen].flatMap((file) => {
    const path = `${GITDIR}/${file}`
    const { size } = start.disk.fs.statSync(path)
    return damagesOf(Number(size), isFew).map((damage): Case => ({
      file,
      damage,
      fresh: () => {
        const memory = copyOf(start)
        damage.inflict?.(memory, path)
        return damage.inflict === undefined ? unreadable(memory.fileSystem, path) : memory.fileSystem
      },
    }))
  })
}

const LOOSE = /^objects\/(?!pack)/

/** zlib and OpenSSL take a fraction of the time. */
const PORTS = { hasher: nodeHasher(), deflater: nodeDeflater(), unpacker: nodeUnpacker() }

const ahead = { clock: { nowMs: () => Date.now() + 2 * 86_400_000 }, platform: PORTS }

/** All that is wrong in a case. */
async function wrongIn({ file, damage, fresh }: Case): Promise<string[]> {
  const fileSystem = fresh()
  let store: SnapshotStore
  try {
    store = await storeOn(fileSystem, ahead)
  } catch (error) {
    const isTold = error instanceof SnapshotError && OPEN_CODES.has(error.code)
    return isTold && (file === "config" || file === "HEAD") ? [] : [`opening gave ${String(error)}`]
  }
  try {
    const broken = await brokenIn(fileSystem)
    const there = (await refsOf(fileSystem)).filter(([ref, id]) => snapshots.get(ref) === id)
    const whole = there.filter(([ref]) => !broken.has(ref))
    const wrong = await wrongWithVerify(store, file, damage, broken, whole)
    // What is done with a store that was cut at one place or another is the same.
    if (!damage.name.startsWith("cut")) wrong.push(...(await wrongWithWork(store, fileSystem, whole)))
    wrong.push(...(await wrongWithRepair(fresh(), file, damage, whole)))
    return wrong
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
  } finally {
    await store.close()
  }
}

const OPEN_CODES: ReadonlySet<string> = new Set(["FORMAT_UNSUPPORTED", "GITDIR_INVALID", "IO_FAILED"])

/** A ref and the id of its snapshot. */
type Named = readonly [ref: string, id: string]

/** The refs that name no whole graph. */
async function brokenIn(fileSystem: FileSystem): Promise<ReadonlySet<string>> {
  const lines = await brokenRefs({ ...CHECK, ...PORTS }, fileSystem, GITDIR)
  return new Set(lines.map((line) => line.split(":")[0] as string))
}

async function wrongWithVerify(
  store: SnapshotStore,
  file: string,
  damage: Damage,
  broken: ReadonlySet<string>,
  whole: readonly Named[],
): Promise<string[]> {
  const wrong: string[] = []
  const { ok, problems } = await store.verify()
  const touched = new Set(problems.flatMap((problem) => problem.snapshots))
  for (const ref of broken)
    if (ref.startsWith("refs/snapshots/") && !touched.has(ref) && !touched.has(snapshots.get(ref) ?? ""))
      wrong.push(`${ref} is broken, and not named`)
  for (const [ref, id] of whole) if (touched.has(ref) || touched.has(id)) wrong.push(`${ref} is whole, and named`)
  const isNamed = problems.some((problem) => problem.oid === file || problem.file === file)
  if (!isNamed && hasToBeNamed(file, damage, broken)) wrong.push(`it is not named: ${JSON.stringify(problems)}`)
  if (MAY_GO.test(file) && !ok) wrong.push(`it is a problem: ${JSON.stringify(problems)}`)
  return wrong
}

/** A pack or an index that is gone is missed when something is missed; a record that is gone was forgotten. */
function hasToBeNamed(file: string, { name }: Damage, broken: ReadonlySet<string>): boolean {
  if (file.startsWith("objects/pack/")) return !isGone(name) || broken.size > 0
  return file.startsWith("restores/") && name !== "deleted"
}

function isGone(damage: string): boolean {
  return damage === "deleted" || damage === "a folder in its place"
}

const MAY_GO = /^(?:leases|locks|stat-cache|tmp|unsynced)\/|^let-go$/

async function wrongWithWork(store: SnapshotStore, fileSystem: FileSystem, whole: readonly Named[]): Promise<string[]> {
  const wrong: string[] = []
  const listed = new Set((await store.list({ kind: "all" })).map(({ id }) => id))
  for (const [ref, id] of whole) if (!listed.has(id)) wrong.push(`${ref} is not listed`)
  const { snapshot } = await store.capture({ label: "after" })
  const files = await treeFiles(fileSystem, snapshot.tree)
  if (JSON.stringify([...files]) !== JSON.stringify([...worktree])) wrong.push("the capture is not the work tree")
  const [ref, id] = whole[0] ?? []
  if (id !== undefined && !(await store.restore(id)).complete) wrong.push(`${ref} could not be restored`)
  return wrong
}

async function wrongWithRepair(
  fileSystem: FileSystem,
  file: string,
  { name, inflict }: Damage,
  whole: readonly Named[],
): Promise<string[]> {
  const wrong: string[] = []
  const store = await storeOn(fileSystem, ahead)
  try {
    const { ok, problems } = await store.verify({ repair: true })
    const broken = await brokenIn(fileSystem)
    const after = new Map(await refsOf(fileSystem))
    for (const [ref, id] of whole)
      if (broken.has(ref) || after.get(ref) !== id) wrong.push(`${ref} was whole before the repair`)
    if (MENDED.test(file) && inflict !== undefined && !ok) wrong.push(`it is not mended: ${JSON.stringify(problems)}`)
    // Of a snapshot that could not be saved only the repair itself tells.
    const isGoneFor = (label: string): boolean => label.startsWith("refs/snapshots/") && !after.has(label)
    const left = problems.filter(({ snapshots: labels }) => labels.length === 0 || !labels.every(isGoneFor))
    if (left.length > 0 && (await store.verify()).ok) wrong.push("there is no problem, other than the repair says")
    if (inflict !== undefined && !isGone(name))
      for (const pin of await strayPins(fileSystem, broken)) wrong.push(`${pin} has lost its snapshot`)
    try {
      await store.maintain()
    } catch (error) {
      // What was in a lost file of a snapshot is known, and bars nothing.
      const isFolderLost = problems.some(({ oid }) => nodes.has(oid))
      const isLost = isFolderLost && error instanceof SnapshotError && error.code.startsWith("OBJECT_")
      if (!isLost && inflict !== undefined) wrong.push(`maintain gave ${String(error)}`)
    }
    const brokenThen = await brokenIn(fileSystem)
    for (const [ref] of whole) if (brokenThen.has(ref)) wrong.push(`${ref} was whole before maintain`)
  } finally {
    await store.close()
  }
  return wrong
}

/** What a repair mends whatever it was, as far as verify knows of it. */
const MENDED = /^(?:HEAD|config|packed-refs|restores\/|refs\/|objects\/pack\/.*\.idx)/

async function wrongInAll(matches: (file: string) => boolean): Promise<string[]> {
  const wrong: string[] = []
  const cases = casesOf(matches)
  expect(cases.length).toBeGreaterThan(3)
  for (const each of cases)
    for (const problem of await wrongIn(each)) wrong.push(`${each.file}, ${each.damage.name}: ${problem}`)
  return wrong
}

const KINDS: readonly (readonly [string, RegExp])[] = [
  ["HEAD and config", /^(?:HEAD|config)$/],
  ["packs", /\.pack$/],
  ["indexes of packs", /\.idx$/],
  ["loose refs", /^refs\//],
  ["pins", /^refs\/pins\//],
  ["packed refs", /^packed-refs$/],
  ["loose objects, and the file of alternates", /^objects\/(?!pack\/)/],
  ["what restores wrote down", /^restores\//],
  ["leases, locks, markers, caches and what is left over", MAY_GO],
]

test.each(KINDS)("%s", LONG, async (_, pattern) => {
  expect(await wrongInAll((file) => pattern.test(file))).toEqual([])
})
