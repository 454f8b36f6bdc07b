/*
 * A file system in memory on which random calls fail, or on which the process ends at one, while a store works. Each call of
 * the store does its work or fails with a SnapshotError; afterwards every snapshot is whole and the work tree is as it was
 * before, or as it was to be.
 */
import { SnapshotError } from "../../src/core/errors.js"
import type { RestoreReport, SnapshotStore } from "../../src/snapshot-store.js"
import { faultyFileSystem, type Fault } from "../support/faulty-file-system.js"
import { brokenRefs, CHECK, copyOf, GITDIR, WORKTREE, type Memory } from "../support/store-on.js"
import { contentOf, memoryStore, openMemory, type MemoryStore } from "./memory-store.js"
import type { Part, PartContext } from "./part.js"

export const faults: Part = {
  name: "faults",
  title: "calls of the file system that fail, or at which the process ends",
  share: 3,
  async run(context) {
    const { random, isOver, ran } = context
    while (!isOver()) {
      const start = await memoryStore(random, 2 + random(3))
      for (let runs = 0; runs < RUNS_A_STORE && !isOver(); runs++) ran(await oneRun(start, context))
    }
  },
}

type Counts = Readonly<Record<string, number>>

async function oneRun(start: MemoryStore, { random, lose }: PartContext): Promise<Counts> {
  const memory = copyOf(start.memory)
  const step = STEPS[random(STEPS.length)] ?? "capture"
  const target = start.snapshots[random(start.snapshots.length)]
  if (target === undefined) return {}
  // Some work that is in no snapshot yet.
  memory.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, `unsaved ${random(1000)}`)
  const before = contentOf(memory)
  const fault = faultOf(random)
  const faulty = faultyFileSystem(memory.fileSystem, [fault])
  const where = `${step}, ${JSON.stringify(fault)}`
  let failed = 0
  let isPartial = false
  let store: SnapshotStore | undefined
  try {
    store = await openMemory(faulty, { platform: { owner: ownerWhoIs("alive") } })
    isPartial = (await CALLS[step](store, target.id)) === "partial"
  } catch (error) {
    failed = 1
    if (!(error instanceof SnapshotError)) lose(`${where}: rejected with ${String(error)}`)
  }
  await store?.close().catch(() => {})
  const told = (what: string): void => lose(`${where}: ${what}`)
  if (isPartial) await checkPartial(memory, before, told)
  await checkAfter(memory, start, [before, target.content], step, told)
  const isKill = fault.how.startsWith("kill")
  return {
    [isKill ? "kills" : "failing calls"]: faulty.struck ? 1 : 0,
    "calls of the store that failed": failed,
    "restores that told what they could not do": isPartial ? 1 : 0,
  }
}

const RUNS_A_STORE = 40
const STEPS = ["capture", "restore", "undo", "maintain", "prune"] as const
type Step = (typeof STEPS)[number]

const CALLS: Readonly<Record<Step, (store: SnapshotStore, id: string) => Promise<unknown>>> = {
  capture: (store) => store.capture(),
  restore: async (store, id) => extentOf(await store.restore(id)),
  async undo(store, id) {
    const extents = [extentOf(await store.restore(id)), extentOf(await store.undo())]
    return extents.includes("partial") ? "partial" : "whole"
  },
  maintain: (store) => store.maintain(),
  async prune(store) {
    await store.prune({ keepLast: 1 })
    await store.maintain()
  },
}

/** A path that could not be read for the safety snapshot is kept, and told of. */
function extentOf({ complete, outcomes }: RestoreReport): "whole" | "partial" {
  return complete && outcomes.every(({ action }) => action !== "kept") ? "whole" : "partial"
}

const ERRORS = ["EIO", "ENOSPC", "EACCES", "EMFILE", "EROFS", "EBUSY", "ENOMEM", "EDQUOT"]

function faultOf(random: (limit: number) => number): Fault {
  const how = (["fail", "fail", "short", "kill", "kill-after"] as const)[random(5)] ?? "fail"
  const errno = ERRORS[random(ERRORS.length)] ?? "EIO"
  if (how === "short") return { call: 1 + random(8), kind: "file.write", how, errno: "ENOSPC" }
  return { call: 1 + random(random(3) === 0 ? 400 : 150), how, errno }
}

/** A restore that told what it kept has a safety snapshot, the first one made, of all that was there before. */
async function checkPartial(memory: Memory, before: string, lose: (what: string) => void): Promise<void> {
  const store = await openMemory(memory.fileSystem, { platform: { owner: ownerWhoIs("dead") } })
  const safety = (await store.list({ kind: "safety" })).at(-1)
  if (safety === undefined) lose("the restore was partial, and has no safety snapshot")
  else await store.restore(safety.id)
  if (contentOf(memory) !== before)
    lose("the restore was partial, and its safety snapshot is not what was there before")
  await store.close()
}

/** The next process: takes everybody before it for dead. */
async function checkAfter(
  memory: Memory,
  start: MemoryStore,
  contents: readonly string[],
  step: Step,
  lose: (what: string) => void,
): Promise<void> {
  for (const problem of await brokenRefs(CHECK, memory.fileSystem, GITDIR)) lose(problem)
  const store = await openMemory(memory.fileSystem, { platform: { owner: ownerWhoIs("dead") } })
  const found = contentOf(memory)
  if (!contents.includes(found)) lose("the work tree is neither as before nor as it was to be")
  const listed = new Set((await store.list()).map(({ id }) => id))
  const [newest] = start.snapshots.toReversed()
  for (const { id } of start.snapshots)
    if (!listed.has(id) && (step !== "prune" || id === newest?.id)) lose(`${id} is not listed`)
  const { snapshot, skipped } = await store.capture({ label: "after" })
  if (skipped.length > 0) lose(`skipped ${JSON.stringify(skipped)}`)
  if (newest !== undefined) {
    await store.restore(newest.id)
    if (contentOf(memory) !== newest.content) lose("the newest snapshot is not restored as it was")
    await store.restore(snapshot.id)
    if (contentOf(memory) !== found) lose("what was captured in the end is not restored as it was")
  }
  await store.maintain()
  await store.close()
  for (const problem of await brokenRefs(CHECK, memory.fileSystem, GITDIR)) lose(problem)
}

function ownerWhoIs(state: "alive" | "dead"): {
  readonly current: () => Promise<object>
  readonly isAlive: () => Promise<"alive" | "dead">
} {
  return { current: async () => ({}), isAlive: async () => state }
}
