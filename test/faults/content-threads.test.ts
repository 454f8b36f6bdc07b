import { spawn, spawnSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import zlib from "node:zlib"
import { describe, expect, it, onTestFinished } from "vitest"
import { openOn } from "../../src/calls/open.js"
import type { ContentAnswer, ContentFound, ContentReader, ContentRequest } from "../../src/core/content-reader.js"
import type { FileSystem, FolderHandle } from "../../src/core/file-system.js"
import { hashObject } from "../../src/core/object.js"
import type { Oid } from "../../src/core/oid.js"
import { decodeEntryHeader } from "../../src/core/pack.js"
import { contentThreads } from "../../src/platform/node/content-threads.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { readBeside } from "../../src/tree/read-beside.js"
import { readStable, withFile } from "../../src/tree/read-file.js"
import { git } from "../support/git.js"
import { noise } from "../support/git-objects.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const DIST = new URL("../../dist/", import.meta.url)
const WORKER = new URL("platform/node/content-worker.js", DIST)
const fileSystem = nodeFileSystem()
const hasher = nodeHasher()
const LONG_AGO = new Date("2020-01-02T03:04:05.678Z")

/** What is wanted of one file. */
interface Wanted extends Pick<ContentRequest, "limitBytes" | "isWanted"> {
  readonly address: string
  readonly knownOid: Oid | undefined
}

const NO_LIMIT = { limitBytes: 1 << 24, isWanted: true, knownOid: undefined }

/** Asks for one file; undefined when the threads do not take part. */
function readOne(reader: ContentReader, wanted: Wanted): Promise<ContentAnswer> | undefined {
  const { address, knownOid, ...rest } = wanted
  return reader.read({ ...rest, files: [{ address, knownOid }] })?.then((answers) => answers[0])
}

/** A file in `folder` whose times say that nobody is writing it. Its change time tells otherwise for a moment. */
function write(folder: string, name: string, content: string | Uint8Array): void {
  fs.writeFileSync(join(folder, name), content)
  fs.utimesSync(join(folder, name), LONG_AGO, LONG_AGO)
}

/** Until what was written so far counts as settled. */
async function untilSettled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50))
}

async function untilTurn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Asks for a file until threads take part. */
async function running(reader: ContentReader, address: string): Promise<ContentReader> {
  for (;;) {
    for (let i = 0; i < 300; i++) {
      const answer = readOne(reader, { ...NO_LIMIT, address })
      if (answer === undefined) continue
      await answer
      return reader
    }
    await untilTurn()
  }
}

async function heldFolder(path: string): Promise<FolderHandle> {
  const folder = await fileSystem.openFolder(path)
  onTestFinished(() => folder.close())
  return folder
}

function isFound(answer: ContentAnswer): answer is ContentFound {
  return answer !== undefined && "oid" in answer
}

/** The content of an entry of a pack. */
function contentOf({ packed }: ContentFound): Uint8Array | undefined {
  if (packed === undefined) return undefined
  const decoded = decodeEntryHeader(packed.entry)
  expect(zlib.crc32(packed.entry)).toBe(packed.crc32)
  const content = zlib.inflateSync(packed.entry.subarray(decoded?.end))
  expect(decoded?.header).toEqual({ type: "blob", sizeBytes: content.length })
  return content
}

