import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Progress, RetentionPolicy, Snapshot, SnapshotStore } from "../../../src/index.js"
import { BACKENDS, expectError, type StoreUnderTest } from "../../support/store-under-test.js"

/** Captures each text as the content of the file `a`, beside a file that stays; oldest first. */
async function captures(place: StoreUnderTest, store: SnapshotStore, texts: readonly string[]): Promise<Snapshot[]> {
  const made: Snapshot[] = []
  place.write("same", "the same in all")
  for (const text of texts) {
    place.write("a", text)
    made.push((await store.capture({ label: text })).snapshot)
  }
  return made
}

function labels(snapshots: readonly Snapshot[]): (string | undefined)[] {
  return snapshots.map(({ label }) => label)
}

describe.each(BACKENDS)("prune on $name", ({ start }) => {
  test("lets go what the policy does not keep, and tells both, newest first", async () => {
    const place = await start()
    const store = await place.open()
    const made = await captures(place, store, ["one", "two", "three"])
    const { removed, kept, adopted } = await store.prune({ keepLast: 1 })
    expect([labels(removed), labels(kept), adopted]).toEqual([["two", "one"], ["three"], []])
    expect(removed).toEqual([made[1], made[0]].map((snapshot) => ({ ...snapshot, reason: "no-rule" })))
    expect(kept).toEqual([{ ...made[2], reasons: ["newest", "last"] }])
    expect(await store.list({ kind: "all" })).toEqual([made[2]])
    await expectError(store.resolve(made[0]?.id ?? ""), "NOT_FOUND", { rev: made[0]?.id ?? "" })
    expect(labels((await store.prune({ keepLast: 1 })).removed)).toEqual([])
    expect(place.leftovers()).toEqual([])
  })

  test("with dryRun tells the same and removes nothing", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two", "three"])
    const before = place.stored()
    const dry = await store.prune({ keepLast: 2 }, { dryRun: true })
    expect(place.stored()).toEqual(before)
    expect(await store.prune({ keepLast: 2 })).toEqual(dry)
    expect(labels(dry.removed)).toEqual(["one"])
  })

  test("keeps the newest whatever the policy says, and safety snapshots of the last day", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two"])
    await store.restore("latest~1")
    const { removed, kept } = await store.prune({ keepLast: 0, keepWithinMs: 0 })
    expect(labels(removed)).toEqual(["one"])
    expect(kept.map(({ kind }) => kind)).toEqual(["safety", "capture"])
    // The rule keeps those of this very millisecond, too.
    const whatever = kept.map(({ reasons }) => reasons.filter((reason) => reason !== "within"))
    expect(whatever).toEqual([["newest", "recent-safety"], ["newest"]])
    expect(await store.list({ kind: "all" })).toEqual(kept.map(({ reasons: _reasons, ...snapshot }) => snapshot))
  })

  test("touches no snapshot of another workspace in the same store", async () => {
    const place = await start()
    const [store, other] = [await place.open({ workspace: "one" }), await place.open({ workspace: "one-more" })]
    await captures(place, store, ["one", "two"])
    const others = await captures(place, other, ["three", "four"])
    await store.prune({ keepLast: 0 })
    await store.maintain()
    expect(await other.list()).toEqual(others.toReversed())
    expect(Buffer.from((await other.readFile("latest~1", "a")) ?? [])).toEqual(Buffer.from("three"))
  })

  test("refuses a policy that is none, and other odd arguments, and removes nothing", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two"])
    await expectError(store.prune({}), "INVALID_ARGUMENT", { argument: "policy" })
    await expectError(store.prune({ keepLast: -1 }), "INVALID_ARGUMENT", { argument: "keepLast" })
    const unknown = { keepLast: 1, keepAll: 1 } as RetentionPolicy
    await expectError(store.prune(unknown), "INVALID_ARGUMENT", { argument: "keepAll" })
    const odd = { dryRun: "yes" } as unknown as { dryRun: boolean }
    await expectError(store.prune({ keepLast: 1 }, odd), "INVALID_ARGUMENT", { argument: "dryRun" })
    expect(await store.list()).toHaveLength(2)
  })

  test("does not leave the baseline on what it let go: nothing keeps the content but the snapshots that stay", async () => {
    const place = await start()
    const [all, some] = [await place.open(), await place.open({ include: ["a"] })]
    await captures(place, some, ["secret"])
    await captures(place, all, ["harmless"])
    const { removed } = await all.prune({ keepLast: 1 })
    expect(labels(removed)).toEqual(["secret"])
    await all.maintain()
    await expectError(all.readFile(removed[0]?.tree ?? "", "a"), "NOT_FOUND", { rev: removed[0]?.tree ?? "" })
    // The scope has no baseline any more, and captures all the same.
    place.write("a", "again")
    await some.capture()
    expect(Buffer.from((await some.readFile("latest", "a")) ?? [])).toEqual(Buffer.from("again"))
  })
})

