/*
 * What is gone after `forget` and `maintain`: native git looks for it in what is left of the store.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Snapshot, SnapshotStore } from "../../src/index.js"
import { openStore } from "../../src/open-store.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const CAPTURES = 20
/** The capture whose contents are to go: older ones are stored as deltas of it. */
const SECRET = 11

describe.runIf(gitIsThere())("what was forgotten", () => {
  it("is gone after the next maintenance, from a pack of which most stays, and as a base of deltas", async () => {
    const { store, gitdir, made } = await folded()
    const secrets = await objectsOnlyIn(gitdir, made)
    expect(secrets.length).toBeGreaterThanOrEqual(4)
    const builtOn = deltasOf(gitdir).filter(([, base]) => secrets.includes(base))
    expect(builtOn.length).toBeGreaterThanOrEqual(2)
    const [bytesBefore, before] = [await packBytes(store), contents(gitdir, made)]
    await store.forget(made[SECRET]?.id ?? "")
    expect((await store.status()).reclaimable).toBeGreaterThan(0)
    // Whoever notes something else at the same time.
    await writeFile(join(gitdir, "maintained"), "{}")
    const report = await store.maintain()
    expect(secrets.filter((oid) => isStored(gitdir, oid))).toEqual([])
    expect(report).toMatchObject({ packsRemoved: 1, packsWritten: 1 })
    expect(report.objectsRemoved).toBe(secrets.length)
    // What was built on it is built on what comes next, so that nothing grows.
    expect(await packBytes(store)).toBeLessThan(bytesBefore)
    expect(contents(gitdir, made)).toEqual(before.toSpliced(SECRET, 1, ""))
    expect(git(["fsck", "--full", "--strict", "--no-dangling"], { cwd: gitdir }).text).toBe("")
    expect((await store.status()).reclaimable).toBe(0)
    expect(await readdir(gitdir)).not.toContain("forgotten")
    await store.close()
  })

  it("stays while a running restore reads it, and is gone after the next maintenance then", async () => {
    const { store, gitdir, made } = await folded()
    const secrets = await objectsOnlyIn(gitdir, made)
    const held = `refs/restores/${store.workspace}/${new Date().toISOString().replace(/[-:.]/g, "")}-${"0".repeat(32)}`
    git(["update-ref", held, `${made[SECRET]?.id}^{tree}`], { cwd: gitdir })
    await store.forget(made[SECRET]?.id ?? "")
    await store.maintain()
    expect(secrets.some((oid) => isStored(gitdir, oid))).toBe(true)
    git(["update-ref", "-d", held], { cwd: gitdir })
    await store.maintain()
    expect(secrets.filter((oid) => isStored(gitdir, oid))).toEqual([])
    await store.close()
  })

  it("frees no less than status told before", async () => {
    const { store, made } = await stored()
    for (const index of [3, 4, 8]) await store.forget(made[index]?.id ?? "")
    await store.prune({ keepLast: 10 })
    const { reclaimable } = await store.status()
    const { bytesFreed } = await store.maintain()
    expect(bytesFreed).toBeGreaterThanOrEqual(reclaimable)
    expect(reclaimable).toBeGreaterThan(bytesFreed / 4)
    expect((await store.status()).reclaimable).toBe(0)
    await store.close()
  })

  it("counts as reclaimable only where the next maintenance takes it", async () => {
    const { store, made } = await folded()
    await store.prune({ keepLast: CAPTURES - 2 })
    // Nobody asked for any of it to be gone, and most of the pack is still needed.
    expect(await store.status()).toMatchObject({ snapshots: { captures: CAPTURES - 2 }, reclaimable: 0 })
    expect(await store.maintain()).toMatchObject({ bytesFreed: 0 })
    await store.forget(made[CAPTURES - 1]?.id ?? "")
    expect((await store.status()).reclaimable).toBeGreaterThan(0)
    await store.close()
  })
})

interface Stored {
  readonly store: SnapshotStore
  readonly gitdir: string
  readonly made: readonly Snapshot[]
}

/** Captures of two files that change a little each time, and of one that each has for itself. */
async function stored(): Promise<Stored> {
  const place = await temporaryFolder()
  const [worktree, gitdir] = [join(place, "project"), join(place, "store.git")]
  await mkdir(worktree)
  const store = await openStore({ worktree, gitdir, durability: "process", retention: false })
  const made: Snapshot[] = []
  for (let i = 0; i < CAPTURES; i++) {
    const files = { "a.txt": lines(i), "b.txt": lines(100 + i), "own.txt": `only in ${i}` }
    for (const [path, content] of Object.entries(files)) await writeFile(join(worktree, path), content)
    made.push((await store.capture()).snapshot)
  }
  return { store, gitdir, made }
}

async function folded(): Promise<Stored> {
  const all = await stored()
  await all.store.maintain()
  expect((await all.store.status()).packs).toBe(1)
  return all
}

/** Lines that are others each time they are asked for, but for most of them. */
function lines(i: number): string {
  return Array.from({ length: 400 }, (_, at) => `${at} ${(at * 7919 + (at === i ? 1 : 0)) ** 3 % 1_000_003}\n`).join("")
}

/** What the secret snapshot alone reaches. */
async function objectsOnlyIn(gitdir: string, made: readonly Snapshot[]): Promise<string[]> {
  const others = made.filter((_, i) => i !== SECRET).map(({ id }) => `^${id}`)
  const args = ["rev-list", "--objects", "--no-object-names", made[SECRET]?.id ?? "", ...others]
  return git(args, { cwd: gitdir }).text.trim().split("\n")
}

/** Each delta, and what it is built on. */
function deltasOf(gitdir: string): [oid: string, base: string][] {
  const told = git(["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(deltabase)"], { cwd: gitdir })
  return told.text
    .trim()
    .split("\n")
    .map((line): [string, string] => [line.slice(0, 40), line.slice(41)])
}

function isStored(gitdir: string, oid: string): boolean {
  return git(["cat-file", "-e", oid], { cwd: gitdir, anyStatus: true }).status === 0
}

/** Of each snapshot that is there, what git reads of it. */
function contents(gitdir: string, made: readonly Snapshot[]): string[] {
  return made.map(({ id }) =>
    isStored(gitdir, id) ? git(["archive", "--format=tar", id], { cwd: gitdir }).stdout.toString("latin1") : "",
  )
}

async function packBytes({ gitdir, status }: SnapshotStore): Promise<number> {
  expect((await readdir(join(gitdir, "objects/pack"))).length).toBe(2)
  return (await status()).bytes.packs
}
