/*
 * What maintenance removes and what it leaves, in stores that real git has worked on.
 */
import { createHash } from "node:crypto"
import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { isSnapshotError } from "../../src/core/errors.js"
import type { Oid } from "../../src/core/oid.js"
import { snapshotRef, type Workspace } from "../../src/core/ref-name.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { refStore } from "../../src/store/refs.js"
import { snapshotLog } from "../../src/store/snapshot-log.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { git, gitIsThere } from "../support/git.js"
import { GITDIR, newMemory, storeOn, WORKTREE } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const HOUR = 3_600_000
const DAY = 24 * HOUR

interface Place {
  readonly worktree: string
  readonly gitdir: string
  /** Opens the store as if it were so much later. */
  open(aheadMs?: number): Promise<SnapshotStore>
  write(content: string): void
  git(args: readonly string[], input?: string): string
  /** All objects of the store, and those that its refs reach. */
  objects(): { stored: string[]; reached: string[] }
  /** The names in a folder of the store. */
  names(folder: string): string[]
}

async function place(): Promise<Place> {
  const folder = await temporaryFolder()
  const [worktree, gitdir] = [join(folder, "work"), join(folder, "store.git")]
  fs.mkdirSync(worktree)
  const platform = await nodePlatform()
  const run = (args: readonly string[], input = ""): string =>
    git(["--git-dir", gitdir, ...args], { input, cwd: worktree }).text.trim()
  return {
    worktree,
    gitdir,
    open: (aheadMs = 60_000) =>
      storeOn(platform.fileSystem, {
        worktree,
        gitdir,
        clock: { nowMs: () => Date.now() + aheadMs },
        platform: { owner: platform.owner },
      }),
    write: (content) => fs.writeFileSync(join(worktree, "a.txt"), content),
    git: run,
    objects: () => {
      const stored = run(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]).split("\n")
      const reached = run(["rev-list", "--objects", "--no-object-names", "--all"]).split("\n")
      return { stored: [...new Set(stored)].toSorted(), reached: reached.toSorted() }
    },
    names: (name) => (fs.existsSync(join(gitdir, name)) ? fs.readdirSync(join(gitdir, name)).toSorted() : []),
  }
}

async function captureEach(store: SnapshotStore, { write }: Place, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    write(text)
    await store.capture({ label: text })
  }
}

function fsck({ git: run }: Place): void {
  run(["fsck", "--strict", "--full", "--no-dangling"])
}

async function failure(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no failure",
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  )
}

