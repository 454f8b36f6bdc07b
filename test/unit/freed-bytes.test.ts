/*
 * The bytes that prune tells of, and that status calls reclaimable, against what real git says of the same store.
 */
import { createHash } from "node:crypto"
import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { git, gitIsThere } from "../support/git.js"
import { storeOn } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const HOUR = 3_600_000

interface Place {
  readonly worktree: string
  readonly gitdir: string
  open(workspace?: string, aheadMs?: number): Promise<SnapshotStore>
  write(path: string, content: string): void
  git(...args: readonly string[]): string
}

async function place(): Promise<Place> {
  const folder = await temporaryFolder()
  const [worktree, gitdir] = [join(folder, "work"), join(folder, "store.git")]
  fs.mkdirSync(worktree)
  const platform = await nodePlatform()
  return {
    worktree,
    gitdir,
    open: (workspace = "project", aheadMs = 60_000) =>
      storeOn(platform.fileSystem, {
        worktree,
        gitdir,
        workspace,
        clock: { nowMs: () => Date.now() + aheadMs },
        platform: { owner: platform.owner },
      }),
    write(path, content) {
      fs.mkdirSync(join(worktree, path, ".."), { recursive: true })
      fs.writeFileSync(join(worktree, path), content)
    },
    git: (...args) => git(["--git-dir", gitdir, ...args]).text.trim(),
  }
}

/** What git says each stored object takes on disk. */
function sizesOnDisk(here: Place): Map<string, number> {
  const lines = here
    .git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objectsize:disk)")
    .split("\n")
  return new Map(lines.map((line) => line.split(" ")).map(([oid = "", size]): [string, number] => [oid, Number(size)]))
}

function reachedBy(here: Place, ...revs: readonly string[]): Set<string> {
  return new Set(here.git("rev-list", "--objects", "--no-object-names", ...revs).split("\n"))
}

/** Bytes of what the refs reach in `sizes`, and all else there. */
function unreachedBytes(here: Place, sizes: ReadonlyMap<string, number>): number {
  const reached = reachedBy(here, "--all")
  return [...sizes].reduce((sum, [oid, size]) => (reached.has(oid) ? sum : sum + size), 0)
}

/** Five captures that share some of their files and folders. */
async function fiveCaptures(here: Place, store: SnapshotStore): Promise<void> {
  for (const [at, text] of ["one", "two", "three", "four", "five"].entries()) {
    here.write("same", "the same in all")
    here.write("src/a", text.repeat(1000 + at))
    here.write(`src/deep/${at % 2}`, `${at % 2}`)
    here.write(`only-${text}`, text)
    fs.rmSync(join(here.worktree, `only-${["", "one", "two", "three", "four"][at]}`), { force: true })
    await store.capture({ label: text })
  }
}

