import { spawnSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { isDeepStrictEqual } from "node:util"
import { describe, expect, it, onTestFinished } from "vitest"
import { openOn } from "../../src/calls/open.js"
import type { FileDiff } from "../../src/core/change.js"
import { JobThread } from "../../src/platform/node/job-thread.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { nodeDisk } from "../support/disk.js"
import { folderContent } from "../support/folder-content.js"
import { git } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const DIST = new URL("../../dist/", import.meta.url)
const PROGRAM = new URL("job-program.js", DIST)
const FILES = 400

/** Contents of all kinds: text, bytes that are no UTF-8, binaries, links, long ones; most of them changed in the second state. */
function writeState(work: string, state: string): void {
  for (let i = 0; i < FILES; i++) {
    const path = join(work, `folder ${i % 20}`, `file ${i}`)
    fs.mkdirSync(join(path, ".."), { recursive: true })
    fs.rmSync(path, { force: true })
    const lines = Array.from(
      { length: i % 90 },
      (_, line) => `line ${line} of ${line % 7 === 0 ? state : "both"}\n`,
    ).join("")
    if (i % 50 === 1) fs.symlinkSync(state, path)
    else if (i % 50 === 2) fs.writeFileSync(path, Buffer.from(`\0${state}${lines}`))
    else if (i % 50 === 3) fs.writeFileSync(path, Buffer.from(`${state} \xe9\xff\n${lines}`, "latin1"))
    else if (i % 50 === 4) fs.writeFileSync(path, `${state} at the end, without a newline`)
    else if (i === 105) fs.writeFileSync(path, `${lines}${state}\n`.repeat(4_000))
    else if (i % 50 === 6 && state === "one") continue
    else if (i % 50 === 7 && state === "two") fs.symlinkSync("was a file", path)
    else fs.writeFileSync(path, `${lines}${state} 😀\n${lines}`)
  }
}

interface Place {
  readonly folder: string
  readonly work: string
  readonly one: string
  readonly two: string
}

async function twoStates(): Promise<Place> {
  const folder = await temporaryFolder()
  const work = join(folder, "work")
  writeState(work, "one")
  const store = await open(folder, undefined)
  const one = (await store.capture()).snapshot.id
  writeState(work, "two")
  const two = (await store.capture()).snapshot.id
  return { folder, work, one, two }
}

async function open(folder: string, jobThread: JobThread | undefined): Promise<SnapshotStore> {
  const platform = await nodePlatform(jobThread === undefined ? {} : { jobThread })
  const place = { platform, loadGit: () => import("isomorphic-git"), stores: async () => join(folder, "stores") }
  const store = await openOn(place, {
    worktree: join(folder, "work"),
    gitdir: join(folder, "store"),
    durability: "process",
  })
  onTestFinished(() => store.close())
  return store
}

/** A thread that runs already. */
async function running(program: URL): Promise<JobThread> {
  const thread = new JobThread(program)
  thread.start()
  expect(await thread.ready()).toBe(true)
  return thread
}

/** What a thread does that ends in the middle of its work. */
const ENDINGS: Readonly<Record<string, string>> = {
  "is ended": "process.exit(0)",
  throws: `throw new Error("the thread broke")`,
}

/** The same program as ever, but for its end ahead of the message of this number. */
function endingProgram(folder: string, how: string, messages: number): URL {
  const program = join(folder, `program ${messages}.mjs`)
  fs.writeFileSync(
    program,
    `import { parentPort } from "node:worker_threads"
    let messages = 0
    parentPort.on("message", () => { if (++messages === ${messages}) { ${ENDINGS[how]} } })
    await import(${JSON.stringify(PROGRAM.href)})`,
  )
  return pathToFileURL(program)
}

/** Counts what the thread is asked. */
function counted(thread: JobThread): { asked: number } {
  const count = { asked: 0 }
  const ask = thread.ask.bind(thread)
  thread.ask = (job) => {
    count.asked++
    return ask(job)
  }
  return count
}

describe("a diff of many files", () => {
  it("is the same with a thread and without, and what native git says in numbers", async () => {
    const { folder, one, two } = await twoStates()
    const alone = await (await open(folder, undefined)).diff(one, two)
    const thread = await running(PROGRAM)
    const { asked } = await countedDiff(folder, thread, one, two, alone)
    expect(asked).toBeGreaterThan(3)
    const stat = git(["diff", "--numstat", "--no-renames", "-z", one, two], { cwd: join(folder, "store") }).text
    const numbers = stat
      .split("\0")
      .filter((line) => line !== "")
      .map((line) => line.split("\t"))
    // Git counts a change of type as both of its halves.
    expect(numbers).toEqual(
      alone.map(({ path, binary, additions, deletions }) =>
        binary ? ["-", "-", path] : [`${additions}`, `${deletions}`, path],
      ),
    )
  })

  it.each(Object.keys(ENDINGS))("is the same when the thread %s midway, or at once", async (how) => {
    const { folder, one, two } = await twoStates()
    const alone = await (await open(folder, undefined)).diff(one, two)
    for (const messages of [1, 2, 5]) {
      const thread = await running(endingProgram(folder, how, messages))
      const { asked } = await countedDiff(folder, thread, one, two, alone)
      expect(asked).toBeGreaterThanOrEqual(messages)
    }
  })

  it("is the same where no thread can be had, and for the work tree", async () => {
    const { folder, one } = await twoStates()
    const alone = await (await open(folder, undefined)).diff(one)
    const missing = new JobThread(new URL("./no-such-file.js", import.meta.url))
    expectSame(await (await open(folder, missing)).diff(one), alone)
    expectSame(await (await open(folder, await running(PROGRAM))).diff(one), alone)
  })
})

/** Names what differs: to show it would take long for patches of megabytes. */
function expectSame(found: readonly FileDiff[], expected: readonly FileDiff[]): void {
  expect(found.length).toBe(expected.length)
  const others = found.filter((one, i) => !isDeepStrictEqual(one, expected[i]))
  expect(others.map(({ path }) => path)).toEqual([])
}

async function countedDiff(
  folder: string,
  thread: JobThread,
  one: string,
  two: string,
  expected: readonly FileDiff[],
): Promise<{ asked: number }> {
  const count = counted(thread)
  const found = await (await open(folder, thread)).diff(one, two)
  expectSame(found, expected)
  return count
}

describe("a restore of many files", () => {
  it("is the same with a thread", async () => {
    const place = await twoStates()
    const thread = await running(PROGRAM)
    const count = counted(thread)
    await restoreAll(place, thread)
    expect(count.asked).toBeGreaterThan(8)
  })

  it.each(Object.keys(ENDINGS))("is the same when the thread %s midway", { timeout: 120_000 }, async (how) => {
    const place = await twoStates()
    for (const messages of [1, 4, 20])
      await restoreAll(place, await running(endingProgram(place.folder, how, messages)))
  })
})

/** Restores the first state with the thread, and the second one without. */
async function restoreAll({ folder, work, one, two }: Place, thread: JobThread): Promise<void> {
  const before = folderContent(nodeDisk, work)
  const report = await (await open(folder, thread)).restore(one)
  expect(report.complete).toBe(true)
  const store = await open(folder, undefined)
  expect(await store.changes(one)).toEqual([])
  expect(Object.keys(folderContent(nodeDisk, work)).filter((path) => path.includes(".treeshot-"))).toEqual([])
  expect((await store.restore(two)).complete).toBe(true)
  expect(folderContent(nodeDisk, work)).toEqual(before)
}

describe("the thread", () => {
  it("is not there before it is told to start, and answers nothing then", async () => {
    const thread = new JobThread(PROGRAM)
    expect([await thread.ready(), thread.isOnline, await thread.ask({ question: {} })]).toEqual([
      false,
      false,
      undefined,
    ])
  })

  it("is asked for no more than a few times where none can be had", async () => {
    const thread = new JobThread(new URL("./no-such-file.js", import.meta.url))
    const started: boolean[] = []
    for (let i = 0; i < 6; i++) {
      thread.start()
      started.push(await thread.ready())
    }
    expect(await thread.ask({ question: {} })).toBeUndefined()
    expect(started).toEqual(Array.from({ length: 6 }, () => false))
  })

  it("does not keep a process alive that has nothing else to do, and keeps one alive that waits for it", async () => {
    const { folder, one, two } = await twoStates()
    const program = `
      import { openStore } from ${JSON.stringify(new URL("index.js", DIST).href)}
      const store = await openStore({ worktree: "work", gitdir: "store" })
      const diffs = await store.diff("${one}", "${two}")
      const { complete } = await store.restore("${one}")
      console.log(diffs.length, complete)`
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd: folder, timeout: 30_000 })
    expect(child.stderr.toString()).toBe("")
    expect(child.stdout.toString()).toBe(`${FILES} true\n`)
    expect(child.status).toBe(0)
  })
})
