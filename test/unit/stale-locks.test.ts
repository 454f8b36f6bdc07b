/*
 * What other tools left: lock files at every place, and things in the place of leases and markers. Nothing that does not
 * need such a lock is stopped by it. And which calls of ours take a lock at all.
 */
import { execFileSync, spawnSync } from "node:child_process"
import fs from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, test } from "vitest"
import { openStore, type SnapshotStore } from "../../src/index.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { faultyFileSystem, type CallKind } from "../support/faulty-file-system.js"
import { git, gitIsThere } from "../support/git.js"
import { brokenRefs, CHECK, GITDIR, leftovers, newMemory, storeOn, WORKTREE, type Memory } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/** The lock files that Git makes in a gitdir, and what another tool may leave anywhere. */
const NAMES = ["index.lock", "packed-refs.lock", "HEAD.lock", "config.lock", "shallow.lock", "gc.pid.lock", "any.lock"]

/** Puts something at each of the names, beside each file and in each folder of a gitdir. */
function lockEverything(gitdir: string, put: (paths: readonly string[]) => void): void {
  const locks = pathsBelow(gitdir).flatMap((path) =>
    fs.lstatSync(path).isDirectory() ? NAMES.map((name) => join(path, name)) : [`${path}.lock`],
  )
  put([...new Set(locks)].filter((lock) => fs.lstatSync(lock, { throwIfNoEntry: false }) === undefined))
}

function pathsBelow(folder: string): string[] {
  const names = fs.readdirSync(folder, { withFileTypes: true })
  return [
    folder,
    ...names.flatMap((item) => {
      const path = join(folder, item.name)
      return item.isDirectory() ? pathsBelow(path) : [path]
    }),
  ]
}

const LEFT: readonly (readonly [what: string, put: (paths: readonly string[]) => void])[] = [
  ["an empty file", (paths) => paths.forEach((path) => fs.writeFileSync(path, ""))],
  ["a folder with a folder", (paths) => paths.forEach((path) => fs.mkdirSync(join(path, "x"), { recursive: true }))],
  ["a link to nowhere", (paths) => paths.forEach((path) => fs.symlinkSync("nowhere", path))],
  ["a fifo", (paths) => void execFileSync("mkfifo", paths)],
]

interface Place {
  readonly worktree: string
  readonly gitdir: string
}

async function repository(): Promise<Place> {
  const folder = await temporaryFolder()
  const worktree = join(folder, "work")
  fs.mkdirSync(join(worktree, "dir"), { recursive: true })
  for (const [name, text] of [
    ["a.txt", "a"],
    ["dir/b.txt", "b"],
  ] as const)
    fs.writeFileSync(join(worktree, name), text)
  git(["init", "-q"], { cwd: worktree })
  git(["add", "."], { cwd: worktree })
  git(["commit", "-qm", "first"], { cwd: worktree })
  git(["repack", "-adq"], { cwd: worktree })
  git(["pack-refs", "--all"], { cwd: worktree })
  return { worktree, gitdir: join(folder, "store.git") }
}

describe.runIf(gitIsThere())("a lock of another tool at every place", () => {
  for (const backend of ["pure", "native"] as const)
    test.each(LEFT)(`that is %s stops no call (${backend})`, async (_what, put) => {
      const { worktree, gitdir } = await repository()
      const open = (): Promise<SnapshotStore> => openStore({ worktree, gitdir, backend, retention: false })
      lockEverything(join(worktree, ".git"), put)
      const first = await open()
      const { snapshot } = await first.capture()
      fs.writeFileSync(join(worktree, "a.txt"), "changed")
      await first.capture()
      await first.close()
      lockEverything(gitdir, put)
      // Whoever left a lock of packed refs may still be at it for an hour.
      for (const path of pathsBelow(gitdir).filter((each) => each.endsWith(".lock")))
        if (!fs.lstatSync(path).isSymbolicLink()) fs.utimesSync(path, 0, 0)
        else fs.lutimesSync(path, 0, 0)
      const store = await open()
      fs.writeFileSync(join(worktree, "a.txt"), "changed again")
      expect(await store.capture()).toMatchObject({ changed: true, skipped: [] })
      expect(await store.list()).toHaveLength(3)
      expect((await store.diff(snapshot.id)).map(({ path }) => path)).toEqual(["a.txt"])
      expect(await store.restore(snapshot.id)).toMatchObject({ complete: true })
      expect(fs.readFileSync(join(worktree, "a.txt"), "utf8")).toBe("a")
      expect(await store.undo()).toMatchObject({ complete: true })
      expect(fs.readFileSync(join(worktree, "a.txt"), "utf8")).toBe("changed again")
      expect((await store.prune({ keepLast: 1 })).removed.length).toBeGreaterThan(0)
      await store.maintain()
      expect(await store.list()).toHaveLength(1)
      await store.close()
    })
})

const ID = "0123456789abcdef0123456789abcdef"

