import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Oid } from "../../src/core/oid.js"
import type { Progress, Snapshot, VerifyReport } from "../../src/index.js"
import { damageEntry, flipped, overwrite, packsOf, writeLoose, writeSnapshot, writeTree } from "../support/damage.js"
import { git, gitIsThere } from "../support/git.js"
import { noise } from "../support/git-objects.js"
import { expectError, onDisk, onMemory, type StoreUnderTest } from "../support/store-under-test.js"

/** Snapshots of each text as the content of `a`, with the pack that each got; another file is the same in all. */
async function storeOf(
  place: StoreUnderTest,
  texts: readonly string[],
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly packs: readonly string[] }> {
  const store = await place.open()
  const snapshots: Snapshot[] = []
  const packs: string[] = []
  place.write("sub/same", "the same in all")
  for (const text of texts) {
    place.write("a", text)
    snapshots.push((await store.capture({ label: text })).snapshot)
    packs.push(...packsOf(place).filter((path) => !packs.includes(path)))
  }
  await store.close()
  return { snapshots, packs }
}

async function verify(place: StoreUnderTest, repair = false): Promise<VerifyReport> {
  return (await place.open()).verify({ repair })
}

async function text(place: StoreUnderTest, rev: string, path: string): Promise<string> {
  return Buffer.from((await (await place.open()).readFile(rev, path)) ?? []).toString()
}

function within(place: StoreUnderTest, path: string): string {
  return path.slice(place.gitdir.length + 1)
}

/** The oid of a path in a snapshot. */
async function oidOf(place: StoreUnderTest, rev: string, path: string): Promise<string> {
  place.write("other", "to be compared")
  const changes = await (await place.open()).changes(rev, "worktree")
  place.remove("other")
  const found = changes.find((change) => change.path === path)?.before?.oid
  return found ?? expect.fail(`${path} is the same in the work tree`)
}

const PLACES = [
  ["node:fs", () => onDisk()],
  ["memfs", () => onMemory()],
] as const

