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
import { ioError } from "../../src/platform/io-error.js"
import type { SnapshotStore, VerifyReport } from "../../src/snapshot-store.js"
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
const LONG = { timeout: 300_000 }

/** A store in which there is a file of every kind. */
const start = newMemory()
/** The snapshots in it: id by ref. */
const snapshots = new Map<string, string>()
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
  expect(snapshots.size).toBe(8)
  expect(await brokenRefs(CHECK_PORTS, fileSystem, GITDIR)).toEqual([])
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

async function refsOf(fileSystem: FileSystem): Promise<[string, string][]> {
  const { refStore } = await import("../../src/store/refs.js")
  const refs = refStore(fileSystem, GITDIR, `${GITDIR}/tmp`)
  const found: [string, string][] = []
  for (const name of await refs.names("refs/snapshots/")) found.push([name, (await refs.read(name)) ?? ""])
  return found
}

/** A way to damage a file, and a name for it. */
interface Damage {
  readonly name: string
  /** Undefined for one that the system no longer reads. */
  readonly inflict: ((memory: Memory, path: string) => void) | undefined
}

function damagesOf(size: number): Damage[] {
  const write =
    (change: (bytes: Buffer) => Uint8Array) =>
    ({ disk }: Memory, path: string): void => {
      const bytes = Buffer.from(disk.fs.readFileSync(path))
      disk.fs.chmodSync(path, 0o600)
      disk.fs.writeFileSync(path, change(bytes))
    }
  const cuts: number[] = []
  for (let length = 1; length < size; length *= 2) cuts.push(length)
  const places = [...new Set([0, 1, size >> 2, size >> 1, (3 * size) >> 2, size - 21, size - 2, size - 1])]
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
  readonly fresh: () => { readonly memory: Memory; readonly fileSystem: FileSystem }
}

/** The first and the last of the files of a kind, and all of the loose objects, which are of different types. */
function casesOf(matches: (file: string) => boolean): Case[] {
  const files = filesBelow(start, "").filter(matches)
  return [
    ...new Set(
      MAY_GO.test(files[0] ?? "") || LOOSE.test(files[0] ?? "") ? files : [files[0] as string, files.at(-1) as string],
    ),
  ].flatMap((file) => {
    const path = `${GITDIR}/${file}`
    const { size } = start.disk.fs.statSync(path)
    return damagesOf(Number(size)).map((damage): Case => ({
      file,
      damage,
      fresh: () => {
        const memory = copyOf(start)
        damage.inflict?.(memory, path)
        const fileSystem = damage.inflict === undefined ? unreadable(memory.fileSystem, path) : memory.fileSystem
        return { memory, fileSystem }
      },
    }))
  })
}

const LOOSE = /^objects\/(?!pack)/

/** zlib and OpenSSL take a fraction of the time. */
const PORTS = { hasher: nodeHasher(), deflater: nodeDeflater(), unpacker: nodeUnpacker() }
const CHECK_PORTS = { ...CHECK, ...PORTS }

const ahead = { clock: { nowMs: () => Date.now() + 2 * 86_400_000 }, platform: PORTS }

/** All that is wrong in a case. */
async function wrongIn({ file, damage, fresh }: Case): Promise<string[]> {
  const wrong: string[] = []
  const { fileSystem } = fresh()
  let store: SnapshotStore
  try {
    store = await storeOn(fileSystem, ahead)
  } catch (error) {
    const isTold = error instanceof SnapshotError && OPEN_CODES.has(error.code)
    return isTold && (file === "config" || file === "HEAD") ? [] : [`opening gave ${String(error)}`]
  }
  try {
    const broken = new Set(
      (await brokenRefs(CHECK_PORTS, fileSystem, GITDIR)).map((line) => line.split(":")[0] as string),
    )
    const there = new Map((await refsOf(fileSystem).catch(() => [...snapshots])).filter(([ref]) => snapshots.has(ref)))
    const whole = [...there].filter(([ref, id]) => !broken.has(ref) && snapshots.get(ref) === id)
    wrong.push(...(await wrongWithVerify(store, file, damage, broken, whole)))
    const listed = new Set((await store.list({ kind: "all" })).map(({ id }) => id))
    for (const [ref, id] of whole) if (!listed.has(id)) wrong.push(`${ref} is not listed`)
    const { snapshot } = await store.capture({ label: "after" })
    const files = await treeFiles(fileSystem, snapshot.tree)
    if (JSON.stringify([...files]) !== JSON.stringify([...worktree])) wrong.push("the capture is not the work tree")
    for (const [ref, id] of whole.slice(0, 2))
      if (!(await store.restore(id)).complete) wrong.push(`${ref} could not be restored`)
    wrong.push(...(await wrongWithRepair(fresh(), file, damage, whole)))
  } catch (error) {
    wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await store.close()
  }
  return wrong
}

const OPEN_CODES: ReadonlySet<string> = new Set(["FORMAT_UNSUPPORTED", "GITDIR_INVALID", "IO_FAILED"])

