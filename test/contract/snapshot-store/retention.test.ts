import { createHash } from "node:crypto"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Snapshot, SnapshotStore } from "../../../src/index.js"
import { BACKENDS, expectError, type StoreUnderTest } from "../../support/store-under-test.js"

/** Captures each text as the content of the file `a`, beside a file that stays; oldest first. */
async function captures(place: StoreUnderTest, store: SnapshotStore, texts: readonly string[]): Promise<Snapshot[]> {
  const made: Snapshot[] = []
  place.write("same", "the same in all")
  for (const text of texts) {
    place.write("a", text)
    made.push((await store.capture({ label: text.slice(0, 20) })).snapshot)
  }
  return made
}

/** Bytes that do not compress, the same ones for the same seed. */
function noise(seed: string, sizeBytes: number): string {
  let text = ""
  for (let i = 0; text.length < sizeBytes; i++) text += createHash("sha512").update(`${seed} ${i}`).digest("base64")
  return text.slice(0, sizeBytes)
}

function labels(snapshots: readonly Snapshot[]): (string | undefined)[] {
  return snapshots.map(({ label }) => label)
}

describe.each(BACKENDS)("pin on $name", ({ start }) => {
  test("keeps a snapshot whatever prune is told, until the pin is taken away", async () => {
    const place = await start()
    const store = await place.open()
    const [one, two] = await captures(place, store, ["one", "two", "three"])
    expect(one?.pinned).toBe(false)
    await store.pin(one?.id ?? "")
    await store.pin(one?.id ?? "")
    expect((await store.list()).map(({ pinned }) => pinned)).toEqual([false, false, true])
    expect(await store.resolve(one?.id ?? "")).toEqual({ ...one, pinned: true })
    const { removed, kept } = await store.prune({ keepLast: 0 })
    expect(labels(removed)).toEqual(["two"])
    expect(kept.map(({ label, pinned, reasons }) => ({ label, pinned, reasons }))).toEqual([
      { label: "three", pinned: false, reasons: ["newest"] },
      { label: "one", pinned: true, reasons: ["pinned"] },
    ])
    await store.maintain()
    expect(Buffer.from((await store.readFile(one?.id ?? "", "a")) ?? [])).toEqual(Buffer.from("one"))
    await store.pin(one?.id ?? "", false)
    await store.pin(one?.id ?? "", false)
    expect(labels((await store.prune({ keepLast: 0 })).removed)).toEqual(["one"])
    await expectError(store.pin(two?.id ?? ""), "NOT_FOUND", { rev: two?.id ?? "" })
    expect(place.refs().filter((ref) => ref.startsWith("refs/pins/"))).toEqual([])
    expect(place.leftovers()).toEqual([])
  })

  test("is told with a capture that finds nothing changed, and not with a new one", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one"])
    await store.pin("latest")
    const { snapshot, changed } = await store.capture()
    expect([changed, snapshot.pinned]).toEqual([false, true])
    expect((await store.capture({ label: "new" })).snapshot.pinned).toBe(false)
  })

  test("is for snapshots of this workspace only", async () => {
    const place = await start()
    const [store, other] = [await place.open({ workspace: "one" }), await place.open({ workspace: "two" })]
    const [mine] = await captures(place, store, ["mine"])
    const [theirs] = await captures(place, other, ["theirs"])
    const wrong = { expected: "one", found: "two" }
    await expectError(store.pin(theirs?.id ?? ""), "WRONG_WORKSPACE", wrong)
    await expectError(store.forget(theirs?.id ?? ""), "WRONG_WORKSPACE", wrong)
    const tree = mine?.tree ?? ""
    await expectError(store.pin(tree), "NOT_A_SNAPSHOT", { rev: tree })
    await expectError(store.forget(tree), "NOT_A_SNAPSHOT", { rev: tree })
    const odd = "yes" as unknown as boolean
    await expectError(store.pin("latest", odd), "INVALID_ARGUMENT", { argument: "pinned" })
    expect(place.refs().filter((ref) => ref.startsWith("refs/pins/"))).toEqual([])
  })
})