describe("files that are read on threads", () => {
  const SIZES = [0, 1, 2, 255, 256, 257, 4095, 70_000, 300_000, 1_500_000]

  it("are what they are when they are read otherwise, whatever their size and however many", async () => {
    const folder = await temporaryFolder()
    for (const size of SIZES) {
      write(folder, `noise-${size}`, Uint8Array.from(noise(size, size)))
      write(folder, `text-${size}`, "Some text.\n".repeat(size / 10).slice(0, size))
    }
    for (let i = 0; i < 500; i++) write(folder, `many-${i}`, `number ${i} `.repeat(i))
    fs.writeFileSync(join(folder, "executable"), "#!", { mode: 0o755 })
    fs.writeFileSync(Buffer.concat([Buffer.from(folder), Buffer.from("/caf\xe9", "latin1")]), "no UTF-8")
    fs.linkSync(join(folder, "many-1"), join(folder, "linked"))
    await untilSettled()
    const handle = await heldFolder(folder)
    const reader = await running(contentThreads(WORKER), handle.at("text-1"))
    const items = (await fileSystem.list(handle.address)) ?? []
    expect(items.length).toBe(2 * SIZES.length + 503)
    await Promise.all(
      items.map(async ({ name }) => {
        const here = await withFile({ fileSystem, hasher }, handle, name, (file) =>
          readStable({ fileSystem, hasher }, file, Date.now),
        )
        const there = await readOne(reader, { ...NO_LIMIT, address: handle.at(name) })
        if (typeof here === "string" || !isFound(there)) return expect.unreachable(`${name} was not read`)
        expect(there.oid, name).toBe(here.oid)
        expect(there.stat, name).toEqual(here.stat)
        expect(Buffer.from(contentOf(there) ?? []).equals(here.bytes ?? Buffer.alloc(0)), name).toBe(true)
      }),
    )
  })

  it("are left to the caller, without waiting, when they are no plain files or not there", async () => {
    const folder = await temporaryFolder()
    write(folder, "file", "text")
    fs.symlinkSync("file", join(folder, "link"))
    fs.symlinkSync("nowhere", join(folder, "dangling"))
    fs.mkdirSync(join(folder, "folder"))
    expect(spawnSync("mkfifo", [join(folder, "fifo")]).status).toBe(0)
    await untilSettled()
    const handle = await heldFolder(folder)
    const reader = await running(contentThreads(WORKER), handle.at("file"))
    for (const name of ["link", "dangling", "folder", "fifo", "missing"])
      expect(await readOne(reader, { ...NO_LIMIT, address: handle.at(name) }), name).toBeUndefined()
    expect(await readOne(reader, { ...NO_LIMIT, address: "/dev/zero" })).toBeUndefined()
    expect(await readOne(reader, { ...NO_LIMIT, address: `${join(folder, "file")}/below` })).toBeUndefined()
    expect(isFound(await readOne(reader, { ...NO_LIMIT, address: handle.at("file") }))).toBe(true)
  })

  it("are left to the caller while their times may hide a change", async () => {
    const folder = await temporaryFolder()
    write(folder, "file", "text")
    await untilSettled()
    const reader = await running(contentThreads(WORKER), join(folder, "file"))
    const ahead = new Date(Date.now() + 3_600_000)
    fs.utimesSync(join(folder, "file"), ahead, ahead)
    expect(await readOne(reader, { ...NO_LIMIT, address: join(folder, "file") })).toBeUndefined()
  })

  it("are never torn by somebody who writes them over and over, in place or anew", async () => {
    const folder = await temporaryFolder()
    const names = ["in-place", "anew", "longer-and-shorter"]
    for (const name of names) write(folder, name, "a".repeat(200_000))
    await untilSettled()
    const reader = await running(contentThreads(WORKER), join(folder, "anew"))
    const program = `
      const fs = require("node:fs")
      for (let i = 0; ; i++) {
        const content = String.fromCharCode(97 + (i % 26)).repeat(200_000)
        const fd = fs.openSync("in-place", "r+")
        fs.writeSync(fd, content, 0)
        fs.closeSync(fd)
        fs.writeFileSync("temp", content)
        fs.renameSync("temp", "anew")
        fs.writeFileSync("longer-and-shorter", content.slice(0, 1 + (i * 7919) % 200_000))
        if (i === 50) console.log("under way")
        if (i % 8 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30)
      }`
    const writer = spawn(process.execPath, ["-e", program], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] })
    onTestFinished(() => void writer.kill("SIGKILL"))
    await new Promise((resolve) => writer.stdout.once("data", resolve))
    for (let round = 0; round < 150; round++)
      for (const answer of await Promise.all(
        names.map(async (name) => readOne(reader, { ...NO_LIMIT, address: join(folder, name) })),
      )) {
        if (!isFound(answer)) continue
        const content = contentOf(answer) ?? new Uint8Array()
        expect(content.length).toBe(answer.stat.sizeBytes)
        expect(content.every((byte) => byte === content[0])).toBe(true)
        expect(await hashObject(hasher, "blob", content)).toBe(answer.oid)
      }
  })

  it("are not read above the limit, and their size is told", async () => {
    const folder = await temporaryFolder()
    write(folder, "file", "0123456789")
    await untilSettled()
    const address = join(folder, "file")
    const reader = await running(contentThreads(WORKER), address)
    expect(await readOne(reader, { ...NO_LIMIT, address, limitBytes: 9 })).toEqual({ sizeBytes: 10 })
    expect(isFound(await readOne(reader, { ...NO_LIMIT, address, limitBytes: 10 }))).toBe(true)
    const beside = async (path: string): Promise<unknown[]> => {
      const found: unknown[] = []
      const left = await readBeside(reader, [{ address: path, knownOid: undefined }], {
        ...NO_LIMIT,
        admit: async (_, sizeBytes) => {
          found.push(`asked about ${sizeBytes}`)
          return () => found.push("freed")
        },
        take: (_, { stat }) => found.push(stat.sizeBytes) > 0,
      })
      expect(left).toEqual([])
      return found
    }
    expect(await beside(address)).toEqual([10])
    write(folder, "large", new Uint8Array(1_000_000))
    await untilSettled()
    expect(await beside(join(folder, "large"))).toEqual(["asked about 1000000", 1_000_000, "freed"])
  })

  it("come without their content when that is known or not wanted", async () => {
    const folder = await temporaryFolder()
    write(folder, "file", "text")
    await untilSettled()
    const address = join(folder, "file")
    const reader = await running(contentThreads(WORKER), address)
    const knownOid = await hashObject(hasher, "blob", Buffer.from("text"))
    const other = await hashObject(hasher, "blob", Buffer.from("other"))
    for (const [request, isThere] of [
      [{ isWanted: true, knownOid }, false],
      [{ isWanted: false, knownOid: undefined }, false],
      [{ isWanted: true, knownOid: other }, true],
    ] as const) {
      const answer = await readOne(reader, { ...request, limitBytes: 100, address })
      if (!isFound(answer)) return expect.unreachable("the file was not read")
      expect([answer.oid, answer.packed !== undefined]).toEqual([knownOid, isThere])
    }
  })

  it("say when they were opened, before they were", async () => {
    const folder = await temporaryFolder()
    write(folder, "file", "text")
    await untilSettled()
    const address = join(folder, "file")
    const reader = await running(contentThreads(WORKER), address)
    const before = Date.now()
    const answer = await readOne(reader, { ...NO_LIMIT, address })
    if (!isFound(answer)) return expect.unreachable("the file was not read")
    expect(answer.openedMs).toBeGreaterThanOrEqual(before)
    expect(answer.openedMs).toBeLessThanOrEqual(Date.now())
  })
})