describe.runIf(gitIsThere())("in a store of ours", () => {
  test("what is left is what the refs reach, git finds nothing wrong, and what was let go is gone", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one", "two", "three", "four"])
    await store.prune({ keepLast: 1 })
    const before = here.objects()
    expect(before.stored.length).toBeGreaterThan(before.reached.length)
    await store.maintain()
    fsck(here)
    const { stored, reached } = here.objects()
    expect(reached).toEqual(before.reached)
    expect(stored).toEqual(expect.arrayContaining(reached))
    // One file in one folder: no two snapshots share an object, so no pack stays for the sake of another's.
    expect(stored).toEqual(reached)
  })

  test("all that refs of any kind reach stays: stashes, annotated tags, notes, blobs and links to other refs", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one"])
    const blob = (text: string): string => here.git(["hash-object", "-w", "--stdin"], text)
    const treeOf = (text: string): string => here.git(["mktree"], `100644 blob ${blob(text)}\tfile\n`)
    const commitOf = (text: string): string => here.git(["commit-tree", treeOf(text), "-m", text])
    here.git(["update-ref", "refs/stash", commitOf("stashed")])
    here.git(["tag", "-a", "-m", "tagged", "v1", commitOf("tagged")])
    here.git(["tag", "-a", "-m", "tag of a tag", "v2", "v1"])
    here.git(["tag", "-a", "-m", "of a tree", "v3", treeOf("a tree")])
    here.git(["update-ref", "refs/odd/blob", blob("a blob")])
    here.git(["symbolic-ref", "refs/odd/link", "refs/odd/blob"])
    here.git(["update-ref", "refs/odd/parents", here.git(["commit-tree", treeOf("x"), "-p", commitOf("p"), "-m", "c"])])
    here.git(["pack-refs", "--all"])
    here.git(["update-ref", "refs/odd/loose", commitOf("loose")])
    const nobody = commitOf("nobody")
    fs.writeFileSync(join(here.gitdir, "refs/odd/.DS_Store"), "no ref")
    fs.writeFileSync(join(here.gitdir, "refs/odd/loose.lock"), "")
    const { reached } = here.objects()
    expect(await (await here.open(30 * DAY)).maintain()).toMatchObject({ objectsRemoved: 3 })
    fsck(here)
    expect(here.objects()).toEqual({ stored: reached, reached })
    expect(reached).not.toContain(nobody)
  })

  test("what another tool has just written stays for an hour, loose or packed, whether something names it or not", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one"])
    here.git(["hash-object", "-w", "--stdin"], "loose")
    const packed = here.git(["hash-object", "-w", "--stdin"], "packed")
    here.git(["pack-objects", "-q", join(here.gitdir, "objects/pack/pack")], `${packed}\n`)
    here.git(["prune-packed"])
    const before = here.objects().stored
    expect(await (await here.open(HOUR - 60_000)).maintain()).toMatchObject({ objectsRemoved: 0, packsRemoved: 0 })
    expect(here.objects().stored).toEqual(before)
    expect(await (await here.open(HOUR + 60_000)).maintain()).toMatchObject({ objectsRemoved: 2, packsRemoved: 1 })
    expect(here.objects().stored).toHaveLength(before.length - 2)
    fsck(here)
  })

  test("so does a pack of a tool that names packs after the objects in them", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one"])
    const oids = ["x", "y"].map((text) => here.git(["hash-object", "-w", "--stdin"], text)).toSorted()
    const made = here.git(["pack-objects", "-q", join(here.gitdir, "objects/pack/pack")], `${oids.join("\n")}\n`)
    here.git(["prune-packed"])
    const name = createHash("sha1")
      .update(Buffer.from(oids.join(""), "hex"))
      .digest("hex")
    for (const end of ["idx", "pack"])
      fs.renameSync(
        join(here.gitdir, `objects/pack/pack-${made}.${end}`),
        join(here.gitdir, `objects/pack/pack-${name}.${end}`),
      )
    expect(await (await here.open(HOUR - 60_000)).maintain()).toMatchObject({ packsRemoved: 0 })
    expect(await (await here.open(HOUR + 60_000)).maintain()).toMatchObject({ packsRemoved: 1 })
  })

  test("a pack that git keeps stays, and so does one whose index is damaged or of another version", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one", "two", "three", "four", "five"])
    await store.prune({ keepLast: 1 })
    const newest = here.git(["rev-parse", "refs/baseline/project"])
    const packs = here.names("objects/pack").filter((name) => name.endsWith(".idx"))
    const holds = (name: string): boolean => isIn(here, name, newest)
    const [keep = "", damaged = "", old = ""] = packs.filter((name) => !holds(name))
    const path = (name: string): string => join(here.gitdir, "objects/pack", name)
    fs.writeFileSync(path(keep.replace(".idx", ".keep")), "")
    fs.chmodSync(path(damaged), 0o600)
    fs.appendFileSync(path(damaged), "x")
    fs.chmodSync(path(old), 0o600)
    here.git(["index-pack", "--index-version=1", "-o", path("v1.tmp"), path(old.replace(".idx", ".pack"))])
    fs.renameSync(path("v1.tmp"), path(old))
    expect(await store.maintain()).toMatchObject({ packsRemoved: 1 })
    const left = here.names("objects/pack")
    for (const name of [keep, damaged, old])
      expect(left).toEqual(expect.arrayContaining([name, name.replace(".idx", ".pack")]))
  })

  test("what git keeps about several packs and about commits goes before what it names", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one", "two", "three"])
    here.git(["multi-pack-index", "write"])
    here.git(["commit-graph", "write", "--reachable", "--split"])
    expect(here.names("objects/info")).toContain("commit-graphs")
    await store.maintain()
    expect(here.names("objects/pack")).toContain("multi-pack-index")
    await store.prune({ keepLast: 1 })
    const { reached } = here.objects()
    expect((await store.maintain()).packsRemoved).toBe(2)
    expect(here.names("objects/pack")).toHaveLength(2)
    expect(here.names("objects/info")).not.toContain("commit-graphs")
    fsck(here)
    expect(here.objects()).toEqual({ stored: reached, reached })
  })

  test("a store that git has repacked is collected as any other, with what git put beside the pack", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one", "two", "three"])
    here.git(["repack", "-adq", "--write-bitmap-index"])
    expect(here.names("objects/pack").map((name) => name.replace(/.*\./, ""))).toEqual(
      expect.arrayContaining(["bitmap", "idx", "pack"]),
    )
    await captureEach(store, here, ["four"])
    await store.prune({ keepLast: 1 })
    const { reached } = here.objects()
    const later = await here.open(2 * HOUR)
    expect(await later.maintain()).toMatchObject({ packsRemoved: 1 })
    expect(here.names("objects/pack")).toHaveLength(2)
    fsck(here)
    expect(here.objects()).toEqual({ stored: reached, reached })
  })

  test("a pack that lost its index stays as long as something that is reached is missing, and goes otherwise", async () => {
    const here = await place()
    const store = await here.open()
    fs.writeFileSync(join(here.worktree, "shared"), "in both snapshots, and stored with the first")
    await captureEach(store, here, ["one", "two"])
    await store.prune({ keepLast: 1 })
    const indexes = (): string[] => here.names("objects/pack").filter((name) => name.endsWith(".idx"))
    const packs = (): string[] => here.names("objects/pack").filter((name) => name.endsWith(".pack"))
    // The first pack has what both snapshots share.
    const [first = ""] = indexes().toSorted(
      (a, b) =>
        fs.statSync(join(here.gitdir, "objects/pack", a)).mtimeMs -
        fs.statSync(join(here.gitdir, "objects/pack", b)).mtimeMs,
    )
    const index = fs.readFileSync(join(here.gitdir, "objects/pack", first))
    fs.rmSync(join(here.gitdir, "objects/pack", first))
    await (await here.open(30 * DAY)).maintain().catch(() => undefined)
    expect(packs()).toContain(first.replace(".idx", ".pack"))
    fs.writeFileSync(join(here.gitdir, "objects/pack", first), index)
    fsck(here)
    fs.copyFileSync(
      join(here.gitdir, "objects/pack", first.replace(".idx", ".pack")),
      join(here.gitdir, "objects/pack/pack-left.pack"),
    )
    await (await here.open(30 * DAY)).maintain()
    expect(packs()).not.toContain("pack-left.pack")
    fsck(here)
  })

  test("a snapshot whose commit or ref is damaged can be forgotten by the name of its ref", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one", "two", "three"])
    const [, second, first] = await store.list()
    fs.writeFileSync(join(here.gitdir, second?.ref ?? ""), "")
    fs.writeFileSync(join(here.gitdir, first?.ref ?? ""), `${"1".repeat(40)}\n`)
    await expect(store.maintain()).rejects.toMatchObject({ code: "REF_INVALID" })
    await store.forget(second?.ref ?? "")
    await expect(store.maintain()).rejects.toMatchObject({ code: "OBJECT_MISSING" })
    await store.forget(first?.ref ?? "")
    await store.maintain()
    expect(await store.list()).toHaveLength(1)
  })

  test("objects of alternates are not touched, and count as being there", async () => {
    const [here, lender] = [await place(), await place()]
    const lending = await lender.open()
    await captureEach(lending, lender, ["lent"])
    const commit = lender.git(["rev-parse", "refs/baseline/project"])
    const store = await here.open()
    await captureEach(store, here, ["one"])
    fs.mkdirSync(join(here.gitdir, "objects/info"))
    fs.writeFileSync(join(here.gitdir, "objects/info/alternates"), `${lender.gitdir}/objects\n`)
    here.git(["update-ref", "refs/heads/lent", commit])
    await lending.prune({ keepLast: 0 })
    const before = lender.objects().stored
    await (await here.open(30 * DAY)).maintain()
    expect(lender.objects().stored).toEqual(before)
    fsck(here)
  })

  test("a tree that calls a folder a file does not hide what is in the folder", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one"])
    const blob = here.git(["hash-object", "-w", "--stdin"], "inside")
    const folder = here.git(["mktree"], `100644 blob ${blob}\tfile\n`)
    const bytes = Buffer.concat([Buffer.from("100644 a\0"), Buffer.from(folder, "hex")])
    const liar = git(["--git-dir", here.gitdir, "hash-object", "-w", "-t", "tree", "--literally", "--stdin"], {
      input: bytes,
    }).text.trim()
    here.git(["update-ref", "refs/odd/a-liar", here.git(["commit-tree", liar, "-m", "liar"])])
    here.git(["update-ref", "refs/odd/honest", here.git(["commit-tree", folder, "-m", "honest"])])
    await (await here.open(30 * DAY)).maintain()
    expect(here.git(["cat-file", "-p", blob])).toBe("inside")
  })
})

