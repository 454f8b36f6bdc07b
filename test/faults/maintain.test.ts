/*
 * Maintenance in which any one call of the file system fails, or at any one of which the process ends; and maintenance
 * beside other maintenance.
 */
import { beforeAll, expect, test } from "vitest"
import { isSnapshotError, SnapshotError } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { Owner, OwnerSource } from "../../src/core/owner.js"
import { ioError } from "../../src/platform/io-error.js"
import type { MaintainReport, SnapshotStore } from "../../src/snapshot-store.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { describeFault, faultsOf, isKill } from "../support/fault-variants.js"
import { faultyFileSystem, type AroundCall, type Fault, type FileSystemCall } from "../support/faulty-file-system.js"
import { interleave, type Actor } from "../support/interleave.js"
import {
  brokenRefs,
  CHECK,
  copyOf,
  GITDIR,
  leftovers,
  newMemory,
  packsOf,
  storeOn,
  treeFiles,
  WORKTREE,
  type Memory,
} from "../support/store-on.js"

/** A store with four snapshots that share something, the leftovers of a killed capture, and an object of another tool. */
const start = newMemory()
beforeAll(async () => {
  writeFolder(start.disk, WORKTREE, folderOf({ "a.txt": "a", dir: { "b.txt": "b" } }))
  const store = await storeOn(start.fileSystem)
  for (const text of ["one", "two", "three", "four"]) {
    start.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, text)
    await store.capture()
  }
  await store.close()
  const killed = faultyFileSystem(start.fileSystem, [{ call: 1, kind: "rename", path: "objects/pack", how: "kill" }])
  const dying = await storeOn(killed, { platform: { owner: ownerOf(1) } })
  await expect(dying.capture({ label: "killed" })).rejects.toThrow("killed")
  expect(await leftovers(start.fileSystem, GITDIR)).toHaveLength(4)
  const loose = `${GITDIR}/objects/ab`
  start.disk.fs.mkdirSync(loose)
  start.disk.fs.writeFileSync(`${loose}/${"c".repeat(38)}`, "nobody needs it")
  // One of those that will go is packed.
  const [oldest = ""] = start.disk.names(`${GITDIR}/refs/snapshots/project`)
  const file = `${GITDIR}/refs/snapshots/project/${oldest}`
  const oid = Buffer.from(start.disk.fs.readFileSync(file)).toString().trim()
  const lines = ["# pack-refs with: peeled fully-peeled sorted ", `${oid} refs/snapshots/project/${oldest}`, ""]
  start.disk.fs.writeFileSync(`${GITDIR}/packed-refs`, lines.join("\n"))
  start.disk.fs.unlinkSync(file)
})

/** Many runs: on a busy machine they take a while. */
const LONG = { timeout: 300_000 }

/** The process with this pid; process 1 is dead, all others are alive. */
function ownerOf(pid: number): OwnerSource {
  return {
    current: () => Promise.resolve({ pid }),
    isAlive: (owner: Owner) => Promise.resolve(owner.pid === 1 ? "dead" : "alive"),
  }
}

/** Opens the store as the process with this pid, so much later that what was just written is old. */
function storeAs(pid: number, fileSystem: FileSystem, aheadMs = 2 * DAY): Promise<SnapshotStore> {
  return storeOn(fileSystem, { clock: { nowMs: () => Date.now() + aheadMs }, platform: { owner: ownerOf(pid) } })
}

const DAY = 86_400_000

async function clean(store: SnapshotStore): Promise<MaintainReport> {
  await store.prune({ keepLast: 2 })
  return store.maintain()
}

interface Scene {
  readonly calls: readonly FileSystemCall[]
  /** The faults that strike once the store is open. */
  readonly faults: readonly Fault[]
  readonly right: Outcome
}

/** What is to be seen of a store. */
interface Outcome {
  readonly refs: readonly string[]
  readonly packs: number
  readonly left: readonly string[]
}

async function outcomeOf({ disk, fileSystem }: Memory): Promise<Outcome> {
  const list = (folder: string): string[] => disk.names(`${GITDIR}/${folder}`).map((name) => `${folder}/${name}`)
  const left = [...(await leftovers(fileSystem, GITDIR)), ...list("locks"), ...list("objects/ab")]
  if (disk.names(GITDIR).includes("packed-refs.lock")) left.push("packed-refs.lock")
  const packs = (await packsOf(fileSystem, GITDIR)).length
  return { refs: list("refs/snapshots/project"), packs, left: left.toSorted() }
}