describe("reading threads", () => {
  it("take no part in little work", async () => {
    const reader = contentThreads(WORKER)
    const ask = (): unknown => readOne(reader, { ...NO_LIMIT, address: fileURLToPath(WORKER) })
    for (let i = 0; i < 100; i++) expect(ask()).toBeUndefined()
    await untilTurn()
    expect(ask()).toBeUndefined()
  })

  it("leave everything to the caller where none can be had", async () => {
    const reader = contentThreads(new URL("./no-such-file.js", import.meta.url))
    for (let i = 0; i < 5000; i++) {
      expect(await readOne(reader, { ...NO_LIMIT, address: fileURLToPath(WORKER) })).toBeUndefined()
      if (i % 500 === 0) await untilTurn()
    }
  })
})

/** What a thread does that ends in the middle of its work, after so many batches were answered. */
const ENDINGS: Readonly<Record<string, string>> = {
  "is ended": "process.exit(0)",
  throws: `throw new Error("the thread broke")`,
}

describe("a question about no file", () => {
  it("is answered at once, and shifts no answer to others", async () => {
    const folder = await temporaryFolder()
    for (let i = 0; i < 40; i++) write(folder, `${i}`, `content ${i}`)
    await untilSettled()
    const reader = await running(contentThreads(WORKER), join(folder, "0"))
    const none = { limitBytes: NO_LIMIT.limitBytes, isWanted: false, files: [] }
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const empty = reader.read(none)
        const answer = await readOne(reader, { ...NO_LIMIT, address: join(folder, `${i}`) })
        return [await empty, answer] as const
      }),
    )
    for (const [i, [empty, answer]] of answers.entries()) {
      expect(empty).toEqual([])
      const oid = await hashObject(hasher, "blob", Buffer.from(`content ${i}`))
      expect(answer).toMatchObject({ oid })
    }
  })
})

