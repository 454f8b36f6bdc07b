/*
 * How many calls of the file system it takes to capture again, to compare and to restore many files. Time would say more and decide
 * nothing; a way that takes several times as many calls shows here.
 */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { expect, test } from "vitest"
import type { Clock } from "../../src/core/clock.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { statThreads } from "../../src/platform/node/stat-threads.js"
import { systemClock } from "../../src/platform/system-clock.js"
import type { RestoreReport, SnapshotStore } from "../../src/snapshot-store.js"
import { faultyFileSystem, type AroundCall, type CallKind, type FileSystemCall } from "../support/faulty-file-system.js"
import { storeOn } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const FOLDERS = 40
const FILES = 5 * FOLDERS

interface Place {
  readonly worktree: string
  readonly gitdir: string
}

/** A work tree of many files with two snapshots of it: every file is another one in the second. */
async function changedPlace(): Promise<Place & { readonly before: string; readonly after: string }> {
  const place = await newPlace()
  const write = (what: string): void => {
    for (let i = 0; i < FILES; i++) {
      const folder = join(place.worktree, `folder ${i % FOLDERS}`)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `${i}`), `${what} of ${i}\n`.repeat(20))
    }
  }
  const { store } = await opened(place)
  write("content")
  const before = (await store.capture()).snapshot.id
  write("other content")
  const after = (await store.capture()).snapshot.id
  await store.close()
  return { ...place, before, after }
}

async function newPlace(): Promise<Place> {
  const folder = await temporaryFolder()
  mkdirSync(join(folder, "work"))
  return { worktree: join(folder, "work"), gitdir: join(folder, "store.git") }
}

interface Opened {
  readonly store: SnapshotStore
  /** The calls that `step` makes: those in the work tree, and those in the store. */
  counted(step: () => Promise<unknown>): Promise<{ readonly inWork: Counts; readonly inStore: Counts }>
}

type Counts = (kind: CallKind) => number

/** So few paths are compared on the calling thread, past the file system that counts. */
const NO_THREADS = statThreads(new URL("file:///no-thread.js"))

async function opened(
  { worktree, gitdir }: Place,
  durability: "power" | "process" = "process",
  around?: AroundCall,
  clock?: Clock,
): Promise<Opened> {
  const files = faultyFileSystem(nodeFileSystem(), [], around)
  const platform = { hasher: nodeHasher(), deflater: nodeDeflater(), statChecker: NO_THREADS, ...(clock && { clock }) }
  const store = await storeOn(files, { worktree, gitdir, durability, platform })
  const countsOf =
    (calls: readonly FileSystemCall[]): Counts =>
    (kind) =>
      calls.filter((call) => call.kind === kind).length
  return {
    store,
    async counted(step) {
      const first = files.calls.length
      await step()
      const calls = files.calls.slice(first)
      const isInStore = ({ path }: FileSystemCall): boolean => path.startsWith(gitdir)
      return {
        inWork: countsOf(calls.filter((call) => !isInStore(call))),
        inStore: countsOf(calls.filter(isInStore)),
      }
    },
  }
}

/** A captured work tree of many settled files; `edit` writes some of them as if it had been long ago. */
async function settledPlace(): Promise<Opened & Place & { readonly edit: (count: number) => Promise<void> }> {
  const place = await newPlace()
  for (let i = 0; i < FOLDERS; i++) mkdirSync(join(place.worktree, `folder ${i}`))
  let version = 0
  const edit = async (count: number): Promise<void> => {
    version++
    for (let i = 0; i < count; i++) {
      const path = join(place.worktree, `folder ${i % FOLDERS}`, `${i}`)
      writeFileSync(path, `version ${version} of ${i}`)
      utimesSync(path, version, version)
    }
    // Longer than the grain of the times.
    await pause(50)
  }
  await edit(FILES)
  const { store, counted } = await opened(place)
  await store.capture()
  return { ...place, store, counted, edit }
}

function expectAllWritten(report: RestoreReport): void {
  expect(report.complete).toBe(true)
  expect(report.outcomes.map(({ action }) => action)).toEqual(Array.from({ length: FILES }, () => "written"))
}

test("a capture with nothing changed opens and lists nothing in the work tree, and writes nothing", async () => {
  const { store: first, ...place } = await settledPlace()
  // What the first capture found is written by then.
  await first.close()
  const { store, counted } = await opened(place)
  const { inWork, inStore } = await counted(async () => expect((await store.capture()).changed).toBe(false))
  expect(inWork("open") + inWork("openFolder") + inWork("list")).toBe(0)
  expect(inStore("file.write") + inStore("rename") + inStore("unlink")).toBe(0)
  await store.close()
})

test("a capture of one changed file opens that file and its folder, lists none, and stores what is new", async () => {
  const { store, counted, edit } = await settledPlace()
  await edit(1)
  const { inWork, inStore } = await counted(async () => {
    const { stats } = await store.capture()
    expect([stats.filesScanned, stats.filesRead]).toEqual([FILES, 1])
    // A blob, two trees and the commit, beside the manifest's three.
    expect(stats.objectsWritten).toBeLessThanOrEqual(7)
  })
  expect(inWork("list")).toBe(0)
  // The folder, and those above it.
  expect(inWork("openFolder")).toBe(2)
  expect(inWork("open")).toBe(1)
  // Fence, lease, pack and index, reference, baseline, cache.
  expect(inStore("rename")).toBeLessThanOrEqual(6)
  expect(inStore("open")).toBeLessThanOrEqual(12)
  await store.close()
})