let scene: Scene
beforeAll(async () => {
  const memory = copyOf(start)
  const recorded = faultyFileSystem(memory.fileSystem)
  const store = await storeAs(2, recorded)
  const opened = recorded.calls.length
  const report = await clean(store)
  expect(report).toMatchObject({ packsRemoved: 1, adopted: 0 })
  expect(report.objectsRemoved).toBeGreaterThan(1)
  const right = await outcomeOf(memory)
  expect(right).toMatchObject({ packs: 3, left: [] })
  expect(right.refs).toHaveLength(2)
  const faults = faultsOf(recorded.calls, GITDIR).filter(({ call }) => call > opened)
  scene = { calls: [...recorded.calls], faults, right }
})

test("either fails with an error that says so, or does its work; the next run does the rest", LONG, async () => {
  const wrong: string[] = []
  for (const fault of scene.faults.filter((each) => !isKill(each)))
    for (const problem of await afterFault(fault)) wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
  expect(wrong).toEqual([])
})

test("killed at any call it leaves every snapshot whole; the next run takes over and does the rest", LONG, async () => {
  const wrong: string[] = []
  for (const fault of scene.faults.filter(isKill))
    for (const problem of await afterFault(fault)) wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
  expect(wrong).toEqual([])
})

/** What is wrong after a run with a fault, and after another one without. */
async function afterFault(fault: Fault): Promise<string[]> {
  const memory = copyOf(start)
  const faulty = faultyFileSystem(memory.fileSystem, [fault])
  const problems: string[] = []
  try {
    await clean(await storeAs(isKill(fault) ? 1 : 2, faulty))
  } catch (error) {
    if (!(error instanceof SnapshotError)) problems.push(`rejected with ${String(error)}`)
  }
  if (!faulty.struck) problems.push("the fault did not strike")
  problems.push(...(await wholeness(memory)))
  const held = memory.disk.names(`${GITDIR}/locks`)
  if (!isKill(fault) && held.length > 0) problems.push(`the lock was left: ${held.join(", ")}`)
  await clean(await storeAs(2, memory.fileSystem)).catch((error: unknown) =>
    problems.push(`the next run failed: ${String(error)}`),
  )
  const { refs, packs, left } = await outcomeOf(memory)
  if (refs.join() !== scene.right.refs.join()) problems.push(`the refs are ${refs.join()}`)
  if (packs !== scene.right.packs) problems.push(`${packs} packs are left`)
  problems.push(...left.map((path) => `${path} is left`))
  problems.push(...(await wholeness(memory)))
  return problems
}

async function wholeness({ fileSystem }: Memory): Promise<string[]> {
  const problems = await brokenRefs(CHECK, fileSystem, GITDIR)
  const store = await storeOn(fileSystem)
  const [newest] = await store.list()
  if (newest === undefined) return [...problems, "the newest snapshot is gone"]
  const files = await treeFiles(fileSystem, newest.tree)
  if ([...files.keys()].join() !== "a.txt,dir/b.txt") problems.push(`the newest holds ${[...files.keys()].join()}`)
  await store.close()
  return problems
}

test.each(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"])(
  "where links fail with %s, its lock is made without",
  async (errno) => {
    const memory = copyOf(start)
    const files = faultyFileSystem(memory.fileSystem, [], (call, make) =>
      call.kind === "linkFile" ? Promise.reject(ioError("link the file", call.path, { code: errno })) : make(),
    )
    const store = await storeAs(2, files)
    await clean(store)
    expect(await outcomeOf(memory)).toEqual(scene.right)
    const locks = files.calls.filter(({ kind, path }) => kind === "open" && path.endsWith("/locks/maintenance"))
    expect(locks).toHaveLength(2)
    // A lock that is held bars others there, too.
    const barred = storeAs(2, files).then((other) => other.maintain())
    await expect(Promise.all([store.maintain(), barred])).rejects.toMatchObject({ code: "LOCK_HELD" })
  },
)

