import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { FileSystem } from "../../src/core/file-system.js"
import type { SnapshotStore } from "../../src/index.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { refusal } from "../../src/platform/io-error.js"
import { damageFile } from "../support/seed-damage.js"
import { git, gitIsThere } from "../support/git.js"
import { expectWhole, seededRepository, type SeededRepository } from "../support/seeded-repository.js"

const COUNT = 12

/** A repository with committed files, and a store with a snapshot that took all of them from there. */
async function captured(): Promise<SeededRepository & { readonly store: SnapshotStore; readonly id: string }> {
  const place = await committed()
  const store = await place.open()
  const { snapshot, stats } = await store.capture()
  expect(stats).toMatchObject({ filesScanned: COUNT, filesRead: 0 })
  return { ...place, store, id: snapshot.id }
}

async function committed(): Promise<SeededRepository> {
  const place = await seededRepository()
  for (let i = 0; i < COUNT; i++) place.write(`d${i % 3}/f${i}`, contentOf(i))
  place.commit()
  return place
}

function contentOf(i: number): string {
  return `content ${i}\n`.repeat(2000 + i)
}

function packsIn(folder: string): string[] {
  return fs.readdirSync(join(folder, "objects/pack")).filter((name) => /\.(?:pack|idx)$/.test(name))
}

/** Restores the snapshot into an emptied work tree, from a store that is opened anew. */
async function expectRestored(place: SeededRepository, id: string): Promise<void> {
  for (const name of fs.readdirSync(place.root))
    if (name !== ".git") fs.rmSync(join(place.root, name), { recursive: true })
  const store = await place.open()
  expect((await store.restore(id)).complete).toBe(true)
  for (let i = 0; i < COUNT; i++)
    expect(fs.readFileSync(join(place.root, `d${i % 3}/f${i}`), "utf8")).toBe(contentOf(i))
}

describe.runIf(gitIsThere())("scenario 9: every snapshot restores whole from the store alone after", () => {
  test.each<[string, (place: SeededRepository) => void]>([
    ["git gc --prune=now", (place) => void place.git("gc", "--quiet", "--prune=now")],
    [
      "git repack -a -d",
      (place) => {
        place.write("later", "later")
        place.git("add", "-A")
        place.git("commit", "-qm", "later")
        place.git("repack", "-adfq")
      },
    ],
    [
      "reset --hard, branch deletion, reflog expire and gc",
      (place) => {
        place.git("checkout", "-q", "--orphan", "fresh")
        place.git("rm", "-rq", "--cached", ".")
        place.git("commit", "-qm", "empty", "--allow-empty")
        place.git("branch", "-D", "main")
        place.git("reset", "-q", "--hard")
        place.git("reflog", "expire", "--expire=all", "--all")
        place.git("gc", "--quiet", "--prune=now")
      },
    ],
    ["deleting the repository", (place) => fs.rmSync(join(place.root, ".git"), { recursive: true })],
    [
      "replacing its packs by damaged ones",
      (place) => {
        const packs = join(place.root, ".git/objects/pack")
        for (const name of fs.readdirSync(packs)) {
          fs.rmSync(join(packs, name))
          fs.writeFileSync(join(packs, name), "nonsense")
        }
      },
    ],
    ["deleting every object that it has", (place) => fs.rmSync(join(place.root, ".git/objects"), { recursive: true })],
  ])("%s", async (_, destroy) => {
    const place = await captured()
    await place.store.close()
    destroy(place)
    expectWhole(place.gitdir)
    const again = await place.open()
    await again.maintain()
    expectWhole(place.gitdir)
    await expectRestored(place, place.id)
  })

  test("alternates of the repository vanish", async () => {
    const origin = await committed()
    const place = await seededRepository()
    fs.rmSync(place.root, { recursive: true })
    git(["clone", "--quiet", "--shared", origin.root, place.root])
    place.ageIndex()
    const store = await place.open()
    const { snapshot, stats } = await store.capture()
    expect(stats.filesRead).toBe(0)
    await store.close()
    fs.rmSync(origin.root, { recursive: true })
    expectWhole(place.gitdir)
    fs.rmSync(join(place.root, ".git"), { recursive: true })
    await expectRestored(place, snapshot.id)
  })
})