describe.runIf(gitIsThere())("nothing is removed", () => {
  /** A store with something to remove, and what it holds. */
  async function pruned(): Promise<{ here: Place; store: SnapshotStore; packs: readonly string[] }> {
    const here = await place()
    const store = await here.open(30 * DAY)
    await captureEach(store, here, ["one", "two"])
    await store.prune({ keepLast: 1 })
    here.git(["hash-object", "-w", "--stdin"], "loose")
    return { here, store, packs: here.names("objects/pack") }
  }

  test.each([
    ["an emptied ref", "refs/heads/x", "", "REF_INVALID"],
    ["a ref that was cut", "refs/heads/x", "0123456789", "REF_INVALID"],
    ["a ref directly under refs/ that is no oid", "refs/stash", "?\n", "REF_INVALID"],
    ["packed refs that were cut", "packed-refs", "# pack-refs with: peeled \n01234567", "REF_INVALID"],
    ["a ref to an object that is missing", "refs/heads/x", `${"1".repeat(40)}\n`, "OBJECT_MISSING"],
    ["a configuration that forbids it", "config", "[extensions]\n\tpreciousObjects\n", "UNSUPPORTED"],
  ])("with %s", async (_what, path, content, code) => {
    const { here, store, packs } = await pruned()
    fs.mkdirSync(join(here.gitdir, path, ".."), { recursive: true })
    fs.appendFileSync(join(here.gitdir, path), content)
    expect(await failure(store.maintain())).toBe(code)
    expect(here.names("objects/pack")).toEqual(packs)
    expect(here.names("locks")).toEqual([])
  })

  test("with a tree that is missing or damaged below a ref", async () => {
    const { here, store, packs } = await pruned()
    const blob = here.git(["hash-object", "-w", "--stdin"], "x")
    const inner = here.git(["mktree"], `100644 blob ${blob}\tx\n`)
    const outer = here.git(["mktree"], `040000 tree ${inner}\tinner\n`)
    here.git(["update-ref", "refs/heads/x", here.git(["commit-tree", outer, "-m", "x"])])
    const file = join(here.gitdir, "objects", inner.slice(0, 2), inner.slice(2))
    const bytes = fs.readFileSync(file)
    fs.chmodSync(file, 0o600)
    fs.writeFileSync(file, bytes.subarray(0, -3))
    expect(await failure(store.maintain())).toBe("OBJECT_CORRUPT")
    fs.rmSync(file)
    expect(await failure(store.maintain())).toBe("OBJECT_MISSING")
    expect(here.names("objects/pack")).toEqual(packs)
    expect(here.git(["cat-file", "-t", blob])).toBe("blob")
    fs.writeFileSync(file, bytes)
    expect(await store.maintain()).toMatchObject({ packsRemoved: 1, objectsRemoved: 4 })
  })
})