describe.each(PLACES)("verify on %s", (_, start) => {
  test("a store as it should be has no problem, and nothing in it changes", async () => {
    const place = await start()
    await storeOf(place, ["one", "two", "three"])
    const store = await place.open()
    await store.restore("latest~1")
    const before = place.stored()
    const seen: Progress[] = []
    const report = await store.verify({ onProgress: (progress) => void seen.push(progress) })
    expect(report).toMatchObject({ ok: true, snapshots: 4, problems: [], repaired: [], setAside: [] })
    // Four commits, four trees and four files; on memfs, a manifest of three.
    expect([12, 15]).toContain(report.objects)
    expect(place.stored()).toEqual(before)
    expect(seen.every(({ phase }) => phase === "verify")).toBe(true)
    expect(seen.at(-1)).toMatchObject({ done: seen.at(-1)?.total })
  })

  test("a pack that was cut is named with its objects, and the snapshot that they are in by its ref", async () => {
    const place = await start()
    const { snapshots, packs } = await storeOf(place, ["one", "two", "three"])
    const file = within(place, `${packs[1]}.pack`)
    overwrite(place, `${packs[1]}.pack`, (bytes) => bytes.subarray(0, bytes.length - 30))
    const { ok, problems } = await verify(place)
    expect(ok).toBe(false)
    expect(problems.find(({ oid }) => oid === file)).toEqual({
      oid: file,
      problem: "corrupt",
      file,
      snapshots: [snapshots[1]?.ref],
    })
    expect(new Set(problems.flatMap((problem) => problem.snapshots))).toEqual(new Set([snapshots[1]?.ref]))
  })

  test("a damaged file names every snapshot that has it, the oldest first, and no other", async () => {
    const place = await start()
    const { snapshots } = await storeOf(place, ["one", "two", "three"])
    place.write("a", "changed")
    place.write("sub/same", "changed, too")
    const last = await (await place.open()).capture()
    const oid = await oidOf(place, snapshots[0]?.id ?? "", "sub/same")
    const file = await damageEntry(place, oid)
    const { problems, snapshots: count } = await verify(place)
    expect(problems).toEqual([{ oid, problem: "corrupt", file, snapshots: snapshots.map(({ id }) => id) }])
    expect(count).toBe(4)
    expect((await (await place.open()).resolve("latest")).id).toBe(last.snapshot.id)
  })

  test("the snapshots of other workspaces are checked, too", async () => {
    const place = await start()
    await storeOf(place, ["one"])
    place.write("a", "another text")
    const other = await place.open({ workspace: "another" })
    const { snapshot } = await other.capture()
    place.write("a", "one")
    const oid = await oidOf(place, snapshot.ref, "a")
    const file = await damageEntry(place, oid)
    expect((await verify(place)).problems).toEqual([{ oid, problem: "corrupt", file, snapshots: [snapshot.id] }])
  })

  test("a damaged object that nothing reaches touches no snapshot, nor does a damaged copy beside a good one", async () => {
    const place = await start()
    const { snapshots } = await storeOf(place, ["one", "two"])
    const unreached = writeLoose(place, "blob", Buffer.from("nobody names this one"))
    const copied = writeLoose(place, "blob", Buffer.from("the same in all"))
    for (const oid of [unreached, copied])
      overwrite(place, join(place.gitdir, "objects", oid.slice(0, 2), oid.slice(2)), (bytes) => flipped(bytes, -3))
    const { problems } = await verify(place)
    expect(problems.map(({ oid, snapshots: touched }) => [oid, touched]).sort()).toEqual(
      [
        [copied, []],
        [unreached, []],
      ].sort(),
    )
    const { ok, setAside } = await verify(place, true)
    expect([ok, setAside.length]).toEqual([true, 2])
    expect(await text(place, snapshots[0]?.id ?? "", "sub/same")).toBe("the same in all")
  })

  test("a ref that names another snapshot's commit is damaged, and gets its own back", async () => {
    const place = await start()
    const { snapshots } = await storeOf(place, ["one", "two"])
    const [first, second] = snapshots as [Snapshot, Snapshot]
    overwrite(place, join(place.gitdir, first.ref), () => Buffer.from(`${second.id}\n`))
    expect((await verify(place)).problems).toMatchObject([{ oid: first.ref, problem: "corrupt" }])
    const store = await place.open()
    expect(await store.verify({ repair: true })).toMatchObject({ ok: true })
    expect((await store.list()).map(({ id }) => id)).toEqual([second.id, first.id])
  })

  test("what is not a boolean is refused as repair, and an abort ends it with the signal's reason", async () => {
    const place = await start()
    await storeOf(place, ["one"])
    const store = await place.open()
    await expectError(store.verify({ repair: 1 as unknown as boolean }), "INVALID_ARGUMENT", { argument: "repair" })
    const reason = new Error("enough")
    await expect(store.verify({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const stop = (): void => controller.abort(reason)
    await expect(store.verify({ signal: controller.signal, onProgress: stop })).rejects.toBe(reason)
  })
})

describe.each(PLACES)("repair on %s", (_, start) => {
  test("an index that is gone is made anew, byte for byte, and nothing is moved", async () => {
    const place = await start()
    const { packs } = await storeOf(place, ["one", "two"])
    const before = place.stored()
    place.fs.unlinkSync(`${packs[0]}.idx`)
    const index = within(place, `${packs[0]}.idx`)
    const store = await place.open()
    const found = await store.verify()
    expect(found.problems.find(({ oid }) => oid === index)).toMatchObject({ problem: "missing" })
    const { ok, repaired, setAside } = await store.verify({ repair: true })
    expect([ok, setAside]).toEqual([true, []])
    expect(repaired).toContain(index)
    expect(new Set(repaired)).toEqual(new Set(found.problems.map(({ oid }) => oid)))
    const content = (stored: ReturnType<StoreUnderTest["stored"]>): string =>
      String(stored[index]).replace(/^file \d+/, "")
    expect(content(place.stored())).toBe(content(before))
    expect(await store.maintain()).toMatchObject({ packsRemoved: 0 })
  })

  test("a pack whose checksum is wrong is replaced by one with all that was in it, and kept", async () => {
    const place = await start()
    const { snapshots, packs } = await storeOf(place, ["one", "two"])
    overwrite(place, `${packs[0]}.pack`, (bytes) => flipped(bytes, -1))
    const { ok, setAside } = await verify(place, true)
    const name = within(place, packs[0] as string)
    expect([ok, setAside]).toEqual([true, [`damaged/${name}.idx`, `damaged/${name}.pack`]])
    expect(place.fs.lstatSync(join(place.gitdir, `damaged/${name}.pack`)).isFile()).toBe(true)
    for (const [i, { id }] of snapshots.entries()) expect(await text(place, id, "a")).toBe(["one", "two"][i])
    expect(await (await place.open()).maintain()).toMatchObject({ packsRemoved: 0, objectsRemoved: 0 })
  })

  test("a lost file is taken back from the work tree, wherever it is by now", async () => {
    const place = await start()
    const { snapshots } = await storeOf(place, ["one", "two"])
    place.remove("sub/same")
    const oid = await oidOf(place, "latest", "sub/same")
    await damageEntry(place, oid)
    place.write("elsewhere/moved", "the same in all")
    const { ok, repaired } = await verify(place, true)
    expect([ok, repaired]).toEqual([true, [oid]])
    for (const { id } of snapshots) expect(await text(place, id, "sub/same")).toBe("the same in all")
  })

  test("a lost folder and a lost manifest are made again from the work tree as it is", async () => {
    const place = await start()
    place.folder("empty")
    const { snapshots } = await storeOf(place, ["one"])
    const { tree } = snapshots[0] as Snapshot
    const [pack] = packsOf(place) as [string]
    overwrite(place, `${pack}.pack`, () => new Uint8Array())
    writeSnapshotAgain(place, snapshots[0] as Snapshot)
    const found = await verify(place)
    expect(found.problems.map(({ oid }) => oid)).toContain(tree)
    const { ok, problems } = await verify(place, true)
    expect([ok, problems]).toEqual([true, []])
    expect(await text(place, "latest", "a")).toBe("one")
  })

  test("a snapshot that has lost a file for good stays listed, and all else of it can be read", async () => {
    const place = await start()
    const { snapshots } = await storeOf(place, ["one ".repeat(50), "two"])
    const id = snapshots[0]?.id ?? ""
    const oid = await oidOf(place, id, "a")
    await damageEntry(place, oid)
    const { ok, problems, repaired } = await verify(place, true)
    expect([ok, repaired]).toEqual([false, []])
    expect(problems).toEqual([{ oid, problem: "missing", snapshots: [id] }])
    const store = await place.open()
    expect((await store.list()).map((snapshot) => snapshot.id)).toEqual(snapshots.map((each) => each.id).toReversed())
    expect(await text(place, id, "sub/same")).toBe("the same in all")
    await expectError(store.readFile(id, "a"), "OBJECT_MISSING", { oid })
    await store.maintain()
  })

  test("a damaged ref gets its snapshot back; one whose commit is lost moves aside, and maintenance runs again", async () => {
    const place = await start()
    const { snapshots, packs } = await storeOf(place, ["one", "two", "three"])
    const [first, second, third] = snapshots as [Snapshot, Snapshot, Snapshot]
    overwrite(place, join(place.gitdir, first.ref), () => new Uint8Array())
    overwrite(place, `${packs[1]}.pack`, () => new Uint8Array())
    const store = await place.open()
    await expect(store.maintain()).rejects.toMatchObject({ code: "REF_INVALID" })
    const { ok, problems, repaired, setAside } = await store.verify({ repair: true })
    expect([ok, repaired]).toEqual([false, [first.ref]])
    expect(problems).toEqual([{ oid: second.id, problem: "missing", snapshots: [second.ref] }])
    expect(setAside).toContain(`damaged/${second.ref}`)
    expect(await store.verify()).toMatchObject({ ok: true, problems: [] })
    expect((await store.list()).map(({ id }) => id)).toEqual([third.id, first.id])
    await store.maintain()
  })

  test("lines of packed-refs that were cut off come back", async () => {
    const place = await start()
    const { snapshots } = await storeOf(place, ["one", "two", "three"])
    const lines = snapshots.map(({ id, ref }) => `${id} ${ref}\n`)
    for (const { ref } of snapshots) place.fs.unlinkSync(join(place.gitdir, ref))
    const cut = `# pack-refs with: peeled fully-peeled sorted \n${lines.join("")}`.slice(0, -100)
    place.fs.writeFileSync(join(place.gitdir, "packed-refs"), cut)
    const store = await place.open()
    expect(await store.list()).toHaveLength(2)
    expect((await store.verify()).problems).toEqual([
      { oid: "packed-refs", problem: "corrupt", file: "packed-refs", snapshots: [] },
    ])
    const { ok, setAside } = await store.verify({ repair: true })
    expect([ok, setAside]).toEqual([true, ["damaged/packed-refs"]])
    expect((await store.list()).map(({ id }) => id)).toEqual(snapshots.map(({ id }) => id).toReversed())
    expect(Buffer.from(place.fs.readFileSync(join(place.gitdir, "damaged/packed-refs"))).toString()).toBe(cut)
  })

  test("waits for nobody who maintains, and says who does; a check alone needs no lock", async () => {
    const place = await start()
    const { packs } = await storeOf(place, ["one"])
    overwrite(place, `${packs[0]}.pack`, (bytes) => flipped(bytes, -1))
    const owner = { token: "0".repeat(32), createdMs: Date.now(), owner: {} }
    place.fs.writeFileSync(join(place.gitdir, "locks/maintenance"), JSON.stringify(owner))
    expect((await verify(place)).ok).toBe(false)
    await expect(verify(place, true)).rejects.toMatchObject({ code: "LOCK_HELD" })
    expect(packsOf(place)).toEqual(packs)
  })

  test("in a gitdir of another tool its own refs stay where they are", async () => {
    const place = await start()
    await storeOf(place, ["one"])
    overwrite(place, join(place.gitdir, "config"), () => Buffer.from("[core]\n\tbare = true\n"))
    place.fs.writeFileSync(join(place.gitdir, "description"), "of another tool\n")
    place.fs.mkdirSync(join(place.gitdir, "refs/heads"))
    place.fs.writeFileSync(join(place.gitdir, "refs/heads/main"), "damaged\n")
    const { problems, setAside } = await verify(place, true)
    expect(problems).toMatchObject([{ oid: "refs/heads/main", problem: "corrupt" }])
    expect(setAside).toEqual([])
  })

  test("the mark of a store comes back where nothing but a store can have been", async () => {
    const place = await start()
    const { snapshots } = await storeOf(place, ["one"])
    for (const name of ["HEAD", "config"]) overwrite(place, join(place.gitdir, name), () => new Uint8Array())
    expect((await verify(place)).problems.map(({ oid }) => oid)).toEqual(["HEAD", "config"])
    const { ok, repaired } = await verify(place, true)
    expect([ok, repaired]).toEqual([true, ["HEAD", "config"]])
    expect((await (await place.open()).list()).map(({ id }) => id)).toEqual(snapshots.map(({ id }) => id))
  })
})

describe("the configuration of a store", () => {
  const MADE_BY_GIT = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"

  test.each([
    ["emptied", () => ""],
    ["of nothing but zeros", (text: string) => "\0".repeat(text.length)],
    ["that Git does not take", (text: string) => text.replace("]", "}")],
    ["cut behind what Git writes, too", (text: string) => text.slice(0, text.indexOf("[gc]"))],
    ["cut within that", (text: string) => text.slice(0, 60)],
    ["with a wrong letter in the mark", (text: string) => text.replace("treeshot", "treeshoT").replace("shoT", "shou")],
  ])("is set anew when it is one %s", async (_, change) => {
    const place = await onMemory()
    await storeOf(place, ["one"])
    const config = join(place.gitdir, "config")
    const before = Buffer.from(place.fs.readFileSync(config)).toString()
    overwrite(place, config, () => Buffer.from(change(before)))
    expect((await verify(place)).problems.map(({ oid }) => oid)).toEqual(["config"])
    expect(await verify(place, true)).toMatchObject({ ok: true, repaired: ["config"] })
    expect(Buffer.from(place.fs.readFileSync(config)).toString()).toBe(before)
  })

  test.each([
    ["as git makes it", MADE_BY_GIT],
    ["of another tool", "[core]\n\tbare = true\n[other]\n\ttool = true\n"],
  ])("%s, beside snapshots of ours and nothing else, is left as it is", async (_, text) => {
    const place = await onMemory()
    await storeOf(place, ["one"])
    overwrite(place, join(place.gitdir, "config"), () => Buffer.from(text))
    expect(await verify(place, true)).toMatchObject({ ok: true, problems: [], repaired: [] })
    expect(Buffer.from(place.fs.readFileSync(join(place.gitdir, "config"))).toString()).toBe(text)
  })

  test("that is empty, where there is no snapshot, is nobody's", async () => {
    const place = await onMemory()
    await (await place.open()).close()
    overwrite(place, join(place.gitdir, "config"), () => new Uint8Array())
    expect(await verify(place)).toMatchObject({ ok: true, problems: [] })
  })
})

/** Writes the commit of a snapshot as a loose object, as it was captured, since its pack is lost. */
function writeSnapshotAgain(place: StoreUnderTest, { ref, tree }: Snapshot): void {
  place.fs.unlinkSync(join(place.gitdir, ref))
  writeSnapshot(place, ref.split("/")[2] as string, tree as Oid)
}

describe.runIf(gitIsThere())("with native git", () => {
  /** A store of many versions of one large file, in one pack that native git made, with deltas. */
  async function withDeltas(): Promise<{ place: StoreUnderTest; pack: string; texts: readonly string[] }> {
    const place = await onDisk()
    const store = await place.open()
    const body = noise(7, 60_000).toString("hex")
    const texts = Array.from({ length: 12 }, (_, i) => `${body.slice(0, 50_000)} version ${i}\n${body.slice(50_000)}`)
    for (const each of texts) {
      place.write("large", each)
      await store.capture({ label: "large" })
    }
    await store.close()
    git(["repack", "-adfq", "--depth=10"], { cwd: place.gitdir })
    const [pack] = packsOf(place) as [string]
    expect(fs.statSync(`${pack}.pack`).size).toBeLessThan(200_000)
    return { place, pack, texts }
  }

  test("the index of a pack with deltas is made anew as git made it", async () => {
    const { place, pack } = await withDeltas()
    const before = fs.readFileSync(`${pack}.idx`)
    fs.rmSync(`${pack}.idx`)
    expect(await verify(place, true)).toMatchObject({ ok: true })
    expect(fs.readFileSync(`${pack}.idx`).equals(before)).toBe(true)
  })

  test("deltas that are salvaged stay deltas, and git finds nothing wrong", async () => {
    const { place, pack, texts } = await withDeltas()
    const { size } = fs.statSync(`${pack}.pack`)
    overwrite(place, `${pack}.pack`, (bytes) => flipped(bytes, 5))
    expect(await verify(place, true)).toMatchObject({ ok: true })
    const [salvaged] = packsOf(place) as [string]
    expect(salvaged).not.toBe(pack)
    expect(fs.statSync(`${salvaged}.pack`).size).toBeLessThan(size + 1000)
    expect(git(["fsck", "--full", "--strict", "--no-dangling"], { cwd: place.gitdir })).toMatchObject({ text: "" })
    for (const [i, each] of texts.toReversed().entries()) expect(await text(place, `latest~${i}`, "large")).toBe(each)
  })

  test("without index and with its end cut off, a pack gives what can be read of it", async () => {
    const { place, pack } = await withDeltas()
    fs.rmSync(`${pack}.idx`)
    overwrite(place, `${pack}.pack`, (bytes) => bytes.subarray(0, bytes.length >> 1))
    const { problems } = await verify(place, true)
    expect(problems.length).toBeGreaterThan(0)
    expect(await (await place.open()).list()).toHaveLength(12)
  })

  test("what the repository of the work tree has is taken back from there", async () => {
    const place = await onDisk()
    git(["init", "-q"], { cwd: place.root })
    const { snapshots } = await storeOf(place, ["one ".repeat(50), "two"])
    const oid = await oidOf(place, snapshots[0]?.id ?? "", "a")
    await damageEntry(place, oid)
    git(["hash-object", "-w", "--stdin"], { cwd: place.root, input: "one ".repeat(50) })
    expect(await verify(place, true)).toMatchObject({ ok: true, repaired: [oid] })
    expect(await text(place, snapshots[0]?.id ?? "", "a")).toBe("one ".repeat(50))
  })

  test("what an alternate has is not lost with the own copy", async () => {
    const place = await onDisk()
    const { snapshots } = await storeOf(place, ["one ".repeat(50), "two"])
    const lender = join(place.scratch, "lender")
    git(["init", "-q", "--bare", lender])
    const oid = await oidOf(place, snapshots[0]?.id ?? "", "a")
    const file = await damageEntry(place, oid)
    git(["hash-object", "-w", "--stdin"], { cwd: lender, input: "one ".repeat(50) })
    fs.mkdirSync(join(place.gitdir, "objects/info"))
    fs.writeFileSync(join(place.gitdir, "objects/info/alternates"), `${lender}/objects\n`)
    expect((await verify(place)).problems).toEqual([{ oid, problem: "corrupt", file, snapshots: [] }])
    expect(await verify(place, true)).toMatchObject({ ok: true })
    expect(await text(place, snapshots[0]?.id ?? "", "a")).toBe("one ".repeat(50))
  })
})

test("a tree in a snapshot by hand whose files are gone is named by the snapshot's id", async () => {
  const place = await onMemory()
  await storeOf(place, ["one"])
  const blob = "1234567890".repeat(4) as Oid
  const id = writeSnapshot(place, "another", writeTree(place, [{ mode: "100644", name: "a", oid: blob }]))
  expect((await verify(place)).problems).toEqual([{ oid: blob, problem: "missing", snapshots: [id] }])
})
