import fs from "node:fs"
import { join } from "node:path"
import { expect, onTestFinished, test, vi } from "vitest"
import { removeStore } from "../../src/calls/remove-store.js"
import { openStore } from "../../src/index.js"
import { listStores, removeStores } from "../../src/open-store.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import type { UserStore } from "../../src/snapshot-store.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { temporaryFolder } from "../support/temporary-folder.js"

interface Desk {
  /** Where work trees are. */
  readonly home: string
  /** Where the stores are. */
  readonly stores: string
  /** Makes a work tree with a snapshot; gives where its store is. */
  capture(name: string, workspace?: string): Promise<string>
  listed(): Promise<Map<string, UserStore>>
}

async function desk(): Promise<Desk> {
  const home = fs.realpathSync(await temporaryFolder())
  vi.stubEnv("HOME", join(home, "home"))
  vi.stubEnv("XDG_DATA_HOME", join(home, "data"))
  onTestFinished(() => void vi.unstubAllEnvs())
  return {
    home,
    stores: join(home, "data/treeshot/stores"),
    async capture(name, workspace) {
      const worktree = join(home, name)
      fs.mkdirSync(worktree, { recursive: true })
      fs.writeFileSync(join(worktree, "a"), name)
      const store = await openStore({ worktree, ...(workspace === undefined ? {} : { workspace }) })
      await store.capture({ label: name })
      await store.close()
      return store.gitdir
    },
    async listed() {
      return new Map((await listStores()).map((store) => [store.gitdir, store]))
    },
  }
}

test("there is none where nothing was captured", async () => {
  await desk()
  expect(await listStores()).toEqual([])
})

test("each store is listed with its work tree, whether that is there, its size and its newest snapshot", async () => {
  const { home, capture, listed } = await desk()
  const [one, two] = [await capture("one"), await capture("two", "named")]
  fs.rmSync(join(home, "two"), { recursive: true })
  const found = await listed()
  expect(found.get(one)).toMatchObject({
    worktree: "there",
    worktrees: [{ path: join(home, "one"), exists: true }],
    snapshots: 1,
  })
  expect(found.get(two)).toMatchObject({
    worktree: "gone",
    worktrees: [{ workspace: "named", path: join(home, "two"), exists: false }],
  })
  const size = (path: string): number =>
    fs.lstatSync(path).isDirectory()
      ? fs.readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0)
      : fs.lstatSync(path).size
  expect(found.get(one)?.bytes).toBe(size(one))
  expect(Math.abs(Date.now() - Number(found.get(one)?.newest))).toBeLessThan(60_000)
})

test("only those whose work trees are all known and gone are removed, with all that is in them", async () => {
  const { home, stores, capture, listed } = await desk()
  const [there, gone, shared] = [await capture("there"), await capture("gone"), await capture("shared")]
  const worktree = join(home, "also")
  fs.mkdirSync(worktree)
  await (await openStore({ worktree, gitdir: shared })).close()
  for (const name of ["gone", "shared"]) fs.rmSync(join(home, name), { recursive: true })
  const found = [...(await listed()).values()]
  expect(new Map(found.map((store) => [store.gitdir, store.worktree]))).toEqual(
    new Map([
      [there, "there"],
      [gone, "gone"],
      [shared, "there"],
    ]),
  )
  const failures = await removeStores(found)
  expect([...failures].map(([{ gitdir }, { code }]) => [gitdir, code]).toSorted()).toEqual(
    [
      [there, "INVALID_ARGUMENT"],
      [shared, "INVALID_ARGUMENT"],
    ].toSorted(),
  )
  expect(
    fs
      .readdirSync(stores)
      .map((name) => join(stores, name))
      .toSorted(),
  ).toEqual([there, shared].toSorted())
})

test("one that does not say where it belongs stays, and so does what is no store of ours", async () => {
  const { home, stores, capture, listed } = await desk()
  const [damaged, old, foreign] = [await capture("damaged"), await capture("old"), join(stores, "foreign.git")]
  for (const name of ["damaged", "old"]) fs.rmSync(join(home, name), { recursive: true })
  fs.writeFileSync(join(damaged, "worktrees.json"), "{")
  const notes = join(old, "worktrees.json")
  const [paths] = Object.values<unknown>(JSON.parse(fs.readFileSync(notes, "utf8")) as Record<string, unknown>)
  fs.writeFileSync(notes, JSON.stringify({ "another-workspace": paths }))
  fs.mkdirSync(join(foreign, "objects"), { recursive: true })
  fs.writeFileSync(join(foreign, "config"), "[core]\n\tbare = true\n")
  fs.writeFileSync(join(foreign, "worktrees.json"), JSON.stringify({ any: [join(home, "old")] }))
  const found = [...(await listed()).values()]
  expect(found.map(({ worktree }) => worktree)).toEqual(["unknown", "unknown", "unknown"])
  expect((await removeStores(found)).size).toBe(3)
  expect(fs.readdirSync(stores)).toHaveLength(3)
})