describe.runIf(gitIsThere())("leftovers", () => {
  test("of dead captures go at once, those of live ones and of others that are not a day old stay", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one"])
    const platform = await nodePlatform()
    const own = await platform.owner.current()
    const lease = (id: string, owner: unknown, createdMs = Date.now()): void => {
      fs.writeFileSync(join(here.gitdir, "leases", `${id}.ref`), "")
      fs.writeFileSync(join(here.gitdir, "leases", `${id}.json`), JSON.stringify({ id, createdMs, owner }))
      fs.writeFileSync(join(here.gitdir, "tmp", `pack-${id}01234567.pack`), "PACK")
    }
    const [dead, live, elsewhere, longAgo, damaged] = ["d", "a", "e", "f", "b"].map((digit) => digit.repeat(32)) as [
      string,
      string,
      string,
      string,
      string,
    ]
    lease(dead, { ...own, startTime: "1" })
    lease(live, own)
    lease(elsewhere, { host: "elsewhere", pid: 1 })
    lease(longAgo, { host: "elsewhere", pid: 1 }, Date.now() - 2 * DAY)
    lease(damaged, own)
    fs.writeFileSync(join(here.gitdir, "leases", `${damaged}.json`), "{")
    fs.writeFileSync(join(here.gitdir, "leases", `${"c".repeat(32)}.ref`), "")
    fs.writeFileSync(join(here.gitdir, "leases", "README"), "no lease")
    fs.writeFileSync(join(here.gitdir, "tmp", "0".repeat(32)), "")
    fs.writeFileSync(join(here.gitdir, "tmp", `pack-${"9".repeat(40)}.idx`), "of no lease")
    await store.maintain()
    const two = (id: string): string[] => [`${id}.json`, `${id}.ref`]
    expect(here.names("leases")).toEqual(
      [...two(live), ...two(elsewhere), `${"c".repeat(32)}.ref`, "README"].toSorted(),
    )
    expect(here.names("tmp")).toEqual(
      ["0".repeat(32), ...[live, elsewhere].map((id) => `pack-${id}01234567.pack`)].toSorted(),
    )
    await (await here.open(DAY + HOUR)).maintain()
    expect(here.names("leases")).toEqual([...two(live), "README"].toSorted())
    expect(here.names("tmp")).toEqual([`pack-${live}01234567.pack`])
  })

  test("of killed gits and half packs go when they are a day old", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one"])
    const good = here.names("objects/pack")
    fs.mkdirSync(join(here.gitdir, "objects/ab"), { recursive: true })
    fs.mkdirSync(join(here.gitdir, "tmp/native-x/objects"), { recursive: true })
    fs.symlinkSync(here.worktree, join(here.gitdir, "tmp/native-x/link"))
    const junk = [
      "objects/pack/tmp_pack_abc",
      "objects/pack/tmp_idx_abc",
      `objects/pack/pack-${"1".repeat(40)}.pack`,
      `objects/pack/pack-${"2".repeat(40)}.idx`,
      `objects/pack/pack-${"3".repeat(40)}.rev`,
      "objects/ab/tmp_obj_abc",
      "tmp/native-x/objects/file",
    ]
    for (const path of junk) fs.writeFileSync(join(here.gitdir, path), "junk")
    fs.writeFileSync(join(here.gitdir, "objects/pack/README"), "not git's")
    await store.maintain()
    for (const path of junk) expect(fs.existsSync(join(here.gitdir, path)), path).toBe(true)
    const report = await (await here.open(DAY + HOUR)).maintain()
    expect(report).toMatchObject({ objectsRemoved: 0, packsRemoved: 0 })
    expect(report.bytesFreed).toBeGreaterThanOrEqual(4 * junk.length)
    expect(here.names("objects/pack")).toEqual([...good, "README"].toSorted())
    expect([...here.names("objects/ab"), ...here.names("tmp")]).toEqual([])
    // What a link leads to is not the store's.
    expect(fs.readFileSync(join(here.worktree, "a.txt"), "utf8")).toBe("one")
  })

  test("of killed restores go after a day", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one", "two"])
    const [, older] = await store.list()
    const ref = "refs/restores/project/20200101T000000000Z-0123456789abcdef"
    here.git(["update-ref", ref, older?.tree ?? ""])
    const now = new Date().toISOString().replaceAll(/[-:.]/g, "")
    here.git(["update-ref", `refs/restores/project/${now}-0123456789abcdef`, older?.tree ?? ""])
    await store.prune({ keepLast: 1 })
    await store.maintain()
    expect(here.names("refs/restores/project")).toEqual([`${now}-0123456789abcdef`])
    expect(here.git(["cat-file", "-t", older?.tree ?? ""])).toBe("tree")
    await (await here.open(2 * DAY)).maintain()
    expect(here.names("refs/restores/project")).toEqual([])
  })
})

