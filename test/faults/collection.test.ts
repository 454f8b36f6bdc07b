/*
 * Captures beside a collector, one file system call at a time, in many orders: whatever the order, every snapshot that
 * can be seen is whole.
 */
import { beforeAll, expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import type { CaptureResult, SnapshotStore } from "../../src/snapshot-store.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { faultyFileSystem, type AroundCall } from "../support/faulty-file-system.js"
import { interleave, seeded, type Actor } from "../support/interleave.js"
import { collect, type CollectOptions } from "../support/model-collector.js"
import { brokenRefs, CHECK, copyOf, GITDIR, newMemory, storeOn, type Memory } from "../support/store-on.js"

type Name = "one" | "other" | "collector"

/** Two folders that share nothing, so that what the one's snapshots need is not kept by the other's. */
const ONE = "/work/one"
const OTHER = "/work/other"

const start = newMemory()
beforeAll(async () => {
  writeFolder(start.disk, ONE, folderOf({ "a.txt": "a", dir: { "b.txt": "b" } }))
  writeFolder(start.disk, OTHER, folderOf({ "c.txt": "c" }))
  const store = await storeOn(start.fileSystem, { worktree: ONE })
  await store.capture()
  await store.close()
  // The next capture of it builds on the first, and changes only a little.
  start.disk.fs.writeFileSync(`${ONE}/new.txt`, "new")
})

test("at whatever call of a capture another one is published and its base collected, its snapshot is whole", async () => {
  expect(await atEachCall("one", ["other", "collector"], {})).toEqual([])
})

test("at whatever call of a capture a collector gives up on it, it starts over and its snapshot is whole", async () => {
  expect(await atEachCall("one", ["other", "collector"], { isDead: () => true })).toEqual([])
})

test("at whatever call of a collection two captures come and go, their snapshots are whole", async () => {
  expect(await atEachCall("collector", ["other", "one"], {})).toEqual([])
  expect(await atEachCall("collector", ["one", "other"], { isDead: () => true })).toEqual([])
})

test("in any order of the calls of two captures and a collector, every snapshot is whole", async () => {
  const problems: string[] = []
  for (let seed = 0; seed < SCHEDULES; seed++) {
    const random = seeded(seed)
    const dead = random(3) === 0
    // From long runs of one actor to a change at almost every call.
    const stay = [0, 4, 20, 80][random(4)] ?? 0
    let last: Name | undefined
    const choose = (ready: readonly Name[]): Name => {
      if (last === undefined || !ready.includes(last) || random(stay + 1) === 0) last = ready[random(ready.length)]
      return last as Name
    }
    const found = await runAll(choose, { isDead: () => dead && random(2) === 0 })
    problems.push(...found.map((problem) => `${problem} (seed ${seed})`))
  }
  expect(problems).toEqual([])
})

test("a collector that takes no notice of leases is found out by the same orders", async () => {
  expect(await atEachCall("one", ["other", "collector"], { ignoreLeases: true })).not.toEqual([])
})

const SCHEDULES = 150

/** Runs `first` up to each of its calls in turn, then the others from beginning to end, then the rest of `first`. */
async function atEachCall(first: Name, others: readonly Name[], options: CollectOptions): Promise<string[]> {
  const problems: string[] = []
  for (let stop = 0, isDone = false; !isDone; stop++) {
    isDone = true
    const choose = (ready: readonly Name[], made: ReadonlyMap<Name, number>): Name => {
      if (ready.includes(first) && (made.get(first) ?? 0) < stop) return first
      const other = others.find((name) => ready.includes(name))
      if (other !== undefined && ready.includes(first)) isDone = false
      return other ?? first
    }
    const found = await runAll(choose, options)
    problems.push(...found.map((problem) => `${problem} (stopped before call ${stop + 1})`))
  }
  return problems
}

/** Runs two captures and a collection; gives what is wrong in the end. */
async function runAll(
  choose: (ready: readonly Name[], made: ReadonlyMap<Name, number>) => Name,
  options: CollectOptions,
): Promise<string[]> {
  const memory = copyOf(start)
  const published: CaptureResult[] = []
  const problems: string[] = []
  const capturing = async (name: Name, worktree: string): Promise<Actor<Name>> => {
    const { store, gate } = await gatedStore(memory, worktree)
    return {
      name,
      async run(around) {
        gate.around = around
        try {
          published.push(await store.capture({ label: name }))
        } catch (error) {
          if (!(error instanceof SnapshotError)) throw error
          problems.push(`${name} failed: ${error.message}`)
        }
      },
    }
  }
  const collector: Actor<Name> = {
    name: "collector",
    run: (around) => collect(faultyFileSystem(memory.fileSystem, [], around), GITDIR, options),
  }
  await interleave([await capturing("one", ONE), await capturing("other", OTHER), collector], choose)
  problems.push(...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)))
  // The newest of all can have been deleted by nobody.
  const store = await storeOn(memory.fileSystem, { worktree: ONE })
  const newest = published
    .map(({ snapshot }) => snapshot.ref)
    .toSorted()
    .at(-1)
  if ((await store.list({ kind: "all" }))[0]?.ref !== newest) problems.push(`the newest, ${newest}, is not there`)
  await store.close()
  return problems
}

interface Gated {
  readonly store: SnapshotStore
  /** How the store's calls are made from now on. */
  readonly gate: { around: AroundCall }
}

async function gatedStore(memory: Memory, worktree: string): Promise<Gated> {
  const gate: { around: AroundCall } = { around: (_call, make) => make() }
  const files = faultyFileSystem(memory.fileSystem, [], (call, make) => gate.around(call, make))
  return { store: await storeOn(files, { worktree }), gate }
}
