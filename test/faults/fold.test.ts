/*
 * Packs that are folded, and refs that are packed, while any one call of the file system fails or the process ends at it.
 */
import { beforeAll, expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { Owner } from "../../src/core/owner.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { describeFault, faultsOf, isKill } from "../support/fault-variants.js"
import { faultyFileSystem, type Fault, type FileSystemCall } from "../support/faulty-file-system.js"
import {
  brokenRefs,
  CHECK,
  copyOf,
  GITDIR,
  leftovers,
  newMemory,
  packsOf,
  storeOn,
  WORKTREE,
  type Memory,
} from "../support/store-on.js"

const SNAPSHOTS = `${GITDIR}/refs/snapshots/project`
/** As many refs as are packed; most are of one commit. */
const REFS = 66

/** A store with a pack for each of ten versions of a file, so that they are folded, and many refs. */
const start = newMemory()
let calls: readonly FileSystemCall[] = []
let faults: readonly Fault[] = []

beforeAll(async () => {
  const lines = Array.from({ length: 80 }, (_, i) => `line ${i} ${(i * 7919) % 1009}`)
  writeFolder(start.disk, WORKTREE, folderOf({ "a.txt": "", dir: { "b.txt": "b" } }))
  const store = await storeOn(start.fileSystem)
  for (let i = 0; i < 10; i++) {
    start.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, lines.with(i, `another line ${i}`).join("\n"))
    await store.capture()
  }
  await store.close()
  const [name = ""] = start.disk.names(SNAPSHOTS)
  const content = start.disk.fs.readFileSync(`${SNAPSHOTS}/${name}`)
  for (let i = 10; i < REFS; i++)
    start.disk.fs.writeFileSync(`${SNAPSHOTS}/20200101T000000000Z-${String(i).padStart(16, "0")}`, content)

  const memory = copyOf(start)
  const recorded = faultyFileSystem(memory.fileSystem)
  const tidied = await storeAs(2, recorded)
  const opened = recorded.calls.length
  expect(await tidied.maintain()).toMatchObject({ packsRemoved: 10, packsWritten: 1, refsPacked: REFS })
  expect(await problemsOf(memory)).toEqual([])
  calls = [...recorded.calls]
  // Each of the many refs is read and removed in the same way.
  const isOfRef = ({ call }: Fault): boolean => calls[call - 1]?.path.startsWith(`${SNAPSHOTS}/`) === true
  faults = faultsOf(calls, GITDIR).filter((fault, i) => fault.call > opened && (!isOfRef(fault) || i % 9 === 0))
  expect(faults.length).toBeGreaterThan(100)
})

/** Many runs: on a busy machine they take a while. */
const LONG = { timeout: 300_000 }

test("either fails with an error that says so, or does its work; the next run does the rest", LONG, async () => {
  const wrong: string[] = []
  for (const fault of faults.filter((each) => !isKill(each)))
    for (const problem of await afterFault(fault)) wrong.push(`${problem} (${describeFault(fault, calls)})`)
  expect(wrong).toEqual([])
})

test("killed at any call it leaves every snapshot whole; the next run takes over and does the rest", LONG, async () => {
  const wrong: string[] = []
  for (const fault of faults.filter(isKill))
    for (const problem of await afterFault(fault)) wrong.push(`${problem} (${describeFault(fault, calls)})`)
  expect(wrong).toEqual([])
})

/** The process with this pid, so much later that what was just written is old; process 1 is dead, all others are alive. */
function storeAs(pid: number, fileSystem: FileSystem, aheadMs = 2 * DAY): Promise<SnapshotStore> {
  const owner = {
    current: () => Promise.resolve({ pid }),
    isAlive: (other: Owner) => Promise.resolve<"dead" | "alive">(other.pid === 1 ? "dead" : "alive"),
  }
  return storeOn(fileSystem, { clock: { nowMs: () => Date.now() + aheadMs }, platform: { owner } })
}

const DAY = 86_400_000

async function afterFault(fault: Fault): Promise<string[]> {
  const memory = copyOf(start)
  const faulty = faultyFileSystem(memory.fileSystem, [fault])
  const problems: string[] = []
  try {
    await (await storeAs(isKill(fault) ? 1 : 2, faulty)).maintain()
  } catch (error) {
    if (!isKill(fault) && !(error instanceof SnapshotError)) problems.push(`rejected with ${String(error)}`)
  }
  problems.push(...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)).map((ref) => `broke ${ref}`))
  if (listedRefs(memory) !== REFS) problems.push(`left ${listedRefs(memory)} refs`)
  await (await storeAs(3, memory.fileSystem, 4 * DAY)).maintain()
  problems.push(...(await problemsOf(memory)))
  return problems
}

/** What is wrong with a store that was maintained. */
async function problemsOf(memory: Memory): Promise<string[]> {
  const packs = (await packsOf(memory.fileSystem, GITDIR)).length
  const left = await leftovers(memory.fileSystem, GITDIR)
  return [
    ...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)).map((ref) => `${ref} is broken in the end`),
    // What a run that failed left stays until there is enough to be folded.
    ...(packs < 8 ? [] : [`${packs} packs in the end`]),
    ...(listedRefs(memory) === REFS ? [] : [`${listedRefs(memory)} refs in the end`]),
    ...left.map((name) => `${name} is left`),
  ]
}

/** How many refs of snapshots there are, packed or not. */
function listedRefs({ disk }: Memory): number {
  const packed = disk.names(GITDIR).includes("packed-refs")
    ? Buffer.from(disk.fs.readFileSync(`${GITDIR}/packed-refs`)).toString()
    : ""
  const names = packed.split("\n").flatMap((line) => /refs\/snapshots\/project\/(\S+)$/.exec(line)?.[1] ?? [])
  return new Set([...names, ...disk.names(SNAPSHOTS)]).size
}