describe.runIf(gitIsThere())("pruning packed refs", () => {
  async function packed(): Promise<{ here: Place; store: SnapshotStore; lock: string }> {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one", "two"])
    here.git(["tag", "-a", "-m", "peeled", "v1", "refs/baseline/project"])
    here.git(["pack-refs", "--all", "--prune"])
    await captureEach(store, here, ["three", "four"])
    return { here, store, lock: join(here.gitdir, "packed-refs.lock") }
  }

  test("removes exactly those, and git reads the rest as before", async () => {
    const { here, store } = await packed()
    const refs = (): string[] =>
      here.git(["for-each-ref", "--format=%(objectname) %(*objectname) %(refname)"]).split("\n")
    const before = refs()
    const { removed } = await store.prune({ keepLast: 2 })
    expect(removed.map(({ label }) => label)).toEqual(["two", "one"])
    const gone = new Set(removed.map(({ ref }) => ref))
    expect(refs()).toEqual(before.filter((line) => !gone.has(line.split(" ").at(-1) ?? "")))
    await store.maintain()
    fsck(here)
  })

  test("waits for a tool that holds the packed refs, whose lock stays as it is", async () => {
    const { here, store, lock } = await packed()
    fs.writeFileSync(lock, "theirs")
    const { removed, kept } = await store.prune({ keepLast: 1 })
    expect([removed.length, kept.length]).toEqual([0, 4])
    expect(await store.list()).toHaveLength(4)
    // A lock that a killed tool left bars only the refs that are packed.
    const later = await here.open(2 * HOUR)
    expect((await later.prune({ keepLast: 1 })).removed.map(({ label }) => label)).toEqual(["three"])
    expect(fs.readFileSync(lock, "utf8")).toBe("theirs")
    fs.rmSync(lock)
    expect((await store.prune({ keepLast: 1 })).removed.map(({ label }) => label)).toEqual(["two", "one"])
    expect(fs.existsSync(lock)).toBe(false)
  })

  test("holds git's own lock meanwhile, so that git does not pack what goes", async () => {
    const { here, store } = await packed()
    const platform = await nodePlatform()
    let refused = 0
    const watching = new Proxy(platform.fileSystem, {
      get(target, name): unknown {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== "function") return value
        return (...args: readonly unknown[]): unknown => {
          if (name === "unlink" && String(args[0]).includes("/refs/snapshots/"))
            refused += git(["--git-dir", here.gitdir, "-c", "core.packedRefsTimeout=0", "pack-refs", "--all"], {
              anyStatus: true,
            }).status
          return Reflect.apply(value, target, args)
        }
      },
    })
    const { worktree, gitdir } = here
    const gated = await storeOn(watching, { worktree, gitdir, platform: { owner: platform.owner } })
    const { removed } = await gated.prune({ keepLast: 1 })
    expect(removed).toHaveLength(3)
    expect(refused).toBeGreaterThan(0)
    expect(await store.list()).toHaveLength(1)
  })
})

