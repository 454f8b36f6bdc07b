/*
 * A process that is killed at any call of a restore, an undo or a revert, and one that is killed while it recovers: the
 * next one to open the store finds the work tree as it was before or as it was to be, and undo leads to what was before.
 */
import { expect, test } from "vitest"
import type { Owner, OwnerSource } from "../../src/core/owner.js"
import type { FileSystem } from "../../src/core/file-system.js"
import { SnapshotError } from "../../src/core/errors.js"
import type { Outcome, RestoreReport, SnapshotStore } from "../../src/index.js"
import { fileOf, folderOf, linkOf } from "../support/described-folder.js"
import { updateFolder, writeFolder } from "../support/disk.js"
import { describeFault, faultsOf, isKill } from "../support/fault-variants.js"
import { faultyFileSystem, type Fault, type FileSystemCall } from "../support/faulty-file-system.js"
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

const LONG = { timeout: 300_000 }

const THEN = folderOf({
  "same.txt": "same",
  "changed.txt": "then",
  "private.txt": fileOf("bits", 0o600),
  "gone.txt": "back again",
  link: linkOf("same.txt"),
  "file-now-folder": "was a file",
  "folder-now-file": { deeper: { "x.txt": "x" } },
  empty: {},
  both: "1\n2\n3\n4\n5\n6\n7\n",
})

const NOW = folderOf({
  "same.txt": "same",
  "changed.txt": "now",
  "private.txt": fileOf("bits", 0o644),
  "added.txt": "added",
  "added-folder": { two: { "three.txt": "three" } },
  link: linkOf("changed.txt"),
  "file-now-folder": folderOf({ sub: { "z.txt": "z" } }, 0o750),
  "folder-now-file": "is a file",
  both: "1\n2\n3\n4\n5\n6\nseven\n",
})

type Step = (store: SnapshotStore) => Promise<unknown>

const undo: Step = (store) => store.undo()
const redo: Step = (store) => store.redo()

/** A work tree that is about to be changed: what is done to it, and how it is before and after. */
interface Scene {
  readonly start: Memory
  readonly step: Step
  /** What takes the step back, and what does it again. */
  readonly back: Step
  readonly again: Step
  readonly before: FolderContent
  readonly after: FolderContent
  readonly calls: readonly FileSystemCall[]
  readonly opening: number
}

async function sceneOf(prepare: (store: SnapshotStore, memory: Memory) => Promise<Step>): Promise<Scene> {
  const start = newMemory()
  writeFolder(start.disk, WORKTREE, THEN)
  const store = await open(start.fileSystem)
  const step = await prepare(store, start)
  await store.close()
  const memory = copyOf(start)
  const recorded = faultyFileSystem(memory.fileSystem)
  const recordedStore = await open(recorded)
  const opening = recorded.calls.length
  const before = folderContent(start.disk, WORKTREE)
  await step(recordedStore)
  await recordedStore.close()
  const after = folderContent(memory.disk, WORKTREE)
  expect(after).not.toEqual(before)
  const [back, again] = step === undo ? [redo, undo] : [undo, redo]
  return { start, step, back, again, before, after, calls: [...recorded.calls], opening }
}

const SCENES: Readonly<Record<string, Parameters<typeof sceneOf>[0]>> = {
  async restore(store, { disk }) {
    const { snapshot } = await store.capture()
    updateFolder(disk, WORKTREE, THEN, NOW)
    return (other) => other.restore(snapshot.id)
  },
  async undo(store, { disk }) {
    const { snapshot } = await store.capture()
    updateFolder(disk, WORKTREE, THEN, NOW)
    await store.restore(snapshot.id)
    return undo
  },
  async revert(store, { disk }) {
    const from = await store.capture()
    updateFolder(disk, WORKTREE, THEN, NOW)
    const to = await store.capture()
    disk.fs.writeFileSync(`${WORKTREE}/both`, "one\n2\n3\n4\n5\n6\nseven\n")
    disk.fs.writeFileSync(`${WORKTREE}/added.txt`, "edited since")
    return (other) => other.revert(from.snapshot.id, to.snapshot.id)
  },
}

for (const [name, prepare] of Object.entries(SCENES)) {
  test(
    `${name}: a process that is killed at any call leaves a work tree that the next one finishes or takes back`,
    LONG,
    async () => {
      const scene = await sceneOf(prepare)
      const wrong: string[] = []
      const ends = new Set<string>()
      // A restore is killed everywhere, what is like it at every other call.
      const tried = kills(scene).filter((_, i) => name === "restore" || i % 2 === 0)
      for (const fault of tried) {
        const memory = await killed(scene, fault)
        const problems = await problemsAfter(scene, memory, ends)
        for (const problem of problems) wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
      }
      expect(wrong).toEqual([])
      expect([...ends].sort()).toEqual(["after", "before"])
    },
  )
}