describe.runIf(gitIsThere())("the bytes that a prune frees", () => {
  test("are those of the objects that git reaches by nothing but what goes, dry or not", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    const sizes = sizesOnDisk(here)
    const dry = await store.prune({ keepLast: 2 }, { dryRun: true })
    const report = await store.prune({ keepLast: 2 })
    expect(report).toEqual(dry)
    expect(report.removed).toHaveLength(3)
    expect(report.bytesFreed).toBe(unreachedBytes(here, sizes))
    // Packs go as a whole: what is in those of which something stays is not given back now.
    const { reclaimable } = await store.status()
    expect(reclaimable).toBeGreaterThan(0)
    expect((await store.maintain()).bytesFreed).toBe(reclaimable)
    expect((await store.status()).reclaimable).toBe(0)
  })

  test("are the same when a size limit is what lets them go", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    const sizes = sizesOnDisk(here)
    const report = await store.prune({ keepLast: 3, maxBytes: 0 })
    expect(report.removed.map(({ reason }) => reason)).toEqual(["max-bytes", "max-bytes", "no-rule", "no-rule"])
    expect(report.bytesFreed).toBe(unreachedBytes(here, sizes))
    expect(report.bytesOver).toBeGreaterThan(0)
  })

  test("do not hold what another workspace, a tag, a pin or a running capture still counts on", async () => {
    const here = await place()
    const [store, other] = [await here.open(), await here.open("other")]
    await fiveCaptures(here, store)
    await other.capture()
    const [, , , two, one] = await store.list()
    here.git("tag", "keep", `${one?.id}^{tree}:src`)
    await store.pin(two?.id ?? "")
    const sizes = sizesOnDisk(here)
    const { bytesFreed, removed } = await store.prune({ keepLast: 1 })
    expect(removed.map(({ label }) => label)).toEqual(["four", "three", "one"])
    expect(bytesFreed).toBe(unreachedBytes(here, sizes))
  })

  test("count every copy of an object, deltas and loose ones, as each is stored", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    for (const end of ["six", "seven", "eight"]) {
      here.write("growing", `${noise("start", 20_000)}${end}`)
      await store.capture({ label: end })
    }
    const before = sizesOnDisk(here)
    here.git("repack", "-a", "-d", "-f", "--depth=50", "--window=50")
    const deltas = sizesOnDisk(here)
    expect([...deltas].some(([oid, size]) => size < (before.get(oid) ?? 0))).toBe(true)
    const dry = await store.prune({ keepLast: 1 }, { dryRun: true })
    const [newest] = await store.list()
    const reached = reachedBy(here, newest?.ref ?? "")
    const gone = [...deltas].filter(([oid]) => !reached.has(oid))
    expect(dry.bytesFreed).toBe(gone.reduce((sum, [, size]) => sum + size, 0))
    // A second copy of one of them.
    const blob = here.git("rev-parse", `${dry.removed.find(({ label }) => label === "four")?.id}:only-four`)
    const loose = join(here.gitdir, "objects", blob.slice(0, 2), blob.slice(2))
    const content = git(["--git-dir", here.gitdir, "cat-file", "blob", blob]).stdout
    const aside = join(here.worktree, "../aside.git")
    git(["init", "-q", "--bare", aside])
    git(["--git-dir", aside, "hash-object", "-w", "--stdin"], { input: content.toString() })
    fs.mkdirSync(join(loose, ".."), { recursive: true })
    fs.copyFileSync(join(aside, "objects", blob.slice(0, 2), blob.slice(2)), loose)
    const again = await store.prune({ keepLast: 1 }, { dryRun: true })
    expect(again.bytesFreed).toBe(dry.bytesFreed + fs.statSync(loose).size)
  })

  test("are none while something that stays cannot be read, and what goes goes all the same", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    fs.mkdirSync(join(here.gitdir, "refs/heads"), { recursive: true })
    fs.writeFileSync(join(here.gitdir, "refs/heads/broken"), `${"1".repeat(40)}\n`)
    const { removed, bytesFreed } = await store.prune({ keepLast: 3 })
    expect([removed.length, bytesFreed]).toEqual([2, 0])
    fs.writeFileSync(join(here.gitdir, "refs/heads/broken"), "")
    expect((await store.prune({ keepLast: 2 })).removed).toHaveLength(1)
    await expect(store.prune({ keepLast: 2, maxBytes: 0 })).rejects.toMatchObject({ code: "REF_INVALID" })
    expect(await store.list()).toHaveLength(2)
  })

  test("of refs that another tool holds are not told, and the snapshots stay, with that reason", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    here.git("pack-refs", "--all", "--prune")
    fs.writeFileSync(join(here.gitdir, "packed-refs.lock"), "theirs")
    const { removed, kept, bytesFreed } = await store.prune({ keepLast: 4 })
    expect([removed, bytesFreed]).toEqual([[], 0])
    expect(kept.map(({ reasons }) => reasons.at(-1))).toEqual(["last", "last", "last", "last", "locked"])
    await expect(store.forget("latest")).rejects.toMatchObject({ code: "LOCK_HELD" })
    fs.rmSync(join(here.gitdir, "packed-refs.lock"))
    const sizes = sizesOnDisk(here)
    expect((await store.prune({ keepLast: 4 })).bytesFreed).toBe(unreachedBytes(here, sizes))
  })
})

