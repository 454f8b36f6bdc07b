/*
 * A restore of many files, which are staged and swapped together, where any one call of the system fails, where from any one
 * on all fail, as those of a thread that ended, and where somebody else is at work on the same files.
 */
import fs from "node:fs"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { openOn } from "../../src/calls/open.js"
import { nodeBatches } from "../../src/platform/node/node-batches.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { nodeUnpacker } from "../../src/platform/node/node-unpacker.js"
import type { SyncCalls } from "../../src/platform/node/swap-now.js"
import type { RestoreReport, SnapshotStore } from "../../src/snapshot-store.js"
import { nodeDisk } from "../support/disk.js"
import { folderContent, type FolderContent } from "../support/folder-content.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const FOLDERS = 8
const FILES = 12 * FOLDERS
const LONG = { timeout: 300_000 }

type CallName = keyof SyncCalls
/** Stands ahead of each call of the batches: throws in its place, or does something first. */
type Before = (name: CallName, path: string) => void

interface Scene {
  readonly work: string
  /** The snapshot of the one state and of the other. */
  readonly one: string
  readonly two: string
  readonly contentOne: FolderContent
  readonly contentTwo: FolderContent
  readonly store: SnapshotStore
  /** What stands ahead of the calls from now on. */
  around(before: Before | undefined): void
  content(): FolderContent
}

/** The calls of node:fs, each with `before` ahead of it. */
function watchedCalls(before: Before): SyncCalls {
  return new Proxy(fs, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== "function" || !String(name).endsWith("Sync")) return value
      return (...args: readonly unknown[]): unknown => {
        before(name as CallName, String(args[0]))
        return Reflect.apply(value, target, args)
      }
    },
  })
}

async function scene(): Promise<Scene> {
  const folder = await temporaryFolder()
  const work = join(folder, "work")
  const write = (state: string): void => {
    for (let i = 0; i < FILES; i++) {
      const path = join(work, `folder ${i % FOLDERS}`, `file ${i}`)
      fs.mkdirSync(join(path, ".."), { recursive: true })
      fs.rmSync(path, { force: true })
      // One file in eight is there in one of the states only.
      if (i % 8 === (state === "one" ? 3 : 5)) continue
      fs.writeFileSync(path, `${state} of ${i}\n`.repeat(i), {
        mode: i % 7 === 0 ? 0o755 : i % 11 === 0 ? 0o600 : 0o644,
      })
    }
  }
  write("one")
  let before: Before | undefined
  const calls = watchedCalls((name, path) => before?.(name, path))
  const platform = { ...(await nodePlatform()), fileBatches: nodeBatches(undefined, nodeUnpacker(), calls) }
  const place = { platform, loadGit: () => import("isomorphic-git"), stores: async () => join(folder, "stores") }
  const store = await openOn(place, { worktree: work, gitdir: join(folder, "store"), durability: "process" })
  onTestFinished(() => store.close())
  const content = (): FolderContent => folderContent(nodeDisk, work)
  const one = (await store.capture()).snapshot.id
  const contentOne = content()
  write("two")
  const two = (await store.capture()).snapshot.id
  const contentTwo = content()
  const around = (next: Before | undefined): void => void (before = next)
  return { work, one, two, contentOne, contentTwo, store, around, content }
}

/** The calls that a restore to the first state makes. */
async function recorded({ store, one, two, around }: Scene): Promise<CallName[]> {
  const names: CallName[] = []
  around((name) => void names.push(name))
  const report = await store.restore(one)
  expect(report.complete).toBe(true)
  around(undefined)
  expect((await store.restore(two)).complete).toBe(true)
  return names
}

function failure(): Error {
  return Object.assign(new Error("the disk failed"), { code: "EIO" })
}

test("every kind of call is made in batches, and what comes out is the target", async () => {
  const here = await scene()
  const names = new Set(await recorded(here))
  for (const name of [
    "openSync",
    "writeSync",
    "lstatSync",
    "renameSync",
    "readSync",
    "linkSync",
    "unlinkSync",
  ] as const)
    expect(names, name).toContain(name)
  await here.store.restore(here.one)
  expect(here.content()).toEqual(here.contentOne)
})

