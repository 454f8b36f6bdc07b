import { randomBytes } from "node:crypto"
import { spawnSync } from "node:child_process"
import { mkdir, readdir, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { MaintainReport, openStore as OpenStore, OpenOptions, SnapshotStore } from "../../src/index.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/** As built, with the program of the thread. */
const BUILT = new URL("../../dist/index.js", import.meta.url).href
const { openStore } = (await import(BUILT)) as { readonly openStore: typeof OpenStore }

const CLI = new URL("../../dist/cli/main.js", import.meta.url).pathname

test("a store with many captures maintains itself, and nothing is lost", async () => {
  const { store, captured, packs } = await storeWith({})
  const maintained = new Promise<MaintainReport>((resolve) => void store.on("maintained", resolve))
  await captured(51)
  expect(await maintained).toMatchObject({ packsWritten: 1 })
  expect((await packs()).length).toBeLessThan(10)
  expect(await store.maintenanceDue()).toBe(false)
  const made = await store.list()
  expect(made).toHaveLength(51)
  for (const [i, { id }] of made.toReversed().entries())
    expect(Buffer.from((await store.readFile(id, "a")) ?? []).toString()).toBe(`content ${i}`)
  await store.close()
})

test("with retention off it never does, and maintenance can be asked for", async () => {
  const { store, captured, packs } = await storeWith({ retention: false })
  await captured(51)
  expect(await packs()).toHaveLength(51)
  expect(await store.maintenanceDue()).toBe(true)
  const told: string[] = []
  store.on("progress", ({ phase }) => void told.push(phase))
  expect(await store.maintain()).toMatchObject({ packsRemoved: 51, packsWritten: 1 })
  expect(told).toContain("mark")
  expect(await store.maintenanceDue()).toBe(false)
  await store.close()
})

test("a file that is rewritten all the time does not make the store grow above its cap; the newest and the pinned stay", async () => {
  const maxBytes = 2_000_000
  const { store, gitdir, worktree } = await storeWith({ retention: { keepLast: 1000, maxBytes } })
  let maintained = 0
  store.on("maintained", () => void maintained++)
  const write = (i: number): Promise<void> => writeFile(join(worktree, "rewritten"), randomBytes(200_000).fill(i, 0, 8))
  for (let i = 0; i < 40; i++) {
    await write(i)
    const { snapshot } = await store.capture({ label: String(i) })
    if (i === 2) await store.pin(snapshot.id)
    // It comes to be below its cap, but for what was captured since; maintenance may be in the middle of that.
    while ((await bytesIn(gitdir)) > maxBytes + 250_000) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(maintained).toBeGreaterThan(3)
  await store.close()
  const left = await openStore({ worktree, gitdir, retention: false })
  const labels = (await left.list()).map(({ label }) => label)
  expect(labels[0]).toBe("39")
  expect(labels.at(-1)).toBe("2")
  expect(labels.length).toBeGreaterThan(5)
  for (const { id, label } of await left.list()) {
    const bytes = await left.readFile(id, "rewritten")
    expect(bytes?.subarray(0, 8)).toEqual(new Uint8Array(8).fill(Number(label)))
  }
  await left.close()
})

test("a store at its cap is not maintained after every capture, and what has to stay above it makes no work", async () => {
  const maxBytes = 2_000_000
  const { store, gitdir, worktree } = await storeWith({ retention: { keepLast: 1000, maxBytes } })
  let maintained = 0
  store.on("maintained", () => void maintained++)
  for (let i = 0; i < 30; i++) {
    await writeFile(join(worktree, "rewritten"), randomBytes(100_000))
    const { snapshot } = await store.capture()
    if (i < 19) await store.pin(snapshot.id)
    // What has to stay is about as much as the cap.
    while ((await bytesIn(gitdir)) > maxBytes + 500_000) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { snapshots } = await store.status()
  expect(snapshots.pinned).toBe(19)
  // Each run makes room for some captures, or waits for as much to come as a twentieth of the cap.
  expect(maintained).toBeLessThan(24)
  await store.close()
})

test("a cap takes nothing more when what went gives nothing back", async () => {
  const { store, captured, gitdir, worktree } = await storeWith({ retention: false })
  for (let i = 0; i < 20; i++) {
    await writeFile(join(worktree, "big"), randomBytes(100_000))
    await store.capture()
  }
  await captured(1)
  await store.close()
  expect(spawnSync("git", ["--git-dir", gitdir, "repack", "-a", "-d", "-q"]).status).toBe(0)
  const again = await openStore({ worktree, gitdir, retention: { keepLast: 1000, maxBytes: 1_500_000 } })
  await again.maintain({ automatic: true })
  // Git made the pack just now, so that it stays for an hour.
  const left = (await again.list()).length
  expect(left).toBeGreaterThan(10)
  for (let i = 0; i < 3; i++) await again.maintain({ automatic: true })
  await again.close()
})

test("what one asked for is kept by others who ask for nothing", async () => {
  const place = await storeWith({ retention: { keepLast: 60 } })
  await place.captured(55)
  await place.store.close()
  const { gitdir, worktree } = place
  const options = ["-C", worktree, "--store", gitdir, "--workspace", place.store.workspace]
  const month = ["--import", "data:text/javascript,const now=Date.now;Date.now=()=>now()+60*86400000"]
  const gc = (): void => {
    const run = spawnSync(process.execPath, [...month, CLI, "gc", "--auto", ...options], { encoding: "utf8" })
    expect([run.status, run.stderr]).toEqual([0, ""])
  }
  gc()
  const off = await openStore({ worktree, gitdir, retention: false })
  expect(await off.list()).toHaveLength(55)
  await off.close()
  gc()
  const few = await openStore({ worktree, gitdir, retention: { keepLast: 30 } })
  expect(await few.list()).toHaveLength(55)
  await few.maintain({ automatic: true })
  expect(await few.list()).toHaveLength(30)
  await few.close()
})

test("maintenance that goes on keeps no process alive, and closing the store waits for its end", async () => {
  const { store, captured, gitdir, worktree } = await storeWith({ retention: false })
  for (let i = 0; i < 12; i++) {
    await writeFile(join(worktree, "big"), randomBytes(3_000_000))
    await store.capture()
  }
  await captured(45)
  await store.close()
  const script = (end: string): string => `
    import { openStore } from ${JSON.stringify(BUILT)}
    import { writeFileSync } from "node:fs"
    const store = await openStore({ worktree: ${JSON.stringify(worktree)}, gitdir: ${JSON.stringify(gitdir)}, retention: { keepLast: 1000 } })
    store.on("maintained", () => console.log("maintained"))
    writeFileSync(${JSON.stringify(join(worktree, "a"))}, String(process.hrtime.bigint()))
    await store.capture()
    await new Promise((resolve) => setTimeout(resolve, 400))
    ${end}`
  const run = (end: string): readonly unknown[] => {
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script(end)], { encoding: "utf8" })
    return [child.status, child.stderr, child.stdout]
  }
  expect(run("")).toEqual([0, "", ""])
  expect(run("await store.close(); console.log('closed')")).toEqual([0, "", "closed\n"])
  expect(run("await store.maintain(); await store.close(); console.log('closed')")[2]).toContain("closed")
})

test("calls that need its lock do not wait for automatic maintenance, which comes after them", async () => {
  const { store, captured } = await storeWith({ retention: { keepLast: 1000 } })
  await captured(50)
  const maintained = new Promise<unknown>((resolve) => void store.on("maintained", resolve))
  for (let i = 0; i < 10; i++) {
    await captured(1)
    await new Promise((resolve) => setTimeout(resolve, 100 + 20 * i))
    expect((await store.prune({ keepLast: 1000 })).removed).toEqual([])
    await store.pin("latest")
  }
  await maintained
  await store.close()
})

test("closing a store ends its maintenance, and the store is whole", async () => {
  const { store, captured, gitdir, worktree } = await storeWith({})
  await captured(52)
  await store.close()
  const again = await openStore({ worktree, gitdir, retention: false })
  expect(await again.list()).toHaveLength(52)
  await again.maintain()
  await again.close()
})

test("maintenance that is aborted throws the signal's reason, and one that another holds says so", async () => {
  const { store, captured, gitdir, worktree } = await storeWith({ retention: false })
  await captured(10)
  const reason = new Error("enough")
  await expect(store.maintain({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const controller = new AbortController()
  const aborted = store.maintain({ signal: controller.signal, onProgress: () => controller.abort(reason) })
  await expect(aborted).rejects.toBe(reason)
  const thrown = store.maintain({
    onProgress: () => {
      throw reason
    },
  })
  await expect(thrown).rejects.toBe(reason)
  const other = await openStore({ worktree, gitdir, retention: false })
  const [first, second] = await Promise.allSettled([store.maintain(), other.maintain()])
  const lost = [first, second].find(({ status }) => status === "rejected")
  if (lost?.status === "rejected") expect(lost.reason).toMatchObject({ name: "SnapshotError", code: "LOCK_HELD" })
  expect([first.status, second.status]).toContain("fulfilled")
  await store.close()
  await other.close()
})

test("on the command line a capture starts it beside itself", async () => {
  const { store, captured, gitdir, worktree, packs } = await storeWith({ retention: false })
  await captured(51)
  await writeFile(join(worktree, "a"), "one more")
  const options = ["-C", worktree, "--store", gitdir, "--workspace", store.workspace]
  const run = spawnSync(process.execPath, [CLI, "capture", ...options], { encoding: "utf8" })
  expect([run.status, run.stderr]).toEqual([0, ""])
  // It goes on for as long as it takes; the test waits for the end.
  while ((await packs()).length > 9) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await store.list()).toHaveLength(52)
  const gc = spawnSync(process.execPath, [CLI, "gc", ...options], { encoding: "utf8" })
  expect([gc.status, gc.stdout]).toEqual([0, "There was nothing to tidy up.\n"])
  await store.close()
})

/** Of all files below. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const item of await readdir(folder, { withFileTypes: true, recursive: true }))
    // What goes meanwhile takes nothing.
    if (item.isFile()) bytes += (await stat(join(item.parentPath, item.name)).catch(() => undefined))?.size ?? 0
  return bytes
}

async function storeWith(options: Partial<OpenOptions>): Promise<{
  readonly store: SnapshotStore
  readonly gitdir: string
  readonly worktree: string
  readonly captured: (count: number) => Promise<void>
  readonly packs: () => Promise<string[]>
}> {
  const place = await temporaryFolder()
  const [worktree, gitdir] = [join(place, "project"), join(place, "store.git")]
  await mkdir(worktree)
  const store = await openStore({ worktree, gitdir, durability: "process", ...options })
  return {
    store,
    gitdir,
    worktree,
    async captured(count) {
      for (let i = 0; i < count; i++) {
        await writeFile(join(worktree, "a"), `content ${i}`)
        await store.capture()
      }
    },
    packs: async () => (await readdir(join(gitdir, "objects/pack"))).filter((name) => name.endsWith(".pack")),
  }
}
