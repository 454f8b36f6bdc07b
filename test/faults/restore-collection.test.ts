/*
 * A restore beside maintenance that lets its snapshot go: it completes, or is refused before it touches anything.
 */
import { beforeAll, expect, test } from "vitest"
import { isSnapshotError } from "../../src/core/errors.js"
import { ioError } from "../../src/platform/io-error.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { faultyFileSystem, type AroundCall, type FileSystemCall } from "../support/faulty-file-system.js"
import { folderContent } from "../support/folder-content.js"
import { interleave } from "../support/interleave.js"
import { brokenRefs, CHECK, copyOf, GITDIR, leftovers, newMemory, storeOn, WORKTREE } from "../support/store-on.js"

/** Two snapshots that share nothing; the work tree is as the second one says. */
const THEN = folderOf({ "a.txt": "then", then: { "b.txt": "then, too" } })
const NOW = folderOf({ "a.txt": "now", now: { "c.txt": "now, too" } })

const start = newMemory()
let target = ""
let before: unknown
let after: unknown
beforeAll(async () => {
  writeFolder(start.disk, WORKTREE, THEN)
  const store = await storeOn(start.fileSystem)
  target = (await store.capture()).snapshot.id
  after = folderContent(start.disk, WORKTREE)
  for (const path of ["a.txt", "then"]) start.disk.fs.rmSync(`${WORKTREE}/${path}`, { recursive: true })
  writeFolder(start.disk, WORKTREE, NOW)
  await store.capture()
  before = folderContent(start.disk, WORKTREE)
  await store.close()
})

type Name = "restore" | "collector"

interface Run {
  /** What the restore came to: "restored", or the code of its failure. */
  readonly outcome: string
  readonly problems: readonly string[]
  readonly calls: readonly FileSystemCall[]
  /** What the restore had done when the collection began: held the tree, and found its snapshot still there. */
  readonly before: "free" | "held" | "checked"
}

async function run(
  choose: (ready: readonly Name[], made: ReadonlyMap<Name, number>, calls: readonly FileSystemCall[]) => Name,
  names: readonly Name[] = ["restore", "collector"],
): Promise<Run> {
  const memory = copyOf(start)
  const gated = async (): Promise<{ gate: { around: AroundCall }; files: ReturnType<typeof faultyFileSystem> }> => {
    const gate: { around: AroundCall } = { around: (_call, make) => make() }
    // A pack that is open can be read after its file is gone; here it cannot, as if it had to be opened only then.
    const isGone = ({ kind, path }: FileSystemCall): boolean =>
      kind === "file.read" &&
      path.includes("/objects/pack/") &&
      !memory.disk.names(`${GITDIR}/objects/pack`).some((name) => path.endsWith(name))
    const files = faultyFileSystem(memory.fileSystem, [], (call, make) =>
      gate.around(call, () => (isGone(call) ? Promise.reject(ioError("read", call.path, { code: "ENOENT" })) : make())),
    )
    return { gate, files }
  }
  const [ofRestore, ofCollector] = [await gated(), await gated()]
  const platform = { owner: { current: async () => ({}), isAlive: async () => "alive" as const } }
  const restoring = await storeOn(ofRestore.files, { platform })
  const collecting = await storeOn(ofCollector.files, { platform })
  const opened = ofRestore.files.calls.length
  let outcome = "not run"
  let stage: Run["before"] = "free"
  const actors = [
    {
      name: "restore" as const,
      async run(around: AroundCall): Promise<void> {
        ofRestore.gate.around = around
        const report = await restoring.restore(target).catch((error: unknown) => error)
        if (isSnapshotError(report, "NOT_FOUND")) outcome = "NOT_FOUND"
        else if (report instanceof Error) outcome = String(report)
        else outcome = "restored"
      },
    },
    {
      name: "collector" as const,
      async run(around: AroundCall): Promise<void> {
        let isFirst = true
        ofCollector.gate.around = (call, make) =>
          around(call, () => {
            if (isFirst) stage = stageOf(ofRestore.files.calls)
            isFirst = false
            return make()
          })
        await collecting.prune({ keepLast: 1 })
        await collecting.maintain()
      },
    },
  ]
  await interleave(
    actors.filter(({ name }) => names.includes(name)),
    (ready, made) => choose(ready, made, ofRestore.files.calls),
  )
  const problems = await brokenRefs(CHECK, memory.fileSystem, GITDIR)
  problems.push(...(await leftovers(memory.fileSystem, GITDIR)).map((path) => `${path} is left`))
  const expected = JSON.stringify(outcome === "restored" ? after : before)
  if (JSON.stringify(folderContent(memory.disk, WORKTREE)) !== expected) problems.push(`the work tree is wrong`)
  return { outcome, problems, calls: ofRestore.files.calls.slice(opened), before: stage }
}

/** The last of `calls` has not been made yet. */
function stageOf(calls: readonly FileSystemCall[]): Run["before"] {
  const made = calls.slice(0, -1)
  const held = made.findIndex(({ kind, path }) => kind === "rename" && path.includes("/refs/restores/"))
  if (held < 0) return "free"
  const isChecked = made.slice(held).some(({ kind, path }) => kind === "readFile" && path.includes("/refs/snapshots/"))
  return isChecked ? "checked" : "held"
}

test("whose snapshot is let go and collected at any call completes once it holds the tree, and else is refused", async () => {
  const alone = await run(() => "restore", ["restore"])
  expect([alone.outcome, alone.problems]).toEqual(["restored", []])
  const seen = { free: new Set<string>(), held: new Set<string>(), checked: new Set<string>() }
  const wrong: string[] = []
  for (let stop = 0; stop < alone.calls.length; stop++) {
    const {
      outcome,
      problems,
      before: stage,
    } = await run((ready, made) => {
      if (ready.includes("restore") && (made.get("restore") ?? 0) < stop) return "restore"
      return ready.includes("collector") ? "collector" : "restore"
    })
    seen[stage].add(outcome)
    wrong.push(...problems.map((problem) => `${problem} (at call ${stop + 1}, ${outcome})`))
  }
  expect(wrong).toEqual([])
  const [refused, restored] = [new Set(["NOT_FOUND"]), new Set(["restored"])]
  expect(seen).toEqual({ free: refused, held: refused, checked: restored })
})

test.each(["held", "checked"] as const)(
  "that goes on until its tree is %s at any call of a collection completes or is refused, and misses nothing",
  async (until) => {
    const seen = new Set<string>()
    const wrong: string[] = []
    for (let first = 0, isDone = false; !isDone; first++) {
      isDone = true
      const { outcome, problems } = await run((ready, made, calls) => {
        const isAbout = calls.at(-1)?.path.includes("/refs/restores/") === true && calls.at(-1)?.kind === "rename"
        const stage = stageOf(calls)
        if (stage === "free" && !isAbout) return "restore"
        if (ready.includes("collector") && (made.get("collector") ?? 0) < first) return "collector"
        if (ready.includes("collector")) isDone = false
        if (ready.includes("restore") && stage !== until && stage !== "checked") return "restore"
        return ready.includes("collector") ? "collector" : "restore"
      })
      seen.add(outcome)
      wrong.push(...problems.map((problem) => `${problem} (after ${first} calls of the collection, ${outcome})`))
    }
    expect(wrong).toEqual([])
    expect([...seen].toSorted()).toEqual(until === "held" ? ["NOT_FOUND"] : ["NOT_FOUND", "restored"])
  },
)