describe("what a running capture builds on", () => {
  test("stays, whatever the rules and a size limit say", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    const [, , three] = await store.list()
    const [id, owner, base] = ["a".repeat(32), { host: "elsewhere" }, { ref: three?.ref, oid: three?.id }]
    const lease = join(here.gitdir, "leases", `${id}.json`)
    fs.writeFileSync(lease, JSON.stringify({ id, createdMs: Date.now(), owner, base }))
    const { removed, kept } = await store.prune({ keepLast: 2, maxBytes: 0 })
    expect(removed.map(({ label }) => label)).toEqual(["four", "two", "one"])
    expect(kept.map(({ label, reasons }) => [label, reasons])).toEqual([
      ["five", ["newest", "last"]],
      ["three", ["held"]],
    ])
    fs.rmSync(lease)
    expect((await store.prune({ keepLast: 1 })).removed.map(({ label }) => label)).toEqual(["three"])
  })
})

describe.runIf(gitIsThere())("a size limit on a store full of deltas", () => {
  test("leaves what fits once git has packed it anew, with all that its deltas build on", async () => {
    const here = await place()
    const store = await here.open()
    let text = noise("first", 60_000)
    for (let at = 0; at < 12; at++) {
      text = noise(`line ${at}`, 6000) + text.slice(0, 54_000)
      here.write("growing", text)
      here.write(`at-${at % 3}`, noise(`${at}`, 2000))
      await store.capture({ label: String(at) })
    }
    // With several threads the deltas would be other ones each time.
    here.git("-c", "pack.threads=1", "repack", "-a", "-d", "-f", "--depth=50", "--window=50")
    await store.close()
    const counts = new Set<number>()
    for (const maxBytes of [30_000, 80_000, 90_000, 110_000, 140_000, 170_000, 250_000]) {
      const copy = { ...here, gitdir: join(here.gitdir, `../copy-${maxBytes}.git`) }
      fs.cpSync(here.gitdir, copy.gitdir, { recursive: true })
      const { fileSystem, owner } = await nodePlatform()
      const pruned = await storeOn(fileSystem, { worktree: here.worktree, gitdir: copy.gitdir, platform: { owner } })
      const { removed, kept, bytesOver = 0 } = await pruned.prune({ maxBytes })
      counts.add(kept.length)
      expect(removed.length > 0 || bytesOver === 0).toBe(true)
      git(["--git-dir", copy.gitdir, "repack", "-a", "-d", "-q"])
      const total = ownSize(copy.gitdir)
      expect({ maxBytes, total, fits: total <= maxBytes + bytesOver }).toMatchObject({ fits: true })
      await pruned.close()
    }
    expect(counts.size).toBeGreaterThan(2)
  })
})

describe("a size limit on a store that was folded", () => {
  test("holds after maintenance, also when the other rules alone let enough go", async () => {
    const here = await place()
    const store = await here.open()
    for (let at = 0; at < 20; at++) {
      here.write("rewritten", noise(`${at}`, 60_000))
      await store.capture()
    }
    await store.maintain()
    const { removed, bytesOver } = await store.prune({ keepLast: 14, maxBytes: 750_000 })
    expect([removed.length, bytesOver]).toEqual([6, undefined])
    await store.maintain()
    expect(ownSize(here.gitdir)).toBeLessThan(750_000)
  })

  test("holds for a pack that git has made, an hour after it did", async () => {
    const here = await place()
    const store = await here.open()
    for (let at = 0; at < 10; at++) {
      here.write("rewritten", noise(`${at}`, 60_000))
      await store.capture()
    }
    here.git("repack", "-a", "-d", "-q")
    await store.prune({ keepLast: 3 })
    await store.maintain()
    expect(ownSize(here.gitdir)).toBeGreaterThan(400_000)
    const packs = join(here.gitdir, "objects/pack")
    const before = new Date(Date.now() - 2 * HOUR)
    for (const name of fs.readdirSync(packs)) fs.utimesSync(join(packs, name), before, before)
    await store.maintain()
    expect(ownSize(here.gitdir)).toBeLessThan(200_000)
    expect(here.git("fsck", "--full", "--strict", "--no-dangling")).toBe("")
    expect(await store.list()).toHaveLength(3)
  })

  test("lets nothing go that has room once it is folded", async () => {
    const here = await place()
    const store = await here.open()
    const text = noise("much the same", 60_000)
    for (let at = 0; at < 20; at++) {
      here.write("edited", `${at}${text}`)
      await store.capture()
    }
    expect(ownSize(here.gitdir)).toBeGreaterThan(600_000)
    const { removed } = await store.prune({ maxBytes: 300_000 })
    expect(removed).toEqual([])
    expect(ownSize(here.gitdir)).toBeLessThan(300_000)
  })
})