describe.runIf(gitIsThere())("in a gitdir that another tool made", () => {
  async function foreign(): Promise<Place> {
    const here = await place()
    git(["init", "-q", "--bare", here.gitdir])
    return here
  }

  test("its index and its trees without refs stay; what nothing names goes after seven days", async () => {
    const here = await foreign()
    const worktree = ["--work-tree", here.worktree]
    here.write("tracked")
    here.git([...worktree, "add", "."])
    const first = here.git(["write-tree"])
    here.write("changed")
    here.git([...worktree, "add", "."])
    const nobody = here.git(["hash-object", "-w", "--stdin"], "nobody")
    const index = fs.readFileSync(join(here.gitdir, "index"))
    const store = await here.open()
    await store.capture()
    expect(await (await here.open(6 * DAY)).maintain()).toMatchObject({ adopted: 1, objectsRemoved: 0 })
    const report = await (await here.open(8 * DAY)).maintain()
    expect(report).toMatchObject({ adopted: 0, objectsRemoved: 1 })
    expect(here.git(["ls-tree", "--name-only", first])).toBe("a.txt")
    expect(here.git(["cat-file", "-p", ":a.txt"])).toBe("changed")
    expect(fs.readFileSync(join(here.gitdir, "index"))).toEqual(index)
    expect(here.objects().stored).not.toContain(nobody)
    fsck(here)
  })

  test("other programs' files among its refs and work trees bar nothing", async () => {
    const here = await foreign()
    here.write("one")
    const store = await here.open(8 * DAY)
    await captureEach(store, here, ["one"])
    here.git(["hash-object", "-w", "--stdin"], "nobody")
    for (const path of ["refs/heads/.DS_Store", "worktrees/.DS_Store", "worktrees/one/refs/bisect/.DS_Store"]) {
      fs.mkdirSync(join(here.gitdir, path, ".."), { recursive: true })
      fs.writeFileSync(join(here.gitdir, path), "\0\0")
    }
    expect(await store.maintain()).toMatchObject({ objectsRemoved: 1 })
    fs.writeFileSync(join(here.gitdir, "worktrees/one/refs/bisect/bad"), "")
    expect(await failure(store.maintain())).toBe("REF_INVALID")
  })

  test("adopted trees go by keepWithinMs, only then, and are not adopted again", async () => {
    const here = await foreign()
    const blob = here.git(["hash-object", "-w", "--stdin"], "theirs")
    const tree = here.git(["mktree"], `100644 blob ${blob}\tfile\n`)
    here.write("one")
    const store = await here.open()
    await store.capture()
    expect((await store.prune({ keepLast: 1 })).adopted).toEqual([])
    expect(here.names("refs/adopted")).toHaveLength(1)
    const later = await here.open(8 * DAY)
    expect((await later.prune({ keepWithinMs: 9 * DAY })).adopted).toEqual([])
    expect((await later.prune({ keepWithinMs: 7 * DAY }, { dryRun: true })).adopted).toEqual([tree])
    expect((await later.prune({ keepWithinMs: 7 * DAY })).adopted).toEqual([tree])
    expect(await later.maintain()).toMatchObject({ adopted: 0, objectsRemoved: 2 })
    expect(here.names("refs/adopted")).toEqual([])
    expect(await store.list()).toHaveLength(1)
    fsck(here)
  })
})

