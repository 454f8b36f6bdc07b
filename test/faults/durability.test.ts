/*
 * What is synced, and in which order: what a snapshot needs has to be on the medium before the snapshot shows.
 */
import { expect, test } from "vitest"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { faultyFileSystem, type FaultyFileSystem, type FileSystemCall } from "../support/faulty-file-system.js"
import { GITDIR, newMemory, storeOn, WORKTREE } from "../support/store-on.js"

test("a power-durable capture syncs the pack before it shows, and the pack's folder before the ref", async () => {
  const { files, store } = await opened({})
  await store.capture()
  const order = callsBehind(files.calls, 0)
  const tempPack = order.one("file.sync", /\/tmp\/pack-[0-9a-f]+\.pack$/)
  const tempIndex = order.one("file.sync", /\/tmp\/pack-[0-9a-f]+\.idx$/)
  const packRename = order.one("rename", /\/objects\/pack\/pack-[0-9a-f]+\.pack$/)
  const indexRename = order.one("rename", /\/objects\/pack\/pack-[0-9a-f]+\.idx$/)
  const packFolder = order.one("syncFolder", /\/objects\/pack$/)
  const fenceWrite = order.one("file.write", /\/leases\/[0-9a-f]+\.ref$/)
  const fenceSync = order.one("file.sync", /\/leases\/[0-9a-f]+\.ref$/)
  const refRename = order.one("rename", /\/refs\/snapshots\/project\//)
  const refFolder = order.one("syncFolder", /\/refs\/snapshots\/project$/, refRename)
  expect(Math.max(tempPack, tempIndex)).toBeLessThan(packRename)
  const steps = [packRename, indexRename, packFolder, fenceWrite, fenceSync, refRename, refFolder]
  expect(steps).toEqual(steps.toSorted((a, b) => a - b))
})

test("nothing is written into a pack or a fence between its sync and its rename", async () => {
  const { files, store } = await opened({})
  await store.capture()
  for (const name of [/\/pack-[0-9a-f]+\.pack$/, /\/pack-[0-9a-f]+\.idx$/, /\/leases\/[0-9a-f]+\.ref$/]) {
    const kinds = files.calls.filter(({ path }) => name.test(path)).map(({ kind }) => kind)
    const lastSync = kinds.lastIndexOf("file.sync")
    expect(lastSync).toBeGreaterThan(0)
    expect(kinds.slice(lastSync)).not.toContain("file.write")
    expect(kinds.slice(lastSync)).not.toContain("file.truncate")
  }
})

test("the parent of every folder that a power-durable capture makes is synced before the snapshot is returned", async () => {
  const { files, store } = await opened({})
  await store.capture()
  // A name that is asked for again is taken.
  const made = files.calls.filter(
    ({ kind, path }, at) =>
      kind === "makeFolder" && !files.calls.slice(0, at).some((call) => call.kind === kind && call.path === path),
  )
  const unsynced = made.filter(({ path, number }) => {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/"
    return !files.calls.some((call) => call.kind === "syncFolder" && call.path === parent && call.number > number)
  })
  expect(made.map(({ path }) => path)).toContain(`${GITDIR}/refs/snapshots/project`)
  expect(unsynced).toEqual([])
})

test("the folder of a new ref is made and its parent synced before the ref is in it", async () => {
  const { files, store } = await opened({})
  await store.capture()
  const order = callsBehind(files.calls, 0)
  const refRename = order.one("rename", /\/refs\/snapshots\/project\//)
  const parentSync = order.one("syncFolder", /\/refs\/snapshots$/)
  expect(parentSync).toBeLessThan(refRename)
})

test("a process-durable capture syncs nothing and leaves a marker before the snapshot shows", async () => {
  const { files, store, memory } = await opened({ durability: "process" })
  const opening = files.calls.length
  await store.capture()
  const order = callsBehind(files.calls, opening)
  expect(files.calls.slice(opening).filter(({ kind }) => /sync/i.test(kind))).toEqual([])
  expect(order.one("rename", /\/unsynced\//)).toBeLessThan(order.one("rename", /\/refs\/snapshots\//))
  expect(memory.disk.names(`${GITDIR}/unsynced`)).toHaveLength(1)
})

test("a later power-durable capture syncs what it builds on before it shows, and removes the marker after", async () => {
  const { store, memory } = await opened({ durability: "process" })
  const { snapshot } = await store.capture()
  await store.close()
  const [pack] = memory.disk.names(`${GITDIR}/objects/pack`).filter((name) => name.endsWith(".pack"))
  memory.disk.fs.writeFileSync(`${WORKTREE}/later.txt`, "later")
  const files = faultyFileSystem(memory.fileSystem)
  const later = await storeOn(files)
  await later.capture()
  const order = callsBehind(files.calls, 0)
  const synced = [
    order.one("file.sync", new RegExp(`/objects/pack/${pack}$`)),
    order.one("file.sync", new RegExp(`/objects/pack/${pack?.replace(".pack", ".idx")}$`)),
    order.one("file.sync", new RegExp(`${snapshot.ref}$`)),
  ]
  const unmarked = order.one("unlink", /\/unsynced\//)
  const refRename = order.one("rename", /\/refs\/snapshots\/project\//)
  expect(Math.max(...synced)).toBeLessThan(unmarked)
  expect(Math.max(...synced)).toBeLessThan(refRename)
  for (const folder of ["refs/snapshots/project", "refs/snapshots", "refs", ""])
    expect(order.one("syncFolder", new RegExp(`^${GITDIR}${folder === "" ? "" : `/${folder}`}$`))).toBeLessThan(
      refRename,
    )
  expect(memory.disk.names(`${GITDIR}/unsynced`)).toEqual([])
})

test("a sync that fails is not tried again on the same file: the snapshot does not show, and the next one writes anew", async () => {
  const { memory } = await opened({})
  for (const path of [".pack", ".idx", ".ref"]) {
    const files = faultyFileSystem(memory.fileSystem, [{ call: 1, kind: "file.sync", path, how: "fail" }])
    const store = await storeOn(files)
    await expect(store.capture()).rejects.toMatchObject({ code: "IO_FAILED" })
    const struck = files.calls.find(({ kind, path: at }) => kind === "file.sync" && at.endsWith(path))
    expect(files.calls.filter(({ kind, path: at }) => kind === "file.sync" && at === struck?.path)).toHaveLength(1)
    expect(await store.list({ kind: "all" })).toEqual([])
    await store.close()
  }
})

test("a restore syncs every new file before it takes its name, and the folders before what it replaces goes", async () => {
  const { memory, store } = await opened({})
  const { snapshot } = await store.capture()
  await store.close()
  memory.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, "changed")
  memory.disk.fs.rmSync(`${WORKTREE}/dir/b.txt`)
  const files = faultyFileSystem(memory.fileSystem)
  const restoring = await storeOn(files)
  await restoring.restore(snapshot.id)
  const order = callsBehind(files.calls, 0)
  const placed = order.one("linkFile", /\/a\.txt$/)
  const staged = files.calls.filter(({ kind, path }) => kind === "file.sync" && path.startsWith(WORKTREE))
  expect(staged).toHaveLength(2)
  for (const { number } of staged) expect(number).toBeLessThan(placed)
  const removed =
    files.calls.findLast(({ kind, path }) => kind === "unlink" && path.includes(".treeshot-"))?.number ?? 0
  for (const folder of [WORKTREE, `${WORKTREE}/dir`]) {
    const synced = order.one("syncFolder", new RegExp(`^${folder}$`))
    expect(synced).toBeGreaterThan(placed)
    expect(synced).toBeLessThan(removed)
  }
})

interface Opened {
  readonly memory: ReturnType<typeof newMemory>
  readonly files: FaultyFileSystem
  readonly store: Awaited<ReturnType<typeof storeOn>>
}

async function opened(options: { readonly durability?: "process" }): Promise<Opened> {
  const memory = newMemory()
  writeFolder(memory.disk, WORKTREE, folderOf({ "a.txt": "a", dir: { "b.txt": "b" }, empty: {} }))
  const files = faultyFileSystem(memory.fileSystem)
  return { memory, files, store: await storeOn(files, options) }
}

/** Finds calls by kind and path from a number on. */
function callsBehind(
  calls: readonly FileSystemCall[],
  first: number,
): { one(kind: string, path: RegExp, after?: number): number } {
  return {
    one(kind, path, after = first) {
      const found = calls.find((call) => call.number > after && call.kind === kind && path.test(call.path))
      if (found === undefined) throw new Error(`no ${kind} of ${String(path)}`)
      return found.number
    },
  }
}