describe.each(BACKENDS)("maintain on $name", ({ start }) => {
  test("gives back the space of what was let go, and leaves all else as it was", async () => {
    const place = await start()
    const store = await place.open()
    const made = await captures(place, store, ["one", "two", "three"])
    expect(await store.maintain()).toEqual({ objectsRemoved: 0, bytesFreed: 0, packsRemoved: 0, adopted: 0 })
    await store.prune({ keepLast: 1 })
    const before = await sizeOf(place)
    const report = await store.maintain()
    // The first pack also holds what the third snapshot needs.
    expect(report).toMatchObject({ packsRemoved: 1, adopted: 0 })
    expect(report.objectsRemoved).toBeGreaterThanOrEqual(3)
    expect(before - (await sizeOf(place))).toBe(report.bytesFreed)
    expect(await store.list()).toEqual([made[2]])
    expect(Buffer.from((await store.readFile("latest", "same")) ?? [])).toEqual(Buffer.from("the same in all"))
    expect(place.leftovers()).toEqual([])
    expect(await store.maintain()).toMatchObject({ objectsRemoved: 0 })
  })

  test("does not disturb stores that are open, whatever they have read before", async () => {
    const place = await start()
    const [store, reader] = [await place.open(), await place.open()]
    await captures(place, store, ["one", "two", "three"])
    const [newest] = await reader.list()
    for (const snapshot of await reader.list()) await reader.readFile(snapshot.id, "a")
    await store.prune({ keepLast: 1 })
    await store.maintain()
    expect(await reader.list()).toEqual([newest])
    expect(Buffer.from((await reader.readFile("latest", "a")) ?? [])).toEqual(Buffer.from("three"))
    place.write("a", "four")
    const { snapshot } = await reader.capture()
    expect(Buffer.from((await store.readFile(snapshot.id, "a")) ?? [])).toEqual(Buffer.from("four"))
    expect((await store.restore(snapshot.id)).complete).toBe(true)
  })

  test("may run while the same store captures, reads and restores", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two", "three"])
    place.write("a", "four")
    const [, , content, report] = await Promise.all([
      store.prune({ keepLast: 2 }).then(() => store.maintain()),
      store.capture({ label: "four" }),
      store.readFile("latest", "same"),
      store.restore("latest"),
    ])
    expect(Buffer.from(content ?? [])).toEqual(Buffer.from("the same in all"))
    expect(report.complete).toBe(true)
    for (const { id } of await store.list({ kind: "all" })) await store.readFile(id, "a")
    expect(place.leftovers()).toEqual([])
  })

  test("tells of its progress, to the caller and to listeners", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two"])
    const told: Progress[] = []
    const heard: Progress[] = []
    store.on("progress", (event) => void heard.push(event))
    await store.maintain({ onProgress: (progress) => void told.push(progress) })
    expect(heard).toEqual(told)
    expect(new Set(told.map(({ phase }) => phase))).toEqual(new Set(["mark", "collect"]))
    expect(told.at(-1)).toEqual({ phase: "collect", done: 2, total: 2 })
  })

  test("rejects with the signal's reason when it is aborted, and can be run again", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two"])
    await store.prune({ keepLast: 1 })
    const reason = new Error("enough")
    await expect(store.maintain({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const stop = new AbortController()
    const stopped = store.maintain({ signal: stop.signal, onProgress: () => stop.abort(reason) })
    await expect(stopped).rejects.toBe(reason)
    expect(await store.maintain()).toMatchObject({ packsRemoved: 0 })
    expect(await store.list()).toHaveLength(1)
  })

  test("removes nothing when the store cannot be read, and says what cannot", async () => {
    const place = await start()
    const store = await place.open()
    await captures(place, store, ["one", "two"])
    await store.prune({ keepLast: 1 })
    const ref = "refs/snapshots/elsewhere/20260101T000000000Z-0123456789abcdef"
    place.fs.mkdirSync(join(place.gitdir, "refs/snapshots/elsewhere"))
    place.fs.writeFileSync(join(place.gitdir, ref), "")
    const before = place.stored()
    await expectError(store.maintain(), "REF_INVALID", { ref })
    const oid = "1".repeat(40)
    place.fs.writeFileSync(join(place.gitdir, ref), `${oid}\n`)
    await expectError(store.maintain(), "OBJECT_MISSING", { oid })
    place.fs.writeFileSync(join(place.gitdir, ref), "")
    expect(place.stored()).toEqual(before)
  })
})

async function sizeOf({ fs, gitdir }: StoreUnderTest): Promise<number> {
  const names = fs.readdirSync(join(gitdir, "objects/pack")) as string[]
  return names.reduce((sum, name) => sum + Number(fs.lstatSync(join(gitdir, "objects/pack", name)).size), 0)
}