test("a capture of many changed files opens each file and each folder once, and lists none", async () => {
  const { store, counted, edit } = await settledPlace()
  await edit(FILES)
  const { inWork } = await counted(async () => expect((await store.capture()).stats.filesRead).toBe(FILES))
  expect(inWork("list")).toBe(0)
  expect(inWork("openFolder")).toBeLessThanOrEqual(FOLDERS + 1)
  expect(inWork("open")).toBe(FILES)
  await store.close()
})

test("what an edit changed is known after the capture, whoever looked at the work tree in between", async () => {
  const { store, counted, edit } = await settledPlace()
  await edit(1)
  expect(await store.changes("latest")).toHaveLength(1)
  const { inWork } = await counted(async () => expect((await store.capture()).stats.filesRead).toBe(1))
  expect(inWork("list")).toBe(0)
  const again = await counted(async () => expect((await store.capture()).stats.filesRead).toBe(0))
  expect(again.inWork("open") + again.inWork("openFolder") + again.inWork("list")).toBe(0)
  await store.close()
})

test("an ignore file that was written a moment ago, and says the same, lets nothing below it be listed again", async () => {
  const { store: late, edit, ...place } = await settledPlace()
  await late.close()
  const { store, counted } = await opened(place, "process", undefined, systemClock())
  const { worktree } = place
  writeFileSync(join(worktree, ".gitignore"), "*.log\n")
  await pause(50)
  await store.capture()
  await edit(1)
  const { inWork } = await counted(async () => expect((await store.capture()).stats.filesRead).toBe(2))
  // The folder that it is in.
  expect(inWork("list")).toBe(1)
  await store.close()
})

test("a diff of many files reads the packs with far fewer calls than there are contents", async () => {
  const { before, after, ...place } = await changedPlace()
  const { store, counted } = await opened(place)
  const { inWork, inStore } = await counted(async () => {
    expect(await store.diff(before, after)).toHaveLength(FILES)
  })
  expect(inStore("file.read")).toBeLessThan(FILES)
  expect(inWork("open") + inWork("list") + inWork("lstat")).toBe(0)
  await store.close()
})

test("a restore looks at the work tree once, and moves, checks and places each file with one call each", async () => {
  const { before, ...place } = await changedPlace()
  const { store, counted } = await opened(place)
  const { inWork, inStore } = await counted(async () => expectAllWritten(await store.restore(before)))
  expect(inWork("list")).toBeLessThan(2 * FOLDERS)
  expect(inWork("rename")).toBe(FILES)
  expect(inWork("linkFile")).toBe(FILES)
  // The new content under its first name, and the old one.
  expect(inWork("unlink")).toBe(2 * FILES)
  // The look, the new content, and the check of the old one.
  expect(inWork("open")).toBeLessThan(3 * FILES + FOLDERS)
  expect(inWork("file.write")).toBe(FILES)
  expect(inWork("openFolder")).toBeLessThanOrEqual(6 * FOLDERS)
  expect(inWork("file.sync") + inWork("syncFolder")).toBe(0)
  expect(inStore("file.read")).toBeLessThan(FILES)
  await store.close()
})

test("a power-durable restore syncs each new file and each folder once", async () => {
  const { before, ...place } = await changedPlace()
  const { store, counted } = await opened(place, "power")
  const { inWork } = await counted(async () => expectAllWritten(await store.restore(before)))
  expect(inWork("file.sync")).toBe(FILES)
  expect(inWork("syncFolder")).toBe(FOLDERS)
  await store.close()
})

test("new files and folders are synced, and old files removed, some at a time", async () => {
  const { before, ...place } = await changedPlace()
  const most = new Map<string, number>()
  const now = new Map<string, number>()
  const { store } = await opened(place, "power", async ({ kind, path }, make) => {
    if (path.startsWith(place.gitdir)) return make()
    const running = (now.get(kind) ?? 0) + 1
    now.set(kind, running)
    most.set(kind, Math.max(running, most.get(kind) ?? 0))
    try {
      await new Promise((resolve) => setImmediate(resolve))
      return await make()
    } finally {
      now.set(kind, (now.get(kind) ?? 0) - 1)
    }
  })
  expectAllWritten(await store.restore(before))
  for (const kind of ["file.sync", "syncFolder", "unlink"]) {
    expect(most.get(kind), kind).toBeGreaterThan(4)
    expect(most.get(kind), kind).toBeLessThanOrEqual(16)
  }
  await store.close()
})

test("in many levels of folders each one is reached from the one above it, to write and to delete what is in them", async () => {
  const LEVELS = 200
  const place = await newPlace()
  const { store, counted } = await opened(place)
  const nothing = (await store.capture()).snapshot.id
  const top = join(place.worktree, "d")
  for (let level = 1; level <= LEVELS; level++) {
    mkdirSync(join(place.worktree, "d/".repeat(level)))
    writeFileSync(join(place.worktree, "d/".repeat(level), "f"), `${level}`)
  }
  const all = (await store.capture()).snapshot.id
  rmSync(top, { recursive: true })
  const written = await counted(async () => expect((await store.restore(all)).complete).toBe(true))
  expect(written.inWork("openFolder")).toBeLessThan(15 * LEVELS)
  const deleted = await counted(async () => expect((await store.restore(nothing)).complete).toBe(true))
  expect(deleted.inWork("openFolder")).toBeLessThan(15 * LEVELS)
  expect(deleted.inWork("removeFolder")).toBe(LEVELS)
  await store.close()
})
