import { execFileSync } from "node:child_process"
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Snapshot, SnapshotStore } from "../../src/index.js"
import { openStore } from "../../src/open-store.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

describe.runIf(gitIsThere())("folding packs", () => {
  it("leaves a few packs, which git finds sound, and every snapshot as it was", async () => {
    const { store, gitdir, made } = await storeOf(40, (i) => [
      ["changing.txt", lines(2_000, i)],
      [`once/${i}.txt`, `file ${i}\n`],
      ["large.bin", noise(7, 300_000, i)],
    ])
    const before = await contents(store, made)
    const bytesBefore = await packBytes(gitdir)
    const report = await store.maintain()
    expect(report).toMatchObject({ packsRemoved: 40, packsWritten: 1 })
    expect(await packs(gitdir)).toHaveLength(1)
    // 40 times 300 KB that do not shrink, of which a few bytes change.
    expect(bytesBefore).toBeGreaterThan(40 * 300_000)
    expect(await packBytes(gitdir)).toBeLessThan(2 * 300_000)
    expect(report.bytesFreed).toBeGreaterThan(38 * 300_000)
    expect(await contents(store, made)).toEqual(before)
    expect(git(["fsck", "--full", "--strict", "--no-dangling"], { cwd: gitdir }).text).toBe("")
    const chains = git(["verify-pack", "-v", ...(await packs(gitdir))], { cwd: join(gitdir, "objects/pack") }).text
    expect(chains).toMatch(/^chain length = [1-9]/m)
    await store.close()
  })

  it("makes no chain longer than 50 steps, however often it goes on", async () => {
    const { store, gitdir, made, captureMore } = await storeOf(30, (i) => [["a.bin", noise(3, 20_000, i)]])
    for (let round = 0; round < 4; round++) {
      await store.maintain()
      await captureMore(30)
    }
    await store.maintain()
    const told = (await packs(gitdir)).map(
      (pack) => git(["verify-pack", "-v", pack], { cwd: join(gitdir, "objects/pack") }).text,
    )
    const lengths = told.flatMap((text) => [...text.matchAll(/^chain length = (\d+)/gm)].map(([, n]) => Number(n)))
    expect(Math.max(...lengths)).toBeGreaterThan(20)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(50)
    expect(git(["fsck", "--full", "--strict", "--no-dangling"], { cwd: gitdir }).text).toBe("")
    for (const [i, { id }] of made.entries())
      expect(Buffer.from((await store.readFile(id, "a.bin")) ?? []).equals(noise(3, 20_000, i))).toBe(true)
    await store.close()
  })

  it("keeps sizes growing geometrically: old packs are not written again each time", async () => {
    const { store, gitdir, captureMore } = await storeOf(20, (i) => [[`${i}.bin`, noise(i, 50_000, 0)]])
    await store.maintain()
    const [first] = await packs(gitdir)
    await captureMore(8)
    await store.maintain()
    expect(await packs(gitdir)).toContain(first)
    expect(await packs(gitdir)).toHaveLength(2)
    await store.close()
  })
})

describe.runIf(gitIsThere())("objects that another repository lends", () => {
  it("are taken over, so that its gc takes nothing from any snapshot", async () => {
    const place = await temporaryFolder()
    const [worktree, lender, gitdir] = [join(place, "project"), join(place, "lender"), join(place, "store.git")]
    await mkdir(join(worktree, "folder"), { recursive: true })
    const large = noise(5, 3_000_000, 0)
    await writeFile(join(worktree, "folder/large.bin"), large)
    await writeFile(join(worktree, "small.txt"), "small\n")
    // The lender has all of it, and lets go of it later.
    git(["init", "-q", lender])
    git(["--work-tree", worktree, "add", "-A"], { cwd: lender })
    git(["commit", "-q", "-m", "all"], { cwd: lender })
    git(["init", "-q", "--bare", gitdir])
    await writeFile(join(gitdir, "objects/info/alternates"), `${join(lender, ".git/objects")}\n`)
    const open = (): Promise<SnapshotStore> => openStore({ worktree, gitdir, newFileLimitBytes: 1e9, retention: false })
    const store = await open()
    const tree = git(["rev-parse", "HEAD^{tree}"], { cwd: lender }).text.trim()
    const commit = git(["commit-tree", "-m", "what another tool keeps", tree], { cwd: gitdir }).text.trim()
    git(["update-ref", "refs/heads/kept", commit], { cwd: gitdir })
    expect(await store.maintain()).toMatchObject({ objectsTakenOver: 4 })
    expect(await store.maintain()).toMatchObject({ objectsTakenOver: 0 })
    await rm(lender, { recursive: true })
    expect(git(["fsck", "--full", "--strict"], { cwd: gitdir }).text).toBe("")
    expect(git(["cat-file", "blob", `${commit}:folder/large.bin`], { cwd: gitdir }).stdout.equals(large)).toBe(true)
    await store.close()
  })
})

type Files = (i: number) => readonly (readonly [path: string, content: string | Buffer])[]

async function storeOf(
  count: number,
  files: Files,
): Promise<{
  readonly store: SnapshotStore
  readonly gitdir: string
  readonly made: Snapshot[]
  readonly captureMore: (more: number) => Promise<void>
}> {
  const place = await temporaryFolder()
  const [worktree, gitdir] = [join(place, "project"), join(place, "store.git")]
  await mkdir(join(worktree, "once"), { recursive: true })
  const store = await openStore({ worktree, gitdir, durability: "process", retention: false })
  const made: Snapshot[] = []
  const captureMore = async (more: number): Promise<void> => {
    for (let i = 0; i < more; i++) {
      for (const [path, content] of files(made.length)) await writeFile(join(worktree, path), content)
      made.push((await store.capture({ label: String(made.length) })).snapshot)
    }
  }
  await captureMore(count)
  return { store, gitdir, made, captureMore }
}

/** All files of all snapshots, as git reads them. */
async function contents(store: SnapshotStore, made: readonly Snapshot[]): Promise<string[]> {
  return made.map(({ id }) =>
    execFileSync("sh", ["-c", `git archive ${id} | sha1sum`], { cwd: store.gitdir, encoding: "utf8" }),
  )
}

async function packs(gitdir: string): Promise<string[]> {
  return (await readdir(join(gitdir, "objects/pack"))).filter((name) => name.endsWith(".pack"))
}

async function packBytes(gitdir: string): Promise<number> {
  let bytes = 0
  for (const name of await packs(gitdir)) bytes += (await stat(join(gitdir, "objects/pack", name))).size
  return bytes
}

/** Lines of which one is another each time. */
function lines(count: number, i: number): string {
  return Array.from({ length: count }, (_, at) => `line ${at}${at === (i * 37) % count ? ` changed ${i}` : ""}\n`).join(
    "",
  )
}

/** Bytes that do not shrink, of which a few are others each time. */
function noise(seed: number, length: number, i: number): Buffer {
  const made = Buffer.alloc(length)
  let state = seed + 1
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    made[at] = state >>> 24
  }
  made.write(`version ${i}`, (i * 997) % (length - 20))
  return made
}
