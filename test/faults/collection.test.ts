/*
 * Captures beside maintenance, one file system call at a time, in many orders: whatever the order, every snapshot that
 * can be seen is whole.
 */
import { beforeAll, expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { OwnerSource } from "../../src/core/owner.js"
import type { CaptureResult, SnapshotStore } from "../../src/snapshot-store.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { faultyFileSystem, type AroundCall } from "../support/faulty-file-system.js"
import { interleave, seeded, type Actor } from "../support/interleave.js"
import {
  brokenRefs,
  CHECK,
  copyOf,
  GITDIR,
  newMemory,
  storeOn,
  type Memory,
  type StoreOnOptions,
} from "../support/store-on.js"

type Name = "one" | "other" | "collector"

/** How a collection goes about it. */
interface CollectOptions {
  /** Whether the owner of a lease counts as dead; asked for each lease. */
  readonly isDead?: () => boolean
  /** Sees no leases at all: wrong, to see whether a test would notice. */
  readonly ignoreLeases?: boolean
  /** The process ends before this call of its own. */
  readonly killedAt?: number
}

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

test("at whatever call of a collection a capture goes on from the middle of its publication, its snapshot is whole", async () => {
  const problems: string[] = []
  for (const stop of await publicationStops())
    for (let switchAt = 1, isDone = false; !isDone; switchAt++) {
      const choose = (ready: readonly Name[], made: ReadonlyMap<Name, number>): Name => {
        if ((made.get("one") ?? 0) < stop) return "one"
        if (ready.includes("collector") && (made.get("collector") ?? 0) < switchAt) return "collector"
        isDone = (made.get("collector") ?? 0) < switchAt
        return ready[0] as Name
      }
      const found = await runAll(choose, {}, ["one", "collector"])
      problems.push(...found.map((problem) => `${problem} (${stop} calls, then ${switchAt} of the collector)`))
    }
  expect(problems).toEqual([])
})

test("at whatever call of a collection a capture gets to the middle of its publication, its snapshot is whole", async () => {
  const problems: string[] = []
  for (const stop of await publicationStops())
    for (let first = 0, isDone = false; !isDone; first++) {
      let inMiddle = false
      const choose = (ready: readonly Name[], made: ReadonlyMap<Name, number>): Name => {
        if (!ready.includes("collector")) return ready[0] as Name
        if ((made.get("collector") ?? 0) < first) return "collector"
        inMiddle = true
        return (made.get("one") ?? 0) < stop && ready.includes("one") ? "one" : "collector"
      }
      const found = await runAll(choose, {}, ["one", "collector"])
      isDone = !inMiddle
      problems.push(...found.map((problem) => `${problem} (${first} calls of the collector, then ${stop})`))
    }
  expect(problems).toEqual([])
})

test("in any order of the calls of two captures and a collector, which may be killed, every snapshot is whole", async () => {
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
    const killedAt = random(2) === 0 ? 1 + random(100) : Number.POSITIVE_INFINITY
    const found = await runAll(choose, { isDead: () => dead && random(2) === 0, killedAt })
    problems.push(...found.map((problem) => `${problem} (seed ${seed})`))
  }
  expect(problems).toEqual([])
})

test("a collector that takes no notice of leases is found out by the same orders", async () => {
  expect(await atEachCall("one", ["other", "collector"], { ignoreLeases: true })).not.toEqual([])
})

const SCHEDULES = 120

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

/** After how many calls of a capture its pack, its index and its ref have just been put in place. */
async function publicationStops(): Promise<number[]> {
  const { store, gate } = await gatedStore(copyOf(start), ONE)
  const calls: string[] = []
  gate.around = (call, make) => {
    calls.push(`${call.kind} ${call.path}`)
    return make()
  }
  await store.capture({ label: "one" })
  await store.close()
  const stops = ["objects/pack/.*[.]pack", "objects/pack/.*[.]idx", "refs/snapshots/"].map(
    (path) => 1 + calls.findIndex((call) => new RegExp(`^rename .*${path}`).test(call)),
  )
  expect(Math.min(...stops)).toBeGreaterThan(1)
  return stops
}

/** Runs captures and a collection, by default all of them; gives what is wrong in the end. */
async function runAll(
  choose: (ready: readonly Name[], made: ReadonlyMap<Name, number>) => Name,
  options: CollectOptions,
  names: readonly Name[] = ["one", "other", "collector"],
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
  const collector = await collecting(memory, options)
  const actors = [await capturing("one", ONE), await capturing("other", OTHER), collector]
  await interleave(
    actors.filter(({ name }) => names.includes(name)),
    choose,
  )
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

/** Lets all snapshots go but the newest, and collects. */
async function collecting(memory: Memory, options: CollectOptions): Promise<Actor<Name>> {
  const { isDead = () => false, ignoreLeases, killedAt = Number.POSITIVE_INFINITY } = options
  const owner: OwnerSource = {
    current: () => Promise.resolve({}),
    isAlive: () => Promise.resolve(isDead() ? "dead" : "alive"),
  }
  const files = ignoreLeases === true ? withoutLeases(memory.fileSystem) : memory.fileSystem
  const { store, gate } = await gatedStore({ ...memory, fileSystem: files }, ONE, { platform: { owner } })
  return {
    name: "collector",
    async run(around) {
      let made = 0
      gate.around = (call, make) => (++made < killedAt ? around(call, make) : Promise.reject(new Error("killed")))
      try {
        await store.prune({ keepLast: 0 })
        await store.maintain()
      } catch (error) {
        if (made < killedAt) throw error
      }
    },
  }
}

function withoutLeases(inner: FileSystem): FileSystem {
  return new Proxy(inner, {
    get(target, name): unknown {
      if (name === "list") return async (path: string) => (path.endsWith("/leases") ? [] : target.list(path))
      const value: unknown = Reflect.get(target, name)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}

interface Gated {
  readonly store: SnapshotStore
  /** How the store's calls are made from now on. */
  readonly gate: { around: AroundCall }
}

async function gatedStore(memory: Memory, worktree: string, options: StoreOnOptions = {}): Promise<Gated> {
  const gate: { around: AroundCall } = { around: (_call, make) => make() }
  const files = faultyFileSystem(memory.fileSystem, [], (call, make) => gate.around(call, make))
  return { store: await storeOn(files, { worktree, ...options }), gate }
}