test("a recovery in which a call fails, or whose process is killed, is recovered from, too", LONG, async () => {
  const scene = await sceneOf(SCENES["restore"] as Parameters<typeof sceneOf>[0])
  const wrong: string[] = []
  const all = kills(scene)
  // From the journal on; one in the midst of the writes, one before the end.
  const begun = all.filter(({ call }) => call > journalOf(scene))
  for (const first of [begun[Math.floor(begun.length / 3)], begun[Math.floor((2 * begun.length) / 3)]]) {
    const recorded = faultyFileSystem((await killed(scene, first as Fault)).fileSystem)
    await (await open(recorded)).close()
    for (const fault of faultsOf(recorded.calls, GITDIR)) {
      const memory = await killed(scene, first as Fault)
      const opened = await open(faultyFileSystem(memory.fileSystem, [fault])).catch((error: unknown) => error as Error)
      if (opened instanceof Error) {
        if (!isKill(fault) && !(opened instanceof SnapshotError)) wrong.push(`${opened} (${fault.how} ${fault.call})`)
      } else await opened.close().catch(() => {})
      // As in any restore, a path that could not be done is told, and those that could are done.
      const isTold = !(opened instanceof Error) && opened.recovered?.outcomes.some(wasNotDone) === true
      const problems = isTold
        ? problemsOfPaths(scene, memory, opened.recovered?.outcomes)
        : await problemsAfter(scene, memory, new Set())
      for (const problem of problems) wrong.push(`${problem} (${describeFault(fault, recorded.calls)})`)
    }
  }
  expect(wrong).toEqual([])
})

for (const name of ["undo", "revert"])
  test(`${name}: a call that fails leaves what was before, or does what the report says`, LONG, async () => {
    const scene = await sceneOf(SCENES[name] as Parameters<typeof sceneOf>[0])
    const wrong: string[] = []
    let threw = 0
    for (const fault of faultsOf(scene.calls, GITDIR).filter((each) => !isKill(each) && each.call > scene.opening)) {
      const memory = copyOf(scene.start)
      const store = await open(faultyFileSystem(memory.fileSystem, [fault]))
      const report = await scene.step(store).catch((error: unknown) => error as Error)
      await store.close().catch(() => {})
      const told = (problem: string): unknown => wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
      const content = folderContent(memory.disk, WORKTREE)
      if (report instanceof Error) {
        threw++
        if (!(report instanceof SnapshotError)) told(`rejected with ${String(report)}`)
        // What could not be taken back at once is taken back by whoever opens the store.
        for (const problem of await problemsAfter(scene, memory, new Set())) told(problem)
      } else {
        const { complete, outcomes } = report as RestoreReport
        const isDone = complete && !outcomes.some(wasNotDone)
        if (isDone && !isSame(content, scene.after)) told(`complete, and ${differences(scene, content)}`)
        if (!complete && !outcomes.some(wasNotDone)) told("not complete, and nothing was left")
        const again = await open(memory.fileSystem)
        await scene.back(again)
        await again.close()
        const undone = folderContent(memory.disk, WORKTREE)
        if (!isSame(undone, scene.before)) told(`taken back: ${differences(scene, undone)}`)
      }
      for (const path of Object.keys(content)) if (path.includes(".treeshot-")) told(`left ${path}`)
    }
    expect(wrong).toEqual([])
    expect(threw).toBeGreaterThan(10)
  })

test("a work tree that is not the one that the restore was in is not touched, and the error says what to do", async () => {
  const scene = await sceneOf(SCENES["restore"] as Parameters<typeof sceneOf>[0])
  const last = kills(scene).at(-3) as Fault
  const memory = await killed(scene, last)
  const { fs } = memory.disk
  fs.renameSync(WORKTREE, `${WORKTREE}.elsewhere`)
  fs.mkdirSync(WORKTREE)
  await expect(open(memory.fileSystem)).rejects.toMatchObject({
    code: "RESTORE_PENDING",
    details: { journal: `${GITDIR}/restores/project/running` },
  })
  expect(fs.readdirSync(WORKTREE)).toEqual([])
  fs.rmSync(WORKTREE, { recursive: true })
  fs.renameSync(`${WORKTREE}.elsewhere`, WORKTREE)
  expect(await problemsAfter(scene, memory, new Set())).toEqual([])
})

test("a journal that cannot be read touches nothing, and the error says what to do, which works", async () => {
  const scene = await sceneOf(SCENES["restore"] as Parameters<typeof sceneOf>[0])
  const last = kills(scene).at(-3) as Fault
  const journal = `${GITDIR}/restores/project/running`
  for (const damage of ["garbage", "", undefined]) {
    const memory = await killed(scene, last)
    const { fs } = memory.disk
    const begun = folderContent(memory.disk, WORKTREE)
    fs.rmSync(journal)
    if (damage === undefined) fs.mkdirSync(journal)
    else fs.writeFileSync(journal, damage)
    await expect(open(memory.fileSystem)).rejects.toMatchObject({
      code: "RESTORE_PENDING",
      message: expect.stringContaining(`Delete ${journal} and open the store again`),
      details: { journal },
    })
    expect(folderContent(memory.disk, WORKTREE)).toEqual(begun)
    fs.rmSync(journal, { recursive: true })
    const store = await open(memory.fileSystem)
    const [safety] = await store.list({ kind: "safety", limit: 1 })
    await store.restore(safety?.id ?? "")
    await store.close()
    expect(isSame(folderContent(memory.disk, WORKTREE), scene.before)).toBe(true)
  }
})

