/*
 * Captures and restores that are aborted at any one call of the file system, or at any one event of their progress.
 */
import { beforeAll, expect, test } from "vitest"
import type { OnProgress, SnapshotStore } from "../../src/snapshot-store.js"
import { fileOf, folderOf, linkOf } from "../support/described-folder.js"
import { updateFolder, writeFolder } from "../support/disk.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { folderContent, type FolderContent } from "../support/folder-content.js"
import {
  brokenRefs,
  CHECK,
  copyOf,
  GITDIR,
  leftovers,
  newMemory,
  storeOn,
  WORKTREE,
  type Memory,
} from "../support/store-on.js"

/** Many runs: on a busy machine they take a while. */
const LONG = { timeout: 300_000 }

const THEN = folderOf({
  "changed.txt": "then",
  "file-now-folder": "file",
  "folder-now-file": { deep: { "x.txt": "x" } },
  "gone.txt": "gone",
  empty: {},
  bits: folderOf({ "in.txt": "in" }, 0o700),
})

const NOW = folderOf({
  "changed.txt": fileOf("now", 0o755),
  "file-now-folder": folderOf({ sub: { "y.txt": "y" } }, 0o750),
  "folder-now-file": linkOf("changed.txt"),
  "added.txt": "added",
  "added-folder": folderOf({ "z.txt": "z" }, 0o711),
  bits: folderOf({ "in.txt": "in" }, 0o755),
})

const start = newMemory()
let target: string
let before: FolderContent
let then: FolderContent
beforeAll(async () => {
  writeFolder(start.disk, WORKTREE, THEN)
  then = folderContent(start.disk, WORKTREE)
  const store = await storeOn(start.fileSystem)
  target = (await store.capture({ label: "then" })).snapshot.id
  await store.close()
  updateFolder(start.disk, WORKTREE, THEN, NOW)
  before = folderContent(start.disk, WORKTREE)
})

test(
  "a capture that is aborted rejects with the signal's reason and leaves nothing, or was published before",
  LONG,
  async () => {
    const problems = await aborted(
      (store, signal, onProgress) => store.capture({ label: "new", signal, onProgress }),
      async (memory, hasRejected) => {
        const store = await storeOn(memory.fileSystem)
        const snapshots = await store.list({ kind: "all" })
        await store.close()
        return snapshots.length === (hasRejected ? 1 : 2) ? [] : [`${snapshots.length} snapshots`]
      },
    )
    expect(problems).toEqual([])
  },
)

test(
  "a restore that is aborted rejects with the signal's reason and leaves the work tree as it was, or is done",
  LONG,
  async () => {
    const problems = await aborted(
      (store, signal, onProgress) => store.restore(target, { signal, onProgress }),
      async (memory, hasRejected) => {
        const content = folderContent(memory.disk, WORKTREE)
        const expected = hasRejected ? before : then
        const paths = [...new Set([...Object.keys(expected), ...Object.keys(content)])]
        return paths
          .filter((path) => content[path] !== expected[path])
          .map((path) => `${path} is ${content[path]} after ${hasRejected ? "an abort" : "a restore"}`)
      },
    )
    expect(problems).toEqual([])
  },
)

test("what is aborted before it begins touches nothing", async () => {
  const recorded = faultyFileSystem(copyOf(start).fileSystem)
  const store = await storeOn(recorded)
  const opening = recorded.calls.length
  const signal = AbortSignal.abort(REASON)
  await expect(store.capture({ signal })).rejects.toBe(REASON)
  await expect(store.restore(target, { signal })).rejects.toBe(REASON)
  expect(recorded.calls.slice(opening).filter(({ kind }) => CHANGES.has(kind))).toEqual([])
})

const REASON = new Error("enough")

const CHANGES: ReadonlySet<string> = new Set(["makeFolder", "makeLink", "linkFile", "rename", "unlink", "file.write"])

type Call = (store: SnapshotStore, signal: AbortSignal, onProgress: OnProgress) => Promise<unknown>

/** What is wrong after aborts at each call and at each event, one run for each. */
async function aborted(
  call: Call,
  check: (memory: Memory, hasRejected: boolean) => Promise<string[]>,
): Promise<string[]> {
  const problems: string[] = []
  let rejected = 0
  for (const [at, total] of Object.entries(await countAll(call))) {
    expect(total).toBeGreaterThan(4)
    for (let number = 1; number <= total; number++) {
      const { memory, error } = await run(call, at, number)
      const hasRejected = error !== undefined
      if (hasRejected) rejected++
      const found = [
        ...(hasRejected && error !== REASON
          ? [`rejected with ${error instanceof Error ? error.message : "no error"}`]
          : []),
        ...(await check(memory, hasRejected)),
        ...(await leftovers(memory.fileSystem, GITDIR)),
        ...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)),
      ]
      problems.push(...found.map((problem) => `${problem} (${at} ${number} of ${total})`))
    }
  }
  if (rejected < 20) problems.push(`only ${rejected} aborts were heard`)
  return problems
}

/** How many calls and events there are without an abort. */
async function countAll(call: Call): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const { calls, events } = await run(call, "none", 0)
  counts["call"] = calls
  counts["event"] = events
  return counts
}

interface Run {
  readonly memory: Memory
  readonly calls: number
  readonly events: number
  readonly error: unknown
}

/** Runs the call and aborts it at the n-th file system call ("call") or event of progress ("event"). */
async function run(call: Call, at: string, number: number): Promise<Run> {
  const memory = copyOf(start)
  const controller = new AbortController()
  let opening = 0
  let events = 0
  const files = faultyFileSystem(memory.fileSystem, [], (made, make) => {
    if (at === "call" && opening > 0 && made.number - opening === number) controller.abort(REASON)
    return make()
  })
  const store = await storeOn(files)
  opening = files.calls.length
  let error: unknown
  try {
    await call(store, controller.signal, () => {
      if (at === "event" && ++events === number) controller.abort(REASON)
      if (at !== "event") events++
    })
  } catch (caught) {
    error = caught
  }
  return { memory, calls: files.calls.length - opening, events, error }
}