test("no link is followed, and what it leads to stays", async () => {
  const { home, stores, capture, listed } = await desk()
  const gone = await capture("gone")
  fs.rmSync(join(home, "gone"), { recursive: true })
  fs.mkdirSync(join(home, "precious"))
  fs.writeFileSync(join(home, "precious/file"), "precious")
  fs.symlinkSync(join(home, "precious"), join(gone, "refs/link"))
  fs.symlinkSync(gone, join(stores, "linked.git"))
  const found = [...(await listed()).values()]
  expect(found.map(({ gitdir }) => gitdir)).toEqual([gone])
  expect(
    (await removeStores([...found, { ...(found[0] as UserStore), gitdir: join(stores, "linked.git") }])).size,
  ).toBe(1)
  expect(fs.readdirSync(stores)).toEqual(["linked.git"])
  expect(fs.readFileSync(join(home, "precious/file"), "utf8")).toBe("precious")
})

test("one that a process works with stays, and one whose restore is not finished", async () => {
  const { home, stores, capture, listed } = await desk()
  const [busy, locked, pending] = [await capture("busy"), await capture("locked"), await capture("pending")]
  for (const name of ["busy", "locked", "pending"]) fs.rmSync(join(home, name), { recursive: true })
  const owner = { host: "elsewhere" }
  const lease = join(busy, "leases", "a".repeat(32))
  fs.writeFileSync(`${lease}.ref`, "")
  fs.writeFileSync(`${lease}.json`, JSON.stringify({ id: "a".repeat(32), createdMs: Date.now(), owner }))
  const token = "b".repeat(32)
  fs.writeFileSync(join(locked, "locks/restore-any"), JSON.stringify({ token, createdMs: Date.now(), owner }))
  fs.mkdirSync(join(pending, "restores/any"), { recursive: true })
  fs.writeFileSync(join(pending, "restores/any/running"), "")
  const failures = await removeStores([...(await listed()).values()])
  expect(new Map([...failures].map(([{ gitdir }, { code }]) => [gitdir, code]))).toEqual(
    new Map([
      [busy, "LOCK_HELD"],
      [locked, "LOCK_HELD"],
      [pending, "RESTORE_PENDING"],
    ]),
  )
  expect(fs.readdirSync(stores)).toHaveLength(3)
  for (const gitdir of [busy, locked, pending])
    expect(fs.readdirSync(join(gitdir, "locks"))).not.toContain("maintenance")
})

test("a store that is made anew in its place meanwhile keeps its own lock", async () => {
  const { home, capture } = await desk()
  const gitdir = await capture("gone")
  fs.rmSync(join(home, "gone"), { recursive: true })
  const platform = await nodePlatform()
  const lock = join(gitdir, "locks/maintenance")
  const fileSystem = faultyFileSystem(platform.fileSystem, [], async (call, make) => {
    const made = await make()
    if (call.kind === "rename" && !fs.existsSync(gitdir)) {
      fs.mkdirSync(join(gitdir, "locks"), { recursive: true })
      fs.writeFileSync(lock, "somebody else's")
    }
    return made
  })
  await removeStore({ ...platform, fileSystem }, gitdir)
  expect(fs.readFileSync(lock, "utf8")).toBe("somebody else's")
})

test("what a removal that was killed has left goes with the next one", async () => {
  const { stores, capture } = await desk()
  const whole = await capture("one")
  const half = join(stores, `.removed-${"a".repeat(32)}`)
  fs.cpSync(whole, half, { recursive: true })
  fs.rmSync(join(half, "refs"), { recursive: true })
  const [empty, other] = [join(stores, `.removed-${"b".repeat(32)}`), join(stores, `.removed-${"c".repeat(32)}`)]
  fs.mkdirSync(empty)
  fs.mkdirSync(other)
  fs.writeFileSync(join(other, "file"), "of somebody else")
  expect(await removeStores([])).toEqual(new Map())
  expect(
    fs
      .readdirSync(stores)
      .map((name) => join(stores, name))
      .toSorted(),
  ).toEqual([whole, other].toSorted())
})