describe("stores that capture many files at the same time", () => {
  it.each([32, 64, 160])(
    "hold what was in each, also when %d were written just before",
    { timeout: 120_000 },
    async (count) => {
      const { openStore } = (await import(new URL("index.js", DIST).href)) as {
        readonly openStore: (options: object) => Promise<SnapshotStore>
      }
      const place = await temporaryFolder()
      const [one, other] = [join(place, "one"), join(place, "other")]
      for (const work of [one, other]) fs.mkdirSync(work)
      const open = (worktree: string): Promise<SnapshotStore> =>
        openStore({ worktree, gitdir: `${worktree}.git`, durability: "process", retention: false })
      const [first, second] = [await open(one), await open(other)]
      for (let i = 0; i < 300; i++) write(one, `old ${i}`, `old ${i}`)
      await first.capture()
      for (let i = 0; i < count; i++) fs.writeFileSync(join(one, `f${i}`), `content ${i}`)
      await first.capture()
      await untilSettled()
      for (let round = 0; round < 3; round++) {
        fs.writeFileSync(join(one, "more"), `${round}`)
        for (let i = 0; i < 250; i++) write(other, `${round} ${i}`, `content ${round} ${i}`)
        await untilSettled()
        const [, { snapshot }] = await Promise.all([first.capture(), second.capture()])
        for (let i = 0; i < 250; i++)
          expect(Buffer.from((await second.readFile(snapshot.id, `${round} ${i}`)) ?? []).toString()).toBe(
            `content ${round} ${i}`,
          )
      }
      await Promise.all([first.close(), second.close()])
    },
  )
})