describe.runIf(gitIsThere())("a repository that is damaged when it is captured", () => {
  test.each<[string, (place: SeededRepository) => void]>([
    ["a pack that is cut short", (place) => damageFile(place.root, ".pack", (bytes) => bytes.subarray(0, -1000))],
    [
      "a pack with other bytes in the middle of every entry",
      (place) =>
        damageFile(place.root, ".pack", (bytes) =>
          bytes.map((byte, at) => (at > 40 && at < bytes.length - 20 && at % 10 === 0 ? byte ^ 0x55 : byte)),
        ),
    ],
    [
      "an index of a pack with another byte",
      (place) => damageFile(place.root, ".idx", (bytes) => bytes.fill(0x55, 1100, 1101)),
    ],
    ["an empty pack", (place) => damageFile(place.root, ".pack", (bytes) => bytes.subarray(0, 0))],
    [
      "an index of a pack that is a folder",
      (place) => {
        const packs = join(place.root, ".git/objects/pack")
        const index = fs.readdirSync(packs).find((name) => name.endsWith(".idx")) as string
        fs.rmSync(join(packs, index))
        fs.mkdirSync(join(packs, index))
      },
    ],
  ])("gives nothing of its own, and the snapshot is whole: %s", async (_, damage) => {
    const place = await committed()
    damage(place)
    const store = await place.open()
    const { snapshot, stats } = await store.capture()
    expect(stats.filesRead).toBe(COUNT)
    await store.close()
    expect(packsIn(place.gitdir)).toHaveLength(2)
    expectWhole(place.gitdir)
    fs.rmSync(join(place.root, ".git"), { recursive: true })
    await expectRestored(place, snapshot.id)
  })

  test("one damaged entry among sound ones costs the reading of one file", async () => {
    const place = await committed()
    const oid = place.git("rev-parse", "HEAD:d0/f3").trim()
    const [index] = packsIn(join(place.root, ".git")).filter((name) => name.endsWith(".idx"))
    const listed = place.git("verify-pack", "-v", `.git/objects/pack/${index}`)
    const offset = Number(new RegExp(`^${oid} blob +\\d+ \\d+ (\\d+)`, "m").exec(listed)?.[1])
    damageFile(place.root, ".pack", (bytes) => bytes.fill((bytes[offset + 20] as number) ^ 1, offset + 20, offset + 21))
    const store = await place.open()
    const { stats, snapshot } = await store.capture()
    // The entry may be what others are deltas of.
    expect(stats.filesRead).toBeGreaterThan(0)
    await store.close()
    fs.rmSync(join(place.root, ".git"), { recursive: true })
    await expectRestored(place, snapshot.id)
  })

  test("an index that cannot be read is no seed, and the capture says so", async () => {
    const place = await committed()
    const index = join(place.root, ".git/index")
    fs.writeFileSync(index, fs.readFileSync(index).fill(0x55, 100, 101))
    const { stats } = await (await place.open()).capture()
    expect(stats).toMatchObject({
      filesRead: COUNT,
      seedProblem: expect.stringMatching(/^Git's index \S+ cannot be read: /),
    })
  })

  test("object names other than SHA-1 are no seed, and the capture says so", async () => {
    const place = await seededRepository()
    fs.rmSync(join(place.root, ".git"), { recursive: true })
    place.git("init", "--quiet", "--object-format=sha256")
    place.write("a", "a")
    place.commit()
    const { stats } = await (await place.open()).capture()
    expect(stats).toMatchObject({ filesRead: 1, seedProblem: expect.stringContaining("sha256") })
  })
})

/** The calls of a file system, of which each may be the last: from then on all fail. */
function endingAt(end: number): { readonly fileSystem: FileSystem; readonly count: () => number } {
  const real = nodeFileSystem()
  let calls = 0
  const fileSystem = new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== "function") return value
      return (...args: unknown[]) => {
        if (++calls >= end) return Promise.reject(refusal(String(name), String(args[0]), "EIO"))
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
  return { fileSystem, count: () => calls }
}

describe.runIf(gitIsThere())("maintenance", () => {
  test("removes what a capture that was killed, wherever it was, brought in", async () => {
    const place = await committed()
    let packs = 0
    for (let end = 1; ; end += 4) {
      const gitdir = join(place.scratch, `store-${end}`)
      await (await place.open({ gitdir })).close()
      const { fileSystem, count } = endingAt(Number.POSITIVE_INFINITY)
      const killed = join(place.scratch, `killed-${end}`)
      const watched = new Proxy(fileSystem, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name)
          if (typeof value !== "function") return value
          return (...args: unknown[]) => {
            if (count() + 1 === end) copyAsKilled(gitdir, killed)
            return (value as (...args: unknown[]) => unknown).apply(target, args)
          }
        },
      })
      const store = await place.open({ gitdir }, { fileSystem: watched })
      await store.capture()
      await store.close()
      if (!fs.existsSync(killed)) {
        if (count() < end) break
        continue
      }
      packs += packsIn(killed).length
      for (const name of fs.readdirSync(join(killed, "leases"))) {
        const lease = join(killed, "leases", name)
        fs.writeFileSync(lease, fs.readFileSync(lease, "utf8").replace(/"pid":\d+/, '"pid":4194305'))
      }
      // A pack whose index is not in place yet goes when it is old.
      for (const name of fs.readdirSync(join(killed, "objects/pack")))
        fs.utimesSync(join(killed, "objects/pack", name), new Date(0), new Date(0))
      const other = await place.open({ gitdir: killed })
      await other.maintain()
      const listed = await other.list()
      if (listed.length === 0) expect(packsIn(killed)).toEqual([])
      else expectWhole(killed)
      await other.close()
    }
    expect(packs).toBeGreaterThan(0)
  })

  test("keeps of a pack that the repository has dropped what snapshots need, and all of one that it has", async () => {
    const { place, gitdir, id } = await withHistory()
    const before = sizeOf(gitdir)
    const store = await place.open({ gitdir })
    await store.maintain()
    expect(sizeOf(gitdir)).toBe(before)
    fs.rmSync(join(place.root, ".git"), { recursive: true })
    const report = await store.maintain()
    expect(sizeOf(gitdir)).toBeLessThan(before / 2)
    expect(report.bytesFreed).toBe(before - sizeOf(gitdir))
    expectWhole(gitdir)
    expect(await store.maintain()).toMatchObject({ objectsRemoved: 0, bytesFreed: 0 })
    await store.close()
    await expectRestored({ ...place, gitdir, open: (options) => place.open({ gitdir, ...options }) }, id)
  })

  test("that is ended anywhere while it keeps part of a pack loses nothing", async () => {
    const { place, gitdir } = await withHistory()
    fs.rmSync(join(place.root, ".git"), { recursive: true })
    for (let end = 10; ; end += 7) {
      const copy = join(place.scratch, `copy-${end}`)
      fs.cpSync(gitdir, copy, { recursive: true })
      const { fileSystem, count } = endingAt(end)
      const ending = await place.open({ gitdir: copy }, { fileSystem }).catch(() => undefined)
      if (ending === undefined) continue
      const ended = await ending.maintain().then(
        () => false,
        () => true,
      )
      await ending.close().catch(() => {})
      expectWhole(copy)
      fs.rmSync(join(copy, "locks"), { recursive: true })
      const after = await place.open({ gitdir: copy })
      await after.maintain()
      expectWhole(copy)
      expect(sizeOf(copy)).toBeLessThan(sizeOf(gitdir) / 2)
      fs.rmSync(copy, { recursive: true })
      if (!ended && count() < end) break
    }
  })
})