async function start(): Promise<Memory> {
  const memory = newMemory()
  writeFolder(memory.disk, WORKTREE, folderOf({ "a.txt": "a", dir: { "b.txt": "b" } }))
  const store = await storeOn(memory.fileSystem)
  await store.capture()
  memory.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, "changed")
  await store.capture()
  await store.close()
  return memory
}

describe("in the place of a lease or of a marker", () => {
  const things: readonly (readonly [what: string, put: (memory: Memory, path: string) => void])[] = [
    ["a folder", ({ disk }, path) => disk.fs.mkdirSync(`${path}/x`, { recursive: true })],
    ["a link to nowhere", ({ disk }, path) => disk.fs.symlinkSync("nowhere", path)],
    ["an empty file", ({ disk }, path) => disk.fs.writeFileSync(path, "")],
    [
      "a file that is far too large",
      ({ disk }, path) => disk.fs.writeFileSync(path, Buffer.alloc(100_000, "[".charCodeAt(0))),
    ],
  ]
  const places = [`leases/${ID}.ref`, `leases/${ID}.json`, `unsynced/${ID}`, "unsynced/any.lock"]
  for (const at of places)
    test.each(things)(`${at} %s bars neither captures nor maintenance, and gets in nobody's way`, async (what, put) => {
      const memory = await start()
      put(memory, `${GITDIR}/${at}`)
      const store = await storeOn(memory.fileSystem, { clock: { nowMs: () => Date.now() + 2 * 86_400_000 } })
      memory.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, "changed again")
      await store.capture()
      await store.prune({ keepLast: 1 })
      expect((await store.maintain()).packsRemoved).toBeGreaterThan(0)
      expect(await brokenRefs(CHECK, memory.fileSystem, GITDIR)).toEqual([])
      const left = (await leftovers(memory.fileSystem, GITDIR)).filter((path) => path.startsWith("leases/"))
      expect(left).toEqual(what === "a folder" && at.startsWith("leases/") ? [at] : [])
      await store.close()
    })

  test.runIf(spawnSync("mkfifo", ["--help"]).status === 0)("a fifo hangs nobody", async () => {
    const { worktree, gitdir } = await repository()
    const store = await openStore({ worktree, gitdir, retention: false })
    await store.capture()
    for (const at of [...places, "leases/any.ref"]) {
      fs.mkdirSync(dirname(join(gitdir, at)), { recursive: true })
      execFileSync("mkfifo", [join(gitdir, at)])
    }
    fs.writeFileSync(join(worktree, "a.txt"), "changed")
    expect(await store.capture()).toMatchObject({ changed: true })
    await store.maintain()
    await store.close()
  })
})

describe("calls that only read", () => {
  /** What changes something on the file system. */
  const CHANGES: ReadonlySet<CallKind> = new Set<CallKind>([
    "chmodFolder",
    "file.chmod",
    "file.truncate",
    "file.write",
    "linkFile",
    "makeLink",
    "removeFolder",
    "rename",
    "unlink",
  ])

  test("take no lock and no lease, and change nothing", async () => {
    const memory = await start()
    const recorded = faultyFileSystem(memory.fileSystem)
    const store = await storeOn(recorded)
    const [newest, oldest] = (await store.list()).map(({ id }) => id)
    if (newest === undefined || oldest === undefined) throw new Error("two snapshots were expected")
    memory.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, "changed again")
    await store.resolve("latest~1")
    await store.changes(oldest)
    await store.diff(oldest, newest)
    await store.diff(oldest)
    await store.patch(oldest)
    await store.readFile(oldest, "a.txt")
    await store.plan({ to: oldest })
    await store.plan({ revert: { from: oldest, to: newest } })
    await store.prune({ keepLast: 1 }, { dryRun: true })
    await store.close()
    const wrong = recorded.calls.filter(
      ({ kind, path }) => CHANGES.has(kind) || (/\/(?:locks|leases)\//.test(path) && kind !== "readFile"),
    )
    expect(wrong).toEqual([])
  })

  test("are not stopped by locks that live processes hold", async () => {
    const memory = await start()
    for (const name of ["maintenance", "restore-project"])
      memory.disk.fs.writeFileSync(
        `${GITDIR}/locks/${name}`,
        JSON.stringify({ token: ID, createdMs: Date.now(), owner: { host: "here", pid: 2 } }),
      )
    const owner = { current: async () => ({ host: "here", pid: 1 }), isAlive: async () => "alive" as const }
    const store = await storeOn(memory.fileSystem, { platform: { owner } })
    expect(await store.list()).toHaveLength(2)
    expect(await store.diff("latest~1", "latest")).toHaveLength(1)
    expect((await store.plan({ to: "latest~1" })).writes).toHaveLength(1)
    memory.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, "changed again")
    expect(await store.capture()).toMatchObject({ changed: true })
    await expect(store.maintain()).rejects.toMatchObject({ code: "LOCK_HELD" })
    await store.close()
  })
})