/** Bytes that do not compress, the same ones for the same seed. */
function noise(seed: string, sizeBytes: number): string {
  let text = ""
  for (let i = 0; text.length < sizeBytes; i++) text += createHash("sha512").update(`${seed} ${i}`).digest("base64")
  return text.slice(0, sizeBytes)
}

/** Of all files below. */
function ownSize(path: string): number {
  if (!fs.lstatSync(path).isDirectory()) return fs.lstatSync(path).size
  return fs.readdirSync(path).reduce((sum, name) => sum + ownSize(join(path, name)), 0)
}

describe.runIf(gitIsThere())("what maintenance would give back", () => {
  test("holds nothing that it would leave: packs to be kept, and what another tool has just written", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    const blob = git(["--git-dir", here.gitdir, "hash-object", "-w", "--stdin"], {
      input: "nobody needs it",
    }).text.trim()
    const { bytes, reclaimable } = await store.status()
    expect([bytes.loose > 0, reclaimable]).toEqual([true, 0])
    const later = await here.open("project", 2 * HOUR)
    expect((await later.status()).reclaimable).toBe(sizesOnDisk(here).get(blob))
    await store.prune({ keepLast: 1 })
    const all = (await later.status()).reclaimable
    for (const name of fs.readdirSync(join(here.gitdir, "objects/pack")))
      if (name.endsWith(".pack")) fs.writeFileSync(join(here.gitdir, "objects/pack", name.replace(/pack$/, "keep")), "")
    expect(all).toBeGreaterThan(bytes.loose)
    expect((await later.status()).reclaimable).toBe(bytes.loose)
  })

  test("leaves out packs that another repository has, too", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    const before = (await store.status()).bytes
    const packs = join(here.gitdir, "objects/pack")
    const [first = ""] = fs.readdirSync(packs).filter((name) => name.endsWith(".pack"))
    fs.linkSync(join(packs, first), join(here.worktree, "../link"))
    const { bytes } = await store.status()
    const sizeOf = (name: string): number => fs.statSync(join(packs, name)).size
    const shared = sizeOf(first) + sizeOf(first.replace(/pack$/, "idx"))
    expect(bytes).toEqual({ ...before, total: before.total - shared, packs: before.packs - shared, shared })
  })

  test("and what was left over are told in words, and go with maintenance", async () => {
    const here = await place()
    const store = await here.open()
    await fiveCaptures(here, store)
    const id = "a".repeat(32)
    fs.writeFileSync(join(here.gitdir, "tmp", `pack-${id}00000000.pack`), "half a pack")
    fs.writeFileSync(join(here.gitdir, "leases", `${id}.json`), "damaged")
    for (const name of ["index.lock", "packed-refs.lock"]) fs.writeFileSync(join(here.gitdir, name), "")
    fs.mkdirSync(join(here.gitdir, "restores/elsewhere"), { recursive: true })
    fs.writeFileSync(join(here.gitdir, "restores/elsewhere/running"), "")
    const later = await here.open("project", 2 * HOUR)
    const { leftovers, reclaimable } = await later.status()
    expect(reclaimable).toBe("half a pack".length)
    expect(leftovers.map((line) => line.replace(/[ .].*/, ""))).toEqual(["1", "1", "index", "packed-refs", "A"])
    await later.maintain()
    expect((await later.status()).leftovers).toHaveLength(3)
  })
})