test("where a call fails, or all from one on, the files come one by one, and none is lost", LONG, async () => {
  const here = await scene()
  const { store, one, two, around, content, contentOne, contentTwo } = here
  const names = await recorded(here)
  // The first of each kind, and others all over the run.
  const strikes = new Set([...new Set(names)].map((name) => names.indexOf(name)))
  for (let at = 0; at < names.length; at += 61) strikes.add(at)
  for (const [at, isLast] of [...strikes].flatMap((at) => [[at, false] as const, [at, true] as const])) {
    let calls = 0
    around(() => {
      const call = calls++
      if (call === at || (isLast && call > at)) throw failure()
    })
    const what = `${names[at]} at ${at}${isLast ? " and all that follow" : ""}`
    const report = await store.restore(one)
    around(undefined)
    expect(calls, what).toBeGreaterThan(at)
    expect(report.complete, what).toBe(true)
    expect(content(), what).toEqual(contentOne)
    expect((await store.restore(two)).complete, what).toBe(true)
    expect(content(), what).toEqual(contentTwo)
  }
})

test("a call that took effect although it failed is found out", LONG, async () => {
  const here = await scene()
  const { store, one, two, around, content, contentOne } = here
  await recorded(here)
  for (const struck of ["renameSync", "linkSync", "unlinkSync"] as const) {
    // The batch hears of no such call, as when its thread ends right behind it.
    const real = fs[struck] as (...args: readonly unknown[]) => void
    const calls = new Proxy(fs, {
      get: (target, name): unknown =>
        name === struck
          ? (...args: readonly unknown[]): void => {
              real(...args)
              throw failure()
            }
          : Reflect.get(target, name),
    })
    const batches = nodeBatches(undefined, nodeUnpacker(), calls)
    around(undefined)
    const platform = { ...(await nodePlatform()), fileBatches: batches }
    const place = { platform, loadGit: () => import("isomorphic-git"), stores: async () => "/nowhere" }
    const other = await openOn(place, { worktree: here.work, gitdir: store.gitdir, durability: "process" })
    expect((await other.restore(one)).complete, struck).toBe(true)
    expect(content(), struck).toEqual(contentOne)
    await other.close()
    expect((await store.restore(two)).complete).toBe(true)
  }
})

test("an abort between two batches takes everything back", async () => {
  const { store, one, content, contentTwo } = await scene()
  const aborter = new AbortController()
  const restoring = store.restore(one, {
    signal: aborter.signal,
    onProgress: ({ phase, done }) => {
      if (phase === "write" && done === 20) aborter.abort(new Error("enough"))
    },
  })
  await expect(restoring).rejects.toThrow("enough")
  expect(content()).toEqual(contentTwo)
})

test("a file that changes at the last moment, or takes a free name, is kept, and the others are written", async () => {
  const { store, work, one, around, content, contentTwo, contentOne } = await scene()
  const changed = join(work, "folder 1", "file 1")
  const taken = join(work, "folder 5", "file 5")
  let moves = 0
  around((name) => {
    if (name !== "renameSync" || moves++ > 0) return
    fs.writeFileSync(changed, "by somebody else")
    fs.writeFileSync(taken, "by somebody else, too")
  })
  const report: RestoreReport = await store.restore(one)
  around(undefined)
  expect(report.complete).toBe(false)
  expect([changed, taken].map((path) => fs.readFileSync(path, "utf8"))).toEqual([
    "by somebody else",
    "by somebody else, too",
  ])
  const kept = report.outcomes.filter(({ action, reason }) => action === "kept" && reason === "conflict")
  expect(kept.map(({ path }) => path)).toEqual(["folder 1/file 1", "folder 5/file 5"])
  const others = (all: FolderContent): unknown =>
    Object.entries(all).filter(([path]) => !["folder 1/file 1", "folder 5/file 5"].includes(path))
  expect(others(content())).toEqual(others(contentOne))
  expect(Object.keys(contentTwo).some((path) => path.includes(".treeshot-"))).toBe(false)
})