test("a damaged snapshot neither hides the others from prune nor is removed, and bars collection", async () => {
  const here = await place()
  const store = await here.open()
  await captureEach(store, here, ["one", "two", "three"])
  const [, two] = await store.list()
  fs.writeFileSync(join(here.gitdir, two?.ref ?? ""), `${"1".repeat(40)}\n`)
  const { removed, kept } = await store.prune({ keepLast: 1 })
  expect([removed, kept].map((list) => list.map(({ label }) => label))).toEqual([["one"], ["three"]])
  const error: unknown = await store.maintain().catch((reason: unknown) => reason)
  expect(isSnapshotError(error, "OBJECT_MISSING")).toBe(true)
})

test.each([
  ["the emptied baseline of the workspace", "refs/baseline/project", ""],
  ["the damaged baseline of another scope", "refs/baseline/project.0123", "ref: refs/heads/x\n"],
])("prune sets or removes %s, and tells what it removed", async (_what, ref, content) => {
  const here = await place()
  const store = await here.open()
  await captureEach(store, here, ["one", "two"])
  fs.writeFileSync(join(here.gitdir, ref), content)
  expect((await store.prune({ keepLast: 1 })).removed.map(({ label }) => label)).toEqual(["one"])
  const [newest] = await store.list()
  const baseline = join(here.gitdir, "refs/baseline/project")
  expect(fs.readFileSync(baseline, "utf8")).toBe(`${newest?.id}\n`)
  expect(here.names("refs/baseline")).toEqual(["project"])
})

test("prune leaves a baseline on a snapshot whose ref is damaged, and tells what it removed", async () => {
  const here = await place()
  const store = await here.open()
  await captureEach(store, here, ["one", "two", "three"])
  const [three] = await store.list()
  fs.writeFileSync(join(here.gitdir, three?.ref ?? ""), "")
  expect((await store.prune({ keepLast: 1 })).removed.map(({ label }) => label)).toEqual(["one"])
  expect(fs.readFileSync(join(here.gitdir, "refs/baseline/project"), "utf8")).toBe(`${three?.id}\n`)
})