/** A snapshot with a seed from a pack that holds far more than it needs. */
async function withHistory(): Promise<{ place: SeededRepository; gitdir: string; id: string }> {
  const place = await committed()
  for (let i = 0; i < COUNT; i++)
    place.write(`old/${i}`, Array.from({ length: 3000 }, (_, at) => `${at * 7919 * (i + 1)} `).join(""))
  place.commit()
  fs.rmSync(join(place.root, "old"), { recursive: true })
  place.commit()
  const store = await place.open()
  const { snapshot, stats } = await store.capture()
  expect(stats.filesRead).toBe(0)
  await store.close()
  return { place, gitdir: place.gitdir, id: snapshot.id }
}

/** Of the packs that have an index; others go when they are old. */
function sizeOf(gitdir: string): number {
  const names = packsIn(gitdir)
  const isWhole = (name: string): boolean => names.includes(name.replace(/\.pack$/, ".idx"))
  return names.filter(isWhole).reduce((sum, name) => sum + fs.statSync(join(gitdir, "objects/pack", name)).size, 0)
}

describe.runIf(gitIsThere())("a capture with a seed", () => {
  test("changes nothing of the repository but what a second name for a file changes", async () => {
    const place = await committed()
    const before = filesOf(place.root)
    const store = await place.open()
    await store.capture()
    expect(filesOf(place.root)).toEqual(before)
    expect(place.git("status", "--porcelain")).toBe("")
  })

  test("takes the packs by links where it can make any, and by copies where not, without what lies beside them", async () => {
    const place = await committed()
    place.git("repack", "-adqb")
    for (const errno of [undefined, "EXDEV", "EPERM"]) {
      const gitdir = join(place.scratch, `store-${errno}`)
      const real = nodeFileSystem()
      const fileSystem = new Proxy(real, {
        get(target, name) {
          if (name === "linkFile" && errno !== undefined)
            return (from: string, to: string) =>
              to.includes("/objects/pack/")
                ? Promise.reject(refusal("link the file", to, errno))
                : real.linkFile(from, to)
          const value: unknown = Reflect.get(target, name)
          return typeof value === "function" ? value.bind(target) : value
        },
      })
      const store = await place.open({ gitdir }, { fileSystem })
      expect((await store.capture()).stats.filesRead).toBe(0)
      const packs = fs.readdirSync(join(gitdir, "objects/pack"))
      expect(packs).toHaveLength(4)
      expect(packs.every((name) => /^pack-[0-9a-f]{40}\.(?:pack|idx)$/.test(name))).toBe(true)
      expectWhole(gitdir)
    }
  })

  test("that is aborted or fails leaves nothing behind, wherever it ends", async () => {
    const place = await committed()
    let calls = 0
    for (let end = 1; ; end += 3) {
      calls = 0
      const gitdir = join(place.scratch, `store-${end}`)
      const controller = new AbortController()
      const real = nodeFileSystem()
      const fileSystem = new Proxy(real, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name)
          if (typeof value !== "function") return value
          return (...args: unknown[]) => {
            if (++calls === end) controller.abort(new Error("enough"))
            return (value as (...args: unknown[]) => unknown).apply(target, args)
          }
        },
      })
      const store = await place.open({ gitdir }, { fileSystem })
      calls = 0
      const result = await store.capture({ signal: controller.signal }).then(
        () => "captured",
        (error: unknown) => (error as Error).message,
      )
      await store.close()
      if (result === "enough") {
        expect(fs.readdirSync(join(gitdir, "objects/pack"))).toEqual([])
        expect(fs.readdirSync(join(gitdir, "leases"))).toEqual([])
      } else if (calls < end) break
      else expectWhole(gitdir)
    }
  })

  test("is none in a gitdir of another tool, with native git, or without packs in the repository", async () => {
    const place = await committed()
    const foreign = join(place.scratch, "foreign")
    git(["init", "--quiet", "--bare", foreign])
    for (const options of [{ gitdir: foreign }, { backend: "native" as const }]) {
      const { stats } = await (await place.open(options)).capture()
      expect(stats.filesRead).toBe(COUNT)
    }
  })

  test("takes no more than include names, and what is tracked though a pattern of exclude names it", async () => {
    const place = await committed()
    for (const options of [{ include: ["d0/f0", "d1/**"] }, { exclude: ["d0/", "f1"] }]) {
      const name = Object.keys(options)[0] as string
      const seeded = await place.open({ ...options, gitdir: join(place.scratch, `seeded-${name}`) })
      const plain = await place.open({ ...options, backend: "native", gitdir: join(place.scratch, `plain-${name}`) })
      const [found, read] = [await seeded.capture(), await plain.capture()]
      expect(found.stats.filesRead).toBe(0)
      expect(found.snapshot.tree).toBe(read.snapshot.tree)
      expect(found.stats.filesScanned).toBe(name === "include" ? 5 : COUNT)
    }
  })

  test("is one of a first snapshot only: the next one counts on what that one stored", async () => {
    const place = await captured()
    place.write("d0/f0", "changed")
    place.commit()
    const { stats } = await place.store.capture()
    expect(stats).toMatchObject({ filesRead: 1 })
    expect(packsIn(place.gitdir)).toHaveLength(6)
  })
})

/** Every file of the repository with its bytes and times, but for the ctime and number of links of its packs. */
function filesOf(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of fs.readdirSync(join(root, ".git"), { recursive: true, encoding: "utf8" })) {
    const path = join(root, ".git", name)
    const stat = fs.lstatSync(path, { bigint: true })
    const isPack = /\.(?:pack|idx)$/.test(name)
    const content = stat.isFile() ? fs.readFileSync(path).toString("base64") : ""
    found[name] = [stat.mode, stat.mtimeNs, stat.ino, isPack ? "" : stat.ctimeNs, content].join(" ")
  }
  return found
}

/** Calls under way on the thread pool go on meanwhile: what others count on is copied last. */
function copyAsKilled(gitdir: string, killed: string): void {
  const first = ["leases", "refs"]
  for (const name of first) fs.cpSync(join(gitdir, name), join(killed, name), { recursive: true })
  for (const name of fs.readdirSync(gitdir))
    if (!first.includes(name)) fs.cpSync(join(gitdir, name), join(killed, name), { recursive: true })
}
