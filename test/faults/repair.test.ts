/*
 * A repair that is killed, and a check beside maintenance that lets snapshots go.
 */
import { beforeAll, expect, test } from "vitest"
import type { Owner, OwnerSource } from "../../src/core/owner.js"
import type { FileSystem } from "../../src/core/file-system.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import type { SnapshotStore, VerifyReport } from "../../src/snapshot-store.js"
import { flipped } from "../support/damage.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { describeFault, faultsOf, isKill } from "../support/fault-variants.js"
import { faultyFileSystem, type AroundCall, type Fault, type FileSystemCall } from "../support/faulty-file-system.js"
import { interleave, seeded } from "../support/interleave.js"
import {
  brokenRefs,
  CHECK,
  copyOf,
  GITDIR,
  newMemory,
  packsOf,
  storeOn,
  WORKTREE,
  type Memory,
} from "../support/store-on.js"

/** Many runs: on a busy machine they take a while. */
const LONG = { timeout: 900_000 }

const PORTS = { hasher: nodeHasher(), deflater: nodeDeflater() }

/** The process with this pid; process 1 is dead, all others are alive. */
function ownerOf(pid: number): OwnerSource {
  return {
    current: () => Promise.resolve({ pid }),
    isAlive: (owner: Owner) => Promise.resolve(owner.pid === 1 ? "dead" : "alive"),
  }
}

function storeAs(pid: number, fileSystem: FileSystem): Promise<SnapshotStore> {
  return storeOn(fileSystem, { platform: { ...PORTS, owner: ownerOf(pid) } })
}

/** Four snapshots, with a pack each. */
const sound = newMemory()
/** The same, where a pack has a wrong checksum, one lost its index, one is empty, and a ref is damaged. */
let damaged: Memory
/** The snapshots that the damage does not touch. */
let whole: readonly string[] = []

beforeAll(async () => {
  writeFolder(sound.disk, WORKTREE, folderOf({ "a.txt": "a", dir: { "b.txt": "b" } }))
  const store = await storeAs(2, sound.fileSystem)
  const refs: string[] = []
  const packs: string[] = []
  for (const text of ["one", "two", "three", "four"]) {
    sound.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, text)
    refs.push((await store.capture()).snapshot.ref)
    packs.push(...(await packsOf(sound.fileSystem, GITDIR)).filter((name) => !packs.includes(name)))
  }
  await store.close()
  damaged = copyOf(sound)
  const change = (path: string, to: (bytes: Buffer) => Uint8Array): void => {
    const bytes = Buffer.from(damaged.disk.fs.readFileSync(`${GITDIR}/${path}`))
    damaged.disk.fs.chmodSync(`${GITDIR}/${path}`, 0o600)
    damaged.disk.fs.writeFileSync(`${GITDIR}/${path}`, to(bytes))
  }
  change(`objects/pack/${packs[0]}.pack`, (bytes) => flipped(bytes, -1))
  damaged.disk.fs.unlinkSync(`${GITDIR}/objects/pack/${packs[1]}.idx`)
  change(`objects/pack/${packs[2]}.pack`, () => new Uint8Array())
  change(refs[3] as string, () => new Uint8Array())
  const broken = await brokenRefs(CHECK, damaged.fileSystem, GITDIR)
  whole = refs.filter((ref) => !broken.some((line) => line.startsWith(`${ref}:`)))
})

interface Scene {
  readonly calls: readonly FileSystemCall[]
  readonly faults: readonly Fault[]
  readonly report: VerifyReport
}

let scene: Scene
beforeAll(async () => {
  const recorded = faultyFileSystem(copyOf(damaged).fileSystem)
  const store = await storeAs(2, recorded)
  const opened = recorded.calls.length
  const report = await store.verify({ repair: true })
  // The commit of the third is lost, all else comes back.
  expect(report).toMatchObject({ ok: false, snapshots: 3, problems: [{ problem: "missing" }] })
  expect(report.problems).toHaveLength(1)
  scene = {
    calls: recorded.calls,
    faults: faultsOf(recorded.calls, GITDIR).filter(({ call }) => call > opened),
    report,
  }
})

/** What is wrong after a repair with a fault, and after another one without. */
async function afterFault(fault: Fault): Promise<string[]> {
  const memory = copyOf(damaged)
  const problems: string[] = []
  const wholeStill = async (): Promise<void> => {
    const broken = await brokenRefs({ ...CHECK, ...PORTS }, memory.fileSystem, GITDIR)
    for (const ref of whole) if (broken.some((line) => line.startsWith(`${ref}:`))) problems.push(`${ref} is broken`)
  }
  const store = await storeAs(isKill(fault) ? 1 : 2, faultyFileSystem(memory.fileSystem, [fault]))
  await store.verify({ repair: true }).catch(() => {})
  await wholeStill()
  const next = await storeAs(3, memory.fileSystem)
  await next.verify({ repair: true })
  const { ok, snapshots } = await next.verify()
  if (!ok || snapshots !== scene.report.snapshots) problems.push("the next repair did not do the rest")
  await next.maintain()
  await wholeStill()
  return problems
}

test("killed before any change it leaves nothing worse, and the next repair does the rest", LONG, async () => {
  const wrong: string[] = []
  const faults = scene.faults.filter(isKill)
  expect(faults.length).toBeGreaterThan(30)
  for (const fault of faults)
    for (const problem of await afterFault(fault)) wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
  expect(wrong).toEqual([])
})

test("where no space is left it leaves nothing worse, and the next repair does the rest", LONG, async () => {
  const wrong: string[] = []
  const faults = scene.faults.filter(({ errno, how }) => errno === "ENOSPC" && how === "fail")
  for (const fault of faults.filter((_, i) => i % 4 === 0))
    for (const problem of await afterFault(fault)) wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
  expect(wrong).toEqual([])
})

test("beside a prune, a maintenance and a capture, a check finds no problem, whatever their order", LONG, async () => {
  const wrong: string[] = []
  for (let seed = 0; seed < RUNS; seed++) {
    const memory = copyOf(sound)
    const gates = { check: { around: plainly }, others: { around: plainly } }
    const through = (gate: { around: AroundCall }): FileSystem =>
      faultyFileSystem(memory.fileSystem, [], (call, make) => gate.around(call, make))
    const checking = await storeAs(2, through(gates.check))
    const working = await storeAs(3, through(gates.others))
    let report: VerifyReport | undefined
    const next = seeded(seed)
    // How often each goes on is as random as when, so that either may be done while the other has just begun.
    const share = next(10)
    await interleave(
      [
        {
          name: "check" as const,
          async run(around) {
            gates.check.around = around
            report = await checking.verify()
          },
        },
        {
          name: "others" as const,
          async run(around) {
            gates.others.around = around
            await working.prune({ keepLast: 1 })
            await working.maintain()
            memory.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, "five")
            await working.capture()
          },
        },
      ],
      (ready) => (ready.length === 1 ? (ready[0] as "check") : next(10) < share ? "check" : "others"),
    )
    if (report?.ok !== true) wrong.push(`with seed ${seed}: ${JSON.stringify(report?.problems)}`)
  }
  expect(wrong).toEqual([])
})

const RUNS = 40
const plainly: AroundCall = (_call, make) => make()
