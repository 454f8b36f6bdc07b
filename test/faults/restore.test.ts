/*
 * A restore in which any one call of the file system fails, or at any one of which the process ends.
 */
import { beforeAll, expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import { ioError } from "../../src/platform/io-error.js"
import type { Outcome, RestoreReport } from "../../src/snapshot-store.js"
import { folderOf, fileOf, linkOf } from "../support/described-folder.js"
import { updateFolder, writeFolder } from "../support/disk.js"
import { describeFault, faultsOf, isKill } from "../support/fault-variants.js"
import {
  faultyFileSystem,
  type Fault,
  type FaultyFileSystem,
  type FileSystemCall,
} from "../support/faulty-file-system.js"
import { folderContent, type FolderContent } from "../support/folder-content.js"
import {
  brokenRefs,
  CHECK,
  copyOf,
  GITDIR,
  leftovers,
  newMemory,
  storeOn,
  treeFiles,
  WORKTREE,
  type Memory,
} from "../support/store-on.js"

/** What the restore brings back: each kind of change happens on the way from NOW to it. */
const THEN = folderOf({
  ".gitignore": "ignored*\n",
  "same.txt": "same",
  "changed.txt": "then",
  "private.txt": fileOf("bits", 0o600),
  "gone.txt": "back again",
  link: linkOf("same.txt"),
  "file-now-link": "was a file",
  "file-now-folder": "was a file, too",
  "folder-now-file": { "inner.txt": "inner", deeper: { "x.txt": "x" } },
  "empty-now-file": {},
  empty: {},
  bits: folderOf({ "in.txt": "in" }, 0o700),
})

const NOW = folderOf({
  ".gitignore": "ignored*\n",
  "same.txt": "same",
  "changed.txt": "now",
  "private.txt": fileOf("bits", 0o644),
  "added.txt": "added",
  "added-folder": folderOf({ "one.txt": "one", two: { "three.txt": "three" } }, 0o711),
  "added-empty": {},
  link: linkOf("changed.txt"),
  "added-link": linkOf("nowhere"),
  "file-now-link": linkOf("same.txt"),
  "file-now-folder": folderOf({ "y.txt": "y", sub: { "z.txt": "z" } }, 0o750),
  "folder-now-file": "is a file",
  "empty-now-file": "is a file, too",
  bits: folderOf({ "in.txt": "in" }, 0o755),
  "ignored.log": "never captured",
})

/** Many runs: on a busy machine they take a while. */
const LONG = { timeout: 300_000 }

/** The state before the restore, and what a restore without faults does there. */
interface Scene {
  readonly start: Memory
  readonly target: string
  readonly before: FolderContent
  readonly after: FolderContent
  /** Modes and oids of the files and links before. */
  readonly oids: ReadonlyMap<string, string>
  /** The calls of the restore alone, numbered from the opening on. */
  readonly calls: readonly FileSystemCall[]
  readonly opening: number
}

let scene: Scene
beforeAll(async () => {
  const start = newMemory()
  writeFolder(start.disk, WORKTREE, THEN)
  const store = await storeOn(start.fileSystem)
  const { snapshot } = await store.capture({ label: "then" })
  await store.close()
  updateFolder(start.disk, WORKTREE, THEN, NOW)
  const memory = copyOf(start)
  const recorded = faultyFileSystem(memory.fileSystem)
  const recordedStore = await storeOn(recorded)
  const opening = recorded.calls.length
  const report = await recordedStore.restore(snapshot.id)
  expect(report.complete).toBe(true)
  const before = folderContent(start.disk, WORKTREE)
  const after = folderContent(memory.disk, WORKTREE)
  expect(after["ignored.log"]).toBe(before["ignored.log"])
  expect(await leftovers(memory.fileSystem, GITDIR)).toEqual([])
  const oids = await treeFiles(memory.fileSystem, report.undo?.tree ?? "")
  scene = { start, target: snapshot.id, before, after, oids, calls: [...recorded.calls], opening }
})

test("a call that fails loses no content, leaves nothing in between, and is told as it is", LONG, async () => {
  const wrong: string[] = []
  for (const fault of faults().filter((each) => !isKill(each)))
    for (const problem of await afterFailure(fault)) wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
  expect(wrong).toEqual([])
})

test("a process that is killed at any call loses no content, and the next capture works", LONG, async () => {
  const wrong: string[] = []
  for (const fault of faults().filter(isKill)) {
    const { memory } = await attempt(fault)
    const problems = [
      ...(await lostContent(memory, folderContent(memory.disk, WORKTREE))),
      ...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)),
    ]
    const store = await storeOn(memory.fileSystem)
    await store.capture({ label: "next" })
    await store.close()
    for (const problem of problems) wrong.push(`${problem} (${describeFault(fault, scene.calls)})`)
  }
  expect(wrong).toEqual([])
})