describe("a capture of many files", () => {
  it.each(Object.keys(ENDINGS))("is right, and its pack clean for git, when a thread %s midway", async (how) => {
    const folder = await temporaryFolder()
    const program = join(folder, "worker.mjs")
    // The same thread as ever, but for its end.
    fs.writeFileSync(
      program,
      `import { parentPort } from "node:worker_threads"
      await import(${JSON.stringify(WORKER.href)})
      let batches = 0
      parentPort.on("message", () => {
        if (++batches === 6) { ${ENDINGS[how]} }
      })`,
    )
    await captureMany(folder, contentThreads(pathToFileURL(program)), fileSystem)
  })

  it("is what native git makes of them, with threads that live", async () => {
    const folder = await temporaryFolder()
    const taken = await captureMany(folder, contentThreads(WORKER), fileSystem)
    expect(taken).toBe(800)
  })

  it("goes on with what a thread could not tell", async () => {
    const folder = await temporaryFolder()
    const threads = contentThreads(WORKER)
    let asked = 0
    const forgetful: ContentReader = {
      read(request: ContentRequest) {
        return threads
          .read(request)
          ?.then((answers) => answers.map((answer) => (++asked % 3 === 0 ? undefined : answer)))
      },
    }
    await captureMany(folder, forgetful, fileSystem)
  })

  it("does not keep a process alive that has nothing else to do, closed or not, with native git or without", async () => {
    const folder = await temporaryFolder()
    manyFiles(join(folder, "work"))
    const tree = nativeTree(folder)
    for (const backend of ["pure", "native"])
      for (const closes of [true, false]) {
        const program = `
          import { openStore } from ${JSON.stringify(new URL("index.js", DIST).href)}
          const store = await openStore({ worktree: "work", gitdir: "store-${backend}-${closes}", backend: "${backend}" })
          await store.capture()
          const { snapshot } = await store.capture({ label: "again" })
          ${closes ? "await store.close()" : ""}
          console.log(snapshot.tree)`
        const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
          cwd: folder,
          timeout: 30_000,
        })
        expect(child.stderr.toString()).toBe("")
        expect(child.stdout.toString()).toBe(`${tree}\n`)
        expect(child.status).toBe(0)
      }
  })
})

/** Contents of all kinds and sizes, some of them twice. */
function manyFiles(work: string): void {
  for (let i = 0; i < 800; i++) {
    const folder = join(work, `folder-${i % 40}`)
    fs.mkdirSync(folder, { recursive: true })
    const size = i % 200 === 0 ? 400_000 : (i * 131) % 4000
    fs.writeFileSync(
      join(folder, `file-${i}`),
      i % 2 === 0 ? noise(i % 1700, size) : `line ${i % 1000}\n`.repeat(size / 9),
    )
  }
}

/** The tree that native git makes of `work` in `folder`. */
function nativeTree(folder: string): string {
  const env = { GIT_DIR: join(folder, "native"), GIT_WORK_TREE: join(folder, "work") }
  git(["init", "-q"], { cwd: folder, env })
  git(["add", "-A"], { cwd: join(folder, "work"), env })
  return git(["write-tree"], { cwd: folder, env }).text.trim()
}

/** Captures many files, compares with native git, and gives how many the reader took. */
async function captureMany(folder: string, reader: ContentReader, files: FileSystem): Promise<number> {
  manyFiles(join(folder, "work"))
  await untilSettled()
  await running(reader, join(folder, "work/folder-1/file-1"))
  let taken = 0
  const counted: ContentReader = {
    read: (request) =>
      reader.read(request)?.then((answers) => {
        taken += answers.filter(isFound).length
        return answers
      }),
  }
  const platform = { ...(await nodePlatform({ contentReader: counted })), fileSystem: files }
  const gitdir = join(folder, "store")
  const place = { platform, loadGit: () => import("isomorphic-git"), stores: async () => join(folder, "stores") }
  const store = await openOn(place, { worktree: join(folder, "work"), gitdir })
  onTestFinished(() => store.close())
  const { snapshot, skipped, stats } = await store.capture()
  const takenCold = taken
  expect(skipped).toEqual([])
  expect(snapshot.tree).toBe(nativeTree(folder))
  expect(stats.filesRead).toBe(800)
  expect(fs.readdirSync(join(gitdir, "objects/pack")).length).toBe(2)
  const told = git(["fsck", "--strict", "--full"], { cwd: gitdir }).stderr
  expect(told.replace(/^notice: HEAD points to an unborn branch .*\n/, "")).toBe("")
  expect(git(["rev-list", "--objects", "--all", "--missing=print"], { cwd: gitdir }).text).not.toContain("?")
  // A second look finds the same, without storing anything.
  expect((await store.capture()).changed).toBe(false)
  expect(await store.changes(snapshot.id)).toEqual([])
  return takenCold
}