describe.each(BACKENDS)("forget on $name", ({ start }) => {
  test("lets exactly one snapshot go, pinned or not, the newest one, too, and its content with it", async () => {
    const place = await start()
    const store = await place.open()
    const [one, two, three] = await captures(place, store, ["one", "two", "three"])
    await store.pin(one?.id ?? "")
    await store.forget(one?.id ?? "")
    expect(await store.list()).toEqual([three, two])
    await store.forget("latest")
    expect(await store.list()).toEqual([two])
    await store.maintain()
    await expectError(store.readFile(three?.tree ?? "", "a"), "NOT_FOUND", { rev: three?.tree ?? "" })
    await expectError(store.forget(one?.id ?? ""), "NOT_FOUND", { rev: one?.id ?? "" })
    expect(place.refs().filter((ref) => /^refs\/(pins|baseline)\//.test(ref))).toHaveLength(1)
    const { snapshot, changed } = await store.capture()
    expect([changed, snapshot.tree]).toEqual([true, three?.tree])
    expect(place.leftovers()).toEqual([])
  })

  test("lets the last one go, after which a capture begins anew", async () => {
    const place = await start()
    const store = await place.open()
    const [one] = await captures(place, store, ["one"])
    await store.forget("latest")
    expect(await store.list()).toEqual([])
    expect(place.refs()).toEqual([])
    await store.maintain()
    expect((await store.capture()).snapshot.tree).toBe(one?.tree)
  })

  test("of a safety snapshot ends what could be undone", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two"])
    const { undo } = await store.restore("latest~1")
    await store.forget(undo?.id ?? "")
    await expectError(store.undo(), "NOTHING_TO_UNDO", { wanted: "undo" })
    expect(place.read("a")).toBe("one")
  })

  test("refuses what an unfinished restore needs, and prune keeps it", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two", "three"])
    const { undo } = await store.restore("latest~2")
    const folder = join(place.gitdir, "restores", store.workspace)
    const record = place.fs.readdirSync(folder).map(String)[0] ?? ""
    const journal = join(folder, "running")
    place.fs.renameSync(join(folder, record), journal)
    const target = await store.resolve("latest~2")
    for (const needed of [undo, target])
      await expectError(store.forget(needed?.id ?? ""), "RESTORE_PENDING", { journal })
    const { kept } = await store.prune({ keepLast: 0 })
    expect(kept.map(({ id, reasons }) => [id, reasons.includes("held")])).toContainEqual([target.id, true])
    // What it needs cannot be told by now: it may be any safety snapshot.
    place.fs.writeFileSync(journal, "damaged")
    await expectError(store.forget(undo?.id ?? ""), "RESTORE_PENDING", { journal })
    await store.forget(target.id)
    expect(await store.list({ kind: "all" })).toHaveLength(2)
  })
})

describe.each(BACKENDS)("a size limit on $name", ({ start }) => {
  test("drops the oldest that other rules keep until the store fits, and never the newest and the pinned", async () => {
    const place = await start()
    const store = await place.open()
    const texts = ["a", "b", "c", "d", "e", "f"].map((seed) => noise(seed, 120_000))
    const made = await captures(place, store, texts)
    await store.pin(made[1]?.id ?? "")
    const policy = { keepLast: 99, maxBytes: 330_000 }
    const dry = await store.prune(policy, { dryRun: true })
    const report = await store.prune(policy)
    expect(report).toEqual(dry)
    expect(report.removed.map(({ id, reason }) => [id, reason])).toEqual(
      [made[3], made[2], made[0]].map((each) => [each?.id, "max-bytes"]),
    )
    expect(report.kept.map(({ id }) => id)).toEqual([made[5], made[4], made[1]].map((each) => each?.id))
    expect(report.bytesOver).toBeUndefined()
    expect(report.bytesFreed).toBeGreaterThan(3 * 90_000)
    await store.maintain()
    expect((await store.status()).bytes.total).toBeLessThanOrEqual(policy.maxBytes)
    expect((await store.prune(policy)).removed).toEqual([])
    for (const { id } of await store.list()) await store.readFile(id, "a")
  })

  test("alone keeps all that fits", async () => {
    const place = await start()
    const store = await place.open()
    const made = await captures(place, store, ["one", "two", "three"])
    const { removed, kept } = await store.prune({ maxBytes: 10_000_000 })
    expect(removed).toEqual([])
    expect(kept.map(({ reasons }) => reasons)).toEqual([["newest", "fits"], ["fits"], ["fits"]])
    expect(await store.list()).toEqual(made.toReversed())
  })

  test("that what has to stay alone exceeds says by how much", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", noise("big", 200_000)])
    const { removed, kept, bytesOver } = await store.prune({ keepLast: 9, maxBytes: 100_000 })
    expect([removed.length, kept.length]).toEqual([1, 1])
    await store.maintain()
    const { bytes } = await store.status()
    expect(Math.abs(Number(bytesOver) - (bytes.total - 100_000))).toBeLessThan(5000)
  })

  test("counts what another workspace holds as there", async () => {
    const place = await start()
    const [store, other] = [await place.open({ workspace: "one" }), await place.open({ workspace: "two" })]
    await captures(
      place,
      store,
      ["a", "b"].map((seed) => noise(seed, 40_000)),
    )
    await captures(place, other, [noise("theirs", 100_000)])
    const { removed, bytesOver } = await store.prune({ keepLast: 9, maxBytes: 90_000 })
    expect([removed.length, await other.list().then((list) => list.length)]).toEqual([1, 1])
    expect(bytesOver).toBeGreaterThan(20_000)
  })
})