test("where the system refuses hard links, as for files of other users, renames do the same", async () => {
  const memory = copyOf(scene.start)
  const files = faultyFileSystem(memory.fileSystem, [], (call, make) =>
    call.kind === "linkFile" ? Promise.reject(ioError("link the file", call.path, { code: "EPERM" })) : make(),
  )
  const store = await storeOn(files)
  expect((await store.restore(scene.target)).complete).toBe(true)
  await store.close()
  expect(folderContent(memory.disk, WORKTREE)).toEqual(scene.after)
})

/** The safety snapshot is a capture like others: of its calls, a seventh. Of those after it, all. */
function faults(): Fault[] {
  const { calls, opening } = scene
  const published = calls.find(({ kind, path }) => kind === "rename" && path.includes("/refs/snapshots/"))?.number ?? 0
  return faultsOf(calls, GITDIR).filter(({ call }) => call > published || (call > opening && call % 7 === 0))
}

interface Attempt {
  readonly memory: Memory
  readonly faulty: FaultyFileSystem
  readonly report?: RestoreReport
  readonly error?: unknown
}

async function attempt(fault: Fault): Promise<Attempt> {
  const memory = copyOf(scene.start)
  const faulty = faultyFileSystem(memory.fileSystem, [fault])
  const store = await storeOn(faulty)
  try {
    return { memory, faulty, report: await store.restore(scene.target) }
  } catch (error) {
    return { memory, faulty, error }
  }
}

async function afterFailure(fault: Fault): Promise<string[]> {
  const { memory, faulty, report, error } = await attempt(fault)
  const content = folderContent(memory.disk, WORKTREE)
  const problems = await lostContent(memory, content)
  if (content["ignored.log"] !== scene.before["ignored.log"]) problems.push("lost ignored.log")
  if (!faulty.struck) problems.push("the fault did not strike")
  if (report === undefined) problems.push(...errorProblems(error, fault), ...changed(scene.before, content))
  else problems.push(...reportProblems(report, content, await safetyFiles(memory, report)))
  for (const path of Object.keys(content)) if (path.includes(".treeshot-")) problems.push(`left ${path}`)
  const left = await leftovers(memory.fileSystem, GITDIR)
  problems.push(...left.map((path) => `left ${path}`))
  problems.push(...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)))
  // Of these ends there are few kinds.
  if (report?.complete !== true && fault.call % 4 === 0) problems.push(...(await restoredAgain(memory)))
  return problems
}

/** Contents from before that are neither in the work tree under their names nor in a safety snapshot. */
async function lostContent(memory: Memory, content: FolderContent): Promise<string[]> {
  const missing = differences(scene.before, content).filter((path) => scene.oids.has(path))
  if (missing.length === 0) return []
  const store = await storeOn(memory.fileSystem)
  const saved = new Set<string>()
  for (const { tree } of await store.list({ kind: "safety" }))
    for (const [path, entry] of await treeFiles(memory.fileSystem, tree)) saved.add(`${path} ${entry}`)
  await store.close()
  return missing.filter((path) => !saved.has(`${path} ${scene.oids.get(path)}`)).map((path) => `lost ${path}`)
}