test("what somebody changed after the process was killed is kept, and told", LONG, async () => {
  const scene = await sceneOf(SCENES["restore"] as Parameters<typeof sceneOf>[0])
  const begun = kills(scene).filter(({ call }) => call > journalOf(scene))
  for (const fault of begun.filter((_, i) => i % 5 === 0)) {
    const memory = await killed(scene, fault)
    memory.disk.fs.rmSync(`${WORKTREE}/changed.txt`, { force: true })
    memory.disk.fs.writeFileSync(`${WORKTREE}/changed.txt`, "mine")
    const store = await open(memory.fileSystem)
    expect(memory.disk.fs.readFileSync(`${WORKTREE}/changed.txt`, "utf8")).toBe("mine")
    if (store.recovered !== undefined)
      expect(store.recovered.outcomes).toContainEqual(
        expect.objectContaining({ path: "changed.txt", action: "kept", reason: "conflict" }),
      )
    await store.close()
  }
})

function kills({ calls, opening }: Scene): Fault[] {
  return faultsOf(calls, GITDIR).filter((fault) => isKill(fault) && fault.call > opening)
}

function journalOf({ calls }: Scene): number {
  return calls.find(({ kind, path }) => kind === "rename" && path.includes("/restores/"))?.number ?? 0
}

async function killed(scene: Scene, fault: Fault): Promise<Memory> {
  const memory = copyOf(scene.start)
  const store = await open(faultyFileSystem(memory.fileSystem, [fault]))
  await scene.step(store).catch(() => {})
  return memory
}

async function problemsAfter(scene: Scene, memory: Memory, ends: Set<string>): Promise<string[]> {
  const store = await open(memory.fileSystem)
  const content = folderContent(memory.disk, WORKTREE)
  const end = isSame(content, scene.before) ? "before" : isSame(content, scene.after) ? "after" : undefined
  const problems: string[] = []
  if (end === undefined) problems.push(`neither before nor after: ${differences(scene, content)}`)
  else ends.add(end)
  if (store.recovered !== undefined && store.recovered.complete !== (end === "after") && scene.calls.length > 0)
    if (!store.recovered.outcomes.some(({ action }) => action === "kept"))
      problems.push(`told ${store.recovered.complete}, and is ${end}`)
  if (end === "after") {
    await scene.back(store)
    const undone = folderContent(memory.disk, WORKTREE)
    if (!isSame(undone, scene.before)) problems.push(`taken back: ${differences(scene, undone)}`)
    await scene.again(store)
    if (!isSame(folderContent(memory.disk, WORKTREE), scene.after)) problems.push("done again, it is not as it was")
  }
  await store.close()
  const left = await leftovers(memory.fileSystem, GITDIR)
  problems.push(...left.filter((path) => path.includes("restores/project/running")).map((path) => `left ${path}`))
  problems.push(...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)))
  return problems
}

function wasNotDone({ action }: Outcome): boolean {
  return action === "kept" || action === "failed"
}

/** Paths that are neither as before nor as after, nor told of. */
function problemsOfPaths({ before, after }: Scene, { disk }: Memory, told: readonly Outcome[] = []): string[] {
  const content = folderContent(disk, WORKTREE)
  const paths = new Set([before, after, content].flatMap((all) => Object.keys(all)))
  const wrong = [...paths].filter((path) => content[path] !== before[path] && content[path] !== after[path])
  return wrong.filter((path) => !told.some((one) => one.path === path)).map((path) => `${path} is ${content[path]}`)
}

function isSame(one: FolderContent, other: FolderContent): boolean {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((path) => one[path] === other[path])
}

/** The paths that are as after, those that are as before, and those that are neither. */
function differences({ before, after }: Scene, content: FolderContent): string {
  const paths = [...new Set([before, after, content].flatMap((all) => Object.keys(all)))].filter(
    (path) => before[path] !== after[path] || before[path] !== content[path],
  )
  const those = (wanted: (path: string) => boolean): string => paths.filter(wanted).join(" ")
  const isAfter = (path: string): boolean => content[path] === after[path]
  const isBefore = (path: string): boolean => content[path] === before[path]
  return `after: ${those(isAfter)}; before: ${those(isBefore)}; neither: ${those((path) => !isAfter(path) && !isBefore(path))}`
}

let processes = 0

/** Opens as another process, for which all that came before have ended. */
function open(fileSystem: FileSystem): Promise<SnapshotStore> {
  const pid = ++processes
  const owner: OwnerSource = {
    current: async () => ({ pid }),
    isAlive: async (other: Owner) => (other.pid === pid ? "alive" : "dead"),
  }
  return storeOn(fileSystem, { platform: { owner } })
}