async function wrongWithVerify(
  store: SnapshotStore,
  file: string,
  damage: Damage,
  broken: ReadonlySet<string>,
  whole: readonly (readonly [string, string])[],
): Promise<string[]> {
  const wrong: string[] = []
  const report = await store.verify()
  const touched = new Set(report.problems.flatMap((problem) => problem.snapshots))
  for (const ref of broken)
    if (ref.startsWith("refs/snapshots/") && !touched.has(ref) && !touched.has(snapshots.get(ref) ?? ""))
      wrong.push(`${ref} is broken, and not named`)
  for (const [ref, id] of whole) if (touched.has(ref) || touched.has(id)) wrong.push(`${ref} is whole, and named`)
  const isNamed = report.problems.some(({ oid, file: where }) => oid === file || where === file)
  if (!isNamed && (broken.size > 0 || isJudged(file, damage)) && !isElsewhere(file, damage))
    wrong.push(`it is not named: ${JSON.stringify(report.problems)}`)
  if (MAY_GO.test(file) && !report.ok) wrong.push(`it is a problem: ${JSON.stringify(report.problems)}`)
  return wrong
}

/** Whether damage of any kind has to be told. */
function isJudged(file: string, { name }: Damage): boolean {
  return file.startsWith("objects/pack/") && name !== "deleted" && name !== "a folder in its place"
}

/** What is not known by the file: a ref that names another object, an alternate that is not there, what is deleted. */
function isElsewhere(file: string, { name }: Damage): boolean {
  return (
    file.startsWith("refs/") ||
    file.startsWith("objects/info/") ||
    (!file.endsWith(".pack") && !file.endsWith(".idx") && name === "deleted") ||
    file === "packed-refs" ||
    file.startsWith("objects/")
  )
}

const MAY_GO = /^(?:leases|locks|stat-cache|tmp|unsynced)\/|^let-go$/

async function wrongWithRepair(
  { memory, fileSystem }: ReturnType<Case["fresh"]>,
  file: string,
  damage: Damage,
  whole: readonly (readonly [string, string])[],
): Promise<string[]> {
  const wrong: string[] = []
  const store = await storeOn(fileSystem, ahead)
  try {
    const report: VerifyReport = await store.verify({ repair: true })
    const broken = await brokenRefs(CHECK_PORTS, fileSystem, GITDIR)
    for (const [ref] of whole)
      if (broken.some((line) => line.startsWith(`${ref}:`))) wrong.push(`${ref} was whole before the repair`)
    const after = new Map(await refsOf(fileSystem).catch(() => []))
    for (const [ref, id] of whole)
      if (damage.inflict !== undefined && after.get(ref) !== id) wrong.push(`${ref} is gone after the repair`)
    if (MENDED.test(file) && damage.inflict !== undefined && !report.ok)
      wrong.push(`it is not mended: ${JSON.stringify(report.problems)}`)
    const again = await store.verify()
    if (again.ok !== report.ok) wrong.push(`verify says otherwise: ${JSON.stringify(again.problems)}`)
    try {
      await store.maintain()
    } catch (error) {
      const isLost = report.problems.length > 0 && error instanceof SnapshotError && error.code.startsWith("OBJECT_")
      if (!isLost && damage.inflict !== undefined) wrong.push(`maintain gave ${String(error)}`)
    }
    for (const [ref] of whole)
      if ((await brokenRefs(CHECK_PORTS, fileSystem, GITDIR)).some((line) => line.startsWith(`${ref}:`)))
        wrong.push(`${ref} was whole before maintain`)
  } finally {
    await store.close()
  }
  void memory
  return wrong
}

/** What a repair mends whatever it was, as far as verify knows of it. */
const MENDED = /^(?:HEAD|config|packed-refs|restores\/|refs\/|objects\/pack\/.*\.idx)/

async function wrongInAll(matches: (file: string) => boolean): Promise<string[]> {
  const wrong: string[] = []
  const cases = casesOf(matches)
  expect(cases.length).toBeGreaterThan(3)
  const began = performance.now()
  for (const each of cases)
    for (const problem of await wrongIn(each)) wrong.push(`${each.file}, ${each.damage.name}: ${problem}`)
  console.log(cases.length, "cases", performance.now() - began)
  return wrong
}

const KINDS: readonly (readonly [string, RegExp])[] = [
  ["HEAD and config", /^(?:HEAD|config)$/],
  ["packs", /\.pack$/],
  ["indexes of packs", /\.idx$/],
  ["loose refs", /^refs\//],
  ["packed refs", /^packed-refs$/],
  ["loose objects, and the file of alternates", /^objects\/(?!pack\/)/],
  ["what restores wrote down", /^restores\//],
  ["leases, locks, markers, caches and what is left over", MAY_GO],
]

test.each(KINDS)("%s", LONG, async (_, pattern) => {
  expect(await wrongInAll((file) => pattern.test(file))).toEqual([])
})