test("the deletion of every ref is synced before the first object goes, and each index goes before its pack", () => {
  const texts = scene.calls.map(({ kind, path }) => `${kind} ${path.slice(GITDIR.length)}`)
  const lastRef = texts.findLastIndex((text) => text.startsWith("unlink /refs/snapshots/"))
  const firstObject = texts.findIndex((text) => text.startsWith("unlink /objects/"))
  expect(lastRef).toBeGreaterThan(0)
  for (const folder of ["", "/refs", "/refs/snapshots", "/refs/snapshots/project"]) {
    const synced = texts.findLastIndex((text) => text === `syncFolder ${folder}`)
    expect(synced, folder).toBeGreaterThan(lastRef)
    expect(synced, folder).toBeLessThan(firstObject)
  }
  const packs = texts.filter((text) => /^unlink .*[.](?:pack|idx)$/.test(text) && text.includes("/objects/pack/"))
  expect(packs.map((text) => text.slice(-4))).toEqual([".idx", "pack"])
})

test("of two at once one works and the other is refused, at whatever call it comes", LONG, async () => {
  const problems: string[] = []
  const seen = new Set<string>()
  for (let stop = 0, isDone = false; !isDone; stop++) {
    const memory = copyOf(start)
    const results = new Map<string, unknown>()
    const actor = async (name: string): Promise<Actor> => {
      let around: AroundCall = (_call, make) => make()
      const files = faultyFileSystem(memory.fileSystem, [], (call, make) => around(call, make))
      const store = await storeAs(2, files, 0)
      return {
        name,
        async run(gate) {
          around = gate
          results.set(name, await store.maintain().catch((error: unknown) => error))
          await store.close()
        },
      }
    }
    await interleave([await actor("one"), await actor("other")], (ready, made) => {
      if (ready.includes("one") && (made.get("one") ?? 0) < stop) return "one"
      isDone = !ready.includes("one")
      return ready.includes("other") ? "other" : "one"
    })
    for (const [name, result] of results)
      if (isSnapshotError(result, "LOCK_HELD")) seen.add(`${name} refused`)
      else if (result instanceof Error) problems.push(`${String(result)} (${name} at call ${stop + 1})`)
    problems.push(...(await wholeness(memory)).map((problem) => `${problem} (at call ${stop + 1})`))
    const { left } = await outcomeOf(memory)
    if (left.some((path) => !path.startsWith("objects/"))) problems.push(`something is left (at call ${stop + 1})`)
  }
  expect(problems).toEqual([])
  expect([...seen]).toEqual(["other refused"])
})

test(
  "a reader that is overtaken at any call reads what stays, and finds what was let go or does not",
  LONG,
  async () => {
    const problems: string[] = []
    for (let stop = 0, isDone = false; !isDone; stop++) {
      const memory = copyOf(start)
      let around: AroundCall = (_call, make) => make()
      const files = faultyFileSystem(memory.fileSystem, [], (call, make) => around(call, make))
      const reading = await storeAs(2, files)
      const cleaning = await storeAs(2, memory.fileSystem)
      const reader: Actor = {
        name: "reader",
        async run(gate) {
          around = gate
          const listed = await reading.list()
          if (listed.length < 2) problems.push(`${listed.length} are listed (call ${stop})`)
          for (const rev of ["latest", "latest~1"]) {
            await reading.resolve(rev)
            const text = Buffer.from((await reading.readFile(rev, "a.txt")) ?? []).toString()
            if (text !== (rev === "latest" ? "four" : "three")) problems.push(`${rev} is ${text} (call ${stop})`)
          }
          await reading.resolve("latest~3").catch((error: unknown) => {
            if (!isSnapshotError(error, "NOT_FOUND")) throw error
          })
        },
      }
      const cleaner: Actor = {
        name: "cleaner",
        async run(gate) {
          await gate({ number: 1, kind: "list", path: "" }, async () => clean(cleaning))
        },
      }
      await interleave([reader, cleaner], (ready, made) => {
        if (ready.includes("reader") && (made.get("reader") ?? 0) < stop) return "reader"
        isDone = !ready.includes("reader")
        return ready.includes("cleaner") ? "cleaner" : "reader"
      }).catch((error: unknown) => problems.push(`${String(error)} (call ${stop})`))
    }
    expect(problems).toEqual([])
  },
)