function errorProblems(error: unknown, fault: Fault): string[] {
  if (!(error instanceof SnapshotError)) return [`rejected with ${String(error)}`]
  const problems: string[] = []
  if (!/^[A-Z/].*\.$/s.test(error.message)) problems.push(`no sentence: ${error.message}`)
  if (fault.errno === "ENOSPC" && error.code !== "NO_SPACE") problems.push(`code ${error.code} for a full disk`)
  return problems
}

async function safetyFiles(memory: Memory, { undo }: RestoreReport): Promise<ReadonlyMap<string, string>> {
  return undo === undefined ? new Map() : treeFiles(memory.fileSystem, undo.tree)
}

/** Each path is what the report says of it, and what the report does not name is untouched. */
function reportProblems(
  { outcomes, complete }: RestoreReport,
  content: FolderContent,
  safety: ReadonlyMap<string, string>,
): string[] {
  const problems: string[] = []
  const { before, after } = scene
  const told = new Map(outcomes.map((outcome) => [outcome.path, outcome]))
  for (const path of new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(content)])) {
    const outcome = told.get(path)
    const [was, is, should] = [before[path], content[path], after[path]]
    const isFolder = [was, is, should].some((line) => line?.startsWith("folder"))
    if (outcome?.action === "written" && is !== should) problems.push(`${path} is told written and is ${is}`)
    if (outcome?.action === "deleted" && !(is === should)) problems.push(`${path} is told deleted and is ${is}`)
    if ((outcome?.action === "failed" || outcome?.action === "kept") && is !== was)
      problems.push(`${path} is told ${outcome.action} and is ${is}, was ${was}`)
    if (outcome === undefined && !isFolder && is !== was) problems.push(`${path} is not told and is ${is}, was ${was}`)
    if (outcome === undefined && isFolder && is !== was && is !== should)
      problems.push(`${path} is not told and is ${is}`)
  }
  const failed = outcomes.some(({ action, theirs }) => action === "failed" && theirs !== undefined)
  for (const { path, action } of outcomes) {
    const isReplaced = outcomes.some((other) => other.action === "written" && overlap(other.path, path))
    if (failed && action === "deleted" && !isReplaced) problems.push(`${path} was deleted although a write failed`)
  }
  const undone = differences(after, content)
  if (!complete && undone.length === 0) problems.push("complete is false and everything is done")
  // What the plan keeps does not count, and neither does what the look at the work tree could not see.
  const isLeft = (path: string): boolean =>
    content[path] === before[path] &&
    (isUnseen(path, safety) || outcomes.some((one) => isKept(one) && overlap(one.path, path)))
  const open = undone.filter((path) => !isLeft(path))
  if (complete && open.length > 0) problems.push(`complete is true without ${open.join(", ")}`)
  return problems
}

/** A file that the safety snapshot does not have, a folder around such a file, or one without any. */
function isUnseen(path: string, safety: ReadonlyMap<string, string>): boolean {
  const files = [...scene.oids.keys()].filter((file) => overlap(file, path))
  return files.length === 0 || files.some((file) => !safety.has(file))
}

function isKept({ action, reason }: Outcome): boolean {
  return action === "kept" && reason !== "conflict" && reason !== "write-failed"
}

function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}

function changed(before: FolderContent, content: FolderContent): string[] {
  return differences(before, content).map((path) => `it threw, and ${path} is ${content[path]}`)
}

/** The paths that are not as expected. */
function differences(expected: FolderContent, found: FolderContent): string[] {
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])].filter(
    (path) => expected[path] !== found[path],
  )
}

async function restoredAgain(memory: Memory): Promise<string[]> {
  const store = await storeOn(memory.fileSystem)
  try {
    const { complete } = await store.restore(scene.target)
    const content = folderContent(memory.disk, WORKTREE)
    return complete
      ? differences(scene.after, content).map((path) => `after another restore ${path} is ${content[path]}`)
      : ["another restore is not complete"]
  } catch (error) {
    return [`another restore failed: ${String(error)}`]
  } finally {
    await store.close()
  }
}