describe.each(BACKENDS)("status on $name", ({ start }) => {
  test("counts snapshots and bytes, changes nothing, and says what maintenance would give back", async () => {
    const place = await start()
    const store = await place.open()
    const other = await place.open({ workspace: "other" })
    await captures(place, other, ["theirs"])
    const made = await captures(place, store, ["one", "two", "three"])
    await store.pin("latest~1")
    const { undo } = await store.restore("latest~2")
    await store.capture({ label: "so that nothing is written to the cache later" })
    const before = place.stored()
    const found = await store.status()
    expect(place.stored()).toEqual(before)
    expect(found).toMatchObject({
      worktree: store.worktree,
      gitdir: store.gitdir,
      workspace: store.workspace,
      snapshots: { captures: 4, safety: undo === undefined ? 0 : 1, pinned: 1 },
      otherWorkspaces: 1,
      oldest: made[0]?.createdAt,
      packs: 6,
      reclaimable: 0,
      leftovers: [],
    })
    expect(found.maintainedAt).toBeUndefined()
    const { total, packs, loose, caches, other: rest, shared } = found.bytes
    expect([loose, shared]).toEqual([0, 0])
    expect(total).toBe(packs + loose + caches + rest)
    await store.forget("latest")
    const { reclaimable } = await store.status()
    expect(reclaimable).toBeGreaterThan(0)
    await store.maintain()
    expect((await store.status()).reclaimable).toBeLessThanOrEqual(reclaimable)
  })

  test("tells when maintenance last came to its end, where that can be read", async () => {
    const place = await start()
    const store = await place.open()
    for (const [text, at] of [
      [JSON.stringify({ atMs: 1_700_000_000_000 }), new Date(1_700_000_000_000)],
      ["", undefined],
      ["{", undefined],
      [`{"atMs":1e300}`, undefined],
    ] as const) {
      place.fs.writeFileSync(join(place.gitdir, "maintained"), text)
      expect((await store.status()).maintainedAt).toEqual(at)
    }
  })

  test("tells of damage, and does not fail for it", async () => {
    const place = await start()
    const store = await place.open()
    const [one, two] = await captures(place, store, ["one", "two", "three"])
    place.fs.writeFileSync(join(place.gitdir, one?.ref ?? ""), "")
    place.fs.writeFileSync(join(place.gitdir, two?.ref ?? ""), `${"1".repeat(40)}\n`)
    const found = await store.status()
    expect(found).toMatchObject({ snapshots: { captures: 1, safety: 0, pinned: 0 }, reclaimable: 0 })
    expect(found.leftovers.join("\n")).toMatch(/2 snapshots .* cannot be read/)
    expect(found.leftovers.join("\n")).toContain("What could be reclaimed cannot be told")
  })
})