describe("markers of snapshots that were published without syncing", () => {
  test("go with their snapshot, once its pack is synced or gone; those of others stay", async () => {
    const memory = newMemory()
    const recorded = faultyFileSystem(memory.fileSystem)
    memory.disk.fs.mkdirSync(WORKTREE, { recursive: true })
    const store = await storeOn(recorded, { durability: "process" })
    memory.disk.fs.writeFileSync(`${WORKTREE}/same.txt`, "in the first pack alone, and needed by the last")
    for (const text of ["one", "two", "three"]) {
      memory.disk.fs.writeFileSync(`${WORKTREE}/a.txt`, text)
      await store.capture()
    }
    expect(memory.disk.names(`${GITDIR}/unsynced`)).toHaveLength(3)
    await store.prune({ keepLast: 1 })
    const before = recorded.calls.length
    expect(await store.maintain()).toMatchObject({ packsRemoved: 1 })
    const [left, ...more] = memory.disk.names(`${GITDIR}/unsynced`)
    expect(more).toEqual([])
    const [newest] = await store.list()
    expect(String(memory.disk.fs.readFileSync(`${GITDIR}/unsynced/${left}`))).toBe(`${newest?.ref}\n`)
    const calls = recorded.calls.slice(before).map(({ kind, path }) => `${kind} ${path.slice(GITDIR.length)}`)
    const removals = calls.filter((call) => call.startsWith("unlink /unsynced/"))
    expect(removals).toHaveLength(2)
    const packs = memory.disk.names(`${GITDIR}/objects/pack`).filter((name) => !name.includes(`${left}`))
    expect(packs).toHaveLength(2)
    const synced = [...packs.map((name) => `file.sync /objects/pack/${name}`), "syncFolder /objects/pack"]
    const marker = calls.indexOf(`unlink /unsynced/${packs[0]?.slice("pack-".length, "pack-".length + 32)}`)
    for (const call of synced) {
      expect(calls).toContain(call)
      expect(calls.indexOf(call)).toBeLessThan(marker)
    }
  })

  test("stay while their capture runs, and go with one that died", async () => {
    const here = await place()
    const store = await here.open()
    await captureEach(store, here, ["one"])
    const own = await (await nodePlatform()).owner.current()
    const [live, dead] = ["a", "d"].map((digit) => digit.repeat(32)) as [string, string]
    for (const [id, owner] of [
      [live, own],
      [dead, { ...own, startTime: "1" }],
    ] as const) {
      fs.writeFileSync(join(here.gitdir, "leases", `${id}.ref`), "")
      const terms = { id, createdMs: Date.now(), owner }
      fs.writeFileSync(join(here.gitdir, "leases", `${id}.json`), JSON.stringify(terms))
      const ref = `refs/snapshots/project/20260101T000000000Z-${id.slice(0, 16)}`
      fs.writeFileSync(join(here.gitdir, "unsynced", id), `${ref}\n`)
    }
    fs.writeFileSync(join(here.gitdir, "unsynced", "README"), "no marker")
    await store.maintain()
    expect(here.names("unsynced")).toEqual(["README", live])
  })
})

test("a snapshot that goes between the look at its ref and at its commit is none; one that lost its commit is damage", async () => {
  const { fileSystem } = newMemory()
  const refs = refStore(fileSystem, "/store", "/store/tmp")
  await fileSystem.makeFolder("/store")
  await fileSystem.makeFolder("/store/tmp")
  const ref = snapshotRef("desk" as Workspace, 0, "0123456789abcdef")
  const read = async (removes: boolean): Promise<number> => {
    await refs.write(ref, "1".repeat(40) as Oid, false)
    const reader = {
      async read(): Promise<undefined> {
        if (removes) await refs.removeLoose(ref)
      },
    }
    let count = 0
    for await (const _snapshot of snapshotLog(refs, reader).newestFirst("desk" as Workspace, "throw")) count++
    return count
  }
  expect(await read(true)).toBe(0)
  expect(await failure(read(false))).toBe("OBJECT_MISSING")
})

function isIn({ gitdir }: Place, index: string, oid: string): boolean {
  const listed = git(["show-index"], { input: fs.readFileSync(join(gitdir, "objects/pack", index)) }).text
  return listed.includes(oid)
}
