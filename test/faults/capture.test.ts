/*
 * A capture in which any one call of the file system fails, or at any one of which the process ends.
 */
import { beforeAll, describe, expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import type { CaptureResult, Snapshot } from "../../src/snapshot-store.js"
import { folderOf, fileOf, linkOf } from "../support/described-folder.js"
import { updateFolder, writeFolder } from "../support/disk.js"
import { describeFault, faultsOf, isKill } from "../support/fault-variants.js"
import {
  faultyFileSystem,
  type Fault,
  type FaultyFileSystem,
  type FileSystemCall,
} from "../support/faulty-file-system.js"
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

const FIRST = folderOf({
  ".gitignore": "ignored*\n",
  "a.txt": "one",
  "run.sh": fileOf("#!/bin/sh\n", 0o755),
  dir: { "x.txt": "x", deep: { "y.txt": "y" } },
  link: linkOf("a.txt"),
  "ignored.log": "noise",
})

const SECOND = folderOf({
  ".gitignore": "ignored*\n",
  "a.txt": "two",
  "run.sh": fileOf("#!/bin/sh\n", 0o755),
  dir: { "x.txt": fileOf("x", 0o600), deep: { "y.txt": "y", "z.txt": "new" } },
  link: linkOf("dir"),
  "ignored.log": "noise",
  "excluded.log": "noise",
  ".git": { HEAD: "ref: refs/heads/main\n", objects: {}, refs: {}, info: { exclude: "excluded*\n" } },
  empty: {},
})

describe("the first capture into a new store", () => {
  faultTests(async () => {
    const memory = newMemory()
    writeFolder(memory.disk, WORKTREE, SECOND)
    return memory
  })
})

describe("a capture that builds on an older one", () => {
  faultTests(async () => {
    const memory = newMemory()
    writeFolder(memory.disk, WORKTREE, FIRST)
    const store = await storeOn(memory.fileSystem)
    await store.capture({ label: "older" })
    await store.close()
    updateFolder(memory.disk, WORKTREE, FIRST, SECOND)
    return memory
  })
})

/** Many runs: on a busy machine they take a while. */
const LONG = { timeout: 300_000 }

/** A state in which captures are tried, and what a capture without faults does there. */
interface Scene {
  readonly start: Memory
  readonly calls: readonly FileSystemCall[]
  /** Paths in the snapshot, with mode and oid. */
  readonly right: ReadonlyMap<string, string>
  readonly snapshotsBefore: number
  /** The number of the call with which the pack was in place. */
  readonly packInPlace: number
}

function faultTests(prepare: () => Promise<Memory>): void {
  let scene: Scene
  beforeAll(async () => {
    scene = await recordedScene(await prepare())
  })

  test("either fails with an error that says so, or tells the truth, and leaves nothing half-made", LONG, async () => {
    const wrong: string[] = []
    for (const fault of faultsOf(scene.calls, GITDIR).filter((each) => !isKill(each)))
      for (const problem of await afterFailure(scene, fault))
        wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
    expect(wrong).toEqual([])
  })

  test("that is killed at any call leaves every snapshot whole, and the next capture works", LONG, async () => {
    const wrong: string[] = []
    for (const fault of faultsOf(scene.calls, GITDIR).filter(isKill)) {
      const { memory } = await attempt(scene, fault)
      for (const problem of await nextCapture(scene, memory))
        wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
    }
    expect(wrong).toEqual([])
  })
}

async function recordedScene(start: Memory): Promise<Scene> {
  const memory = copyOf(start)
  const recorded = faultyFileSystem(memory.fileSystem)
  const snapshotsBefore = (await packsOf(memory.fileSystem, GITDIR)).length
  const store = await storeOn(recorded)
  const { snapshot } = await store.capture({ label: "new" })
  const calls = [...recorded.calls]
  const right = await treeFiles(memory.fileSystem, snapshot.tree)
  expect(right.size).toBeGreaterThan(5)
  const inPlace = calls.findLast(({ kind, path }) => kind === "rename" && path.endsWith(".idx"))
  return { start, calls, right, snapshotsBefore, packInPlace: inPlace?.number ?? 0 }
}

interface Attempt {
  readonly memory: Memory
  readonly faulty: FaultyFileSystem
  readonly result?: CaptureResult
  readonly error?: unknown
}

async function attempt({ start }: Scene, fault: Fault): Promise<Attempt> {
  const memory = copyOf(start)
  const faulty = faultyFileSystem(memory.fileSystem, [fault])
  try {
    const store = await storeOn(faulty)
    return { memory, faulty, result: await store.capture({ label: "new" }) }
  } catch (error) {
    return { memory, faulty, error }
  }
}

async function afterFailure(scene: Scene, fault: Fault): Promise<string[]> {
  const { memory, faulty, result, error } = await attempt(scene, fault)
  const problems: string[] = []
  if (!faulty.struck) problems.push("the fault did not strike")
  if (result === undefined) problems.push(...errorProblems(error, fault))
  else problems.push(...(await truthProblems(memory, scene, result)))
  const left = await leftovers(memory.fileSystem, GITDIR)
  problems.push(...left.map((path) => `left ${path}`))
  const listed = (await listAll(memory)).length - scene.snapshotsBefore
  if (listed !== (result === undefined ? 0 : 1)) problems.push(`${listed} snapshots were published`)
  const packs = (await packsOf(memory.fileSystem, GITDIR)).length - scene.snapshotsBefore
  // A pack that nothing names stays only when the publication after it failed.
  if (packs > listed && fault.call <= scene.packInPlace) problems.push("an unused pack was left")
  problems.push(...(await nextCapture(scene, memory)))
  return problems
}

function errorProblems(error: unknown, fault: Fault): string[] {
  if (!(error instanceof SnapshotError)) return [`rejected with ${String(error)}`]
  const problems: string[] = []
  if (!/^[A-Z/].*\.$/s.test(error.message)) problems.push(`no sentence: ${error.message}`)
  if (fault.errno === "ENOSPC" && error.code !== "NO_SPACE") problems.push(`code ${error.code} for a full disk`)
  return problems
}

/** The snapshot holds all that a capture without faults holds, apart from what it lists as skipped, and nothing else. */
async function truthProblems(
  memory: Memory,
  { right }: Scene,
  { snapshot, skipped }: CaptureResult,
): Promise<string[]> {
  const problems: string[] = []
  const found = await treeFiles(memory.fileSystem, snapshot.tree)
  const left = (path: string): boolean => skipped.some((one) => path === one.path || path.startsWith(`${one.path}/`))
  for (const [path, line] of right)
    if (found.get(path) !== line && !left(path))
      problems.push(`${path} is ${found.get(path)} and not listed as skipped`)
  // Without an ignore file, what it would ignore is taken.
  for (const path of found.keys())
    if (!right.has(path) && !left(".gitignore")) problems.push(`${path} should not be in the snapshot`)
  for (const { path } of skipped) if (found.has(path)) problems.push(`${path} is skipped and there`)
  if (snapshot.complete !== (skipped.length === 0)) problems.push("complete is not true")
  return problems
}

async function listAll(memory: Memory): Promise<Snapshot[]> {
  const store = await storeOn(memory.fileSystem)
  try {
    return await store.list({ kind: "all" })
  } finally {
    await store.close()
  }
}

async function nextCapture({ right, snapshotsBefore }: Scene, memory: Memory): Promise<string[]> {
  const problems = await brokenRefs(CHECK, memory.fileSystem, GITDIR)
  try {
    const store = await storeOn(memory.fileSystem)
    const { snapshot, skipped } = await store.capture({ label: "next" })
    const found = await treeFiles(memory.fileSystem, snapshot.tree)
    const [is, should] = [JSON.stringify([...found]), JSON.stringify([...right])]
    if (is !== should || skipped.length > 0) problems.push(`the next capture is wrong: ${is}`)
    if ((await store.list()).length <= snapshotsBefore) problems.push("an older snapshot is not listed")
    await store.close()
  } catch (error) {
    problems.push(`the next capture failed: ${String(error)}`)
  }
  return problems
}
