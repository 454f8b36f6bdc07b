import { describe, expect, test } from "vitest"
import type { ListOptions, SnapshotStore } from "../../../src/index.js"
import { flipped, overwrite, packsOf, writeLoose, writeSnapshot, writeTwins } from "../../support/damage.js"
import { BACKENDS, expectError, type StoreUnderTest } from "../../support/store-under-test.js"

const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

describe.each(BACKENDS)("list and resolve on $name", ({ start }) => {
  /** Captures each of these texts, in turn. */
  async function history(place: StoreUnderTest, store: SnapshotStore, ...texts: readonly string[]): Promise<string[]> {
    const ids: string[] = []
    for (const text of texts) {
      place.write("a.txt", text)
      const { snapshot } = await store.capture({ label: text, metadata: { text, parity: String(ids.length % 2) } })
      ids.push(snapshot.id)
    }
    return ids
  }

  test("list gives the captures of the workspace, newest first, and nothing from a new store", async () => {
    const place = await start()
    const store = await place.open()
    expect(await store.list()).toEqual([])
    const ids = await history(place, store, "one", "two", "three")
    const listed = await store.list()
    expect(listed.map(({ id }) => id)).toEqual(ids.toReversed())
    expect(listed.map(({ label }) => label)).toEqual(["three", "two", "one"])
    for (const snapshot of listed) expect(await store.resolve(snapshot.id)).toEqual(snapshot)
  })

  test("captures within a millisecond, or with the clock set back, keep their order", async () => {
    const place = await start()
    const store = await place.open()
    const future = Date.now() + 3_600_000
    const late = writeSnapshot(place, store.workspace, EMPTY_TREE as never, { createdMs: future })
    const ids = await history(place, store, "one", "two")
    expect((await store.list()).map(({ id }) => id)).toEqual([ids[1], ids[0], late])
    expect((await store.resolve("latest")).createdAt.getTime()).toBe(future + 2)
  })

  test("list takes kinds, a limit, times on both sides and metadata", async () => {
    const place = await start()
    const store = await place.open()
    const [one, two, three] = await history(place, store, "one", "two", "three")
    await store.restore(one as string)
    const [safety] = await store.list({ kind: "safety" })
    expect(safety).toMatchObject({ kind: "safety", previous: three })
    const ids = async (options: ListOptions): Promise<string[]> => (await store.list(options)).map(({ id }) => id)
    expect(await ids({ kind: "all" })).toEqual([safety?.id, three, two, one])
    expect(await ids({ kind: "capture" })).toEqual([three, two, one])
    expect(await ids({ limit: 2 })).toEqual([three, two])
    expect(await ids({ limit: 0 })).toEqual([])
    expect(await ids({ kind: "all", limit: 1 })).toEqual([safety?.id])
    const at = (await store.resolve(two as string)).createdAt
    expect(await ids({ since: at })).toEqual([three, two])
    expect(await ids({ until: at })).toEqual([two, one])
    expect(await ids({ since: at, until: at })).toEqual([two])
    expect(await ids({ metadata: { parity: "0" } })).toEqual([three, one])
    expect(await ids({ metadata: { parity: "0", text: "one" } })).toEqual([one])
    expect(await ids({ metadata: { parity: "0", other: "one" } })).toEqual([])
    expect(await ids({ metadata: { constructor: "x" } })).toEqual([])
  })

  test.each([
    ["kind", { kind: "other" as never }],
    ["limit", { limit: -1 }],
    ["limit", { limit: 1.5 }],
    ["since", { since: new Date(Number.NaN) }],
    ["until", { until: "2026-01-01" as never }],
    ["metadata", { metadata: "x" as never }],
    ["metadata", { metadata: null as never }],
  ])("a bad %s is refused", async (argument, options) => {
    const store = await (await start()).open()
    await expectError(store.list(options), "INVALID_ARGUMENT", { argument })
  })

  test("resolve takes an id, a unique prefix of 4 digits or more, a ref name, latest and latest~N", async () => {
    const place = await start()
    const store = await place.open()
    const [one, two, three] = (await history(place, store, "one", "two", "three")) as [string, string, string]
    const { ref } = await store.resolve(one)
    await store.restore(one)
    const named: [string, string][] = [
      [one, one],
      [one.toUpperCase(), one],
      [one.slice(0, 20), one],
      [one.slice(0, 39).toUpperCase(), one],
      [ref, one],
      ["latest", three],
      ["latest~0", three],
      ["latest~1", two],
      ["latest~2", one],
    ]
    for (const [rev, id] of named) expect((await store.resolve(rev)).id, rev).toBe(id)
  })

  test("a safety snapshot is resolved by its id and never as latest", async () => {
    const place = await start()
    const store = await place.open()
    const [one, two] = (await history(place, store, "one", "two")) as [string, string]
    const { undo } = await store.restore(one)
    expect(await store.resolve(undo?.id ?? "")).toEqual(undo)
    expect((await store.resolve("latest")).id).toBe(two)
  })

  test("what names nothing is NOT_FOUND", async () => {
    const place = await start()
    const store = await place.open()
    const [one] = (await history(place, store, "one")) as [string]
    const { tree } = await store.resolve(one)
    const none = [
      "latest~1",
      "latest~-1",
      "latest~",
      "latest~99999999999",
      "0".repeat(40),
      one.slice(0, 3),
      `${one}0`,
      "refs/snapshots/none/x",
      "refs/snapshots/../../HEAD",
      "HEAD",
      "worktree",
      " latest",
      "../../etc/passwd",
      tree.slice(0, 12),
    ]
    for (const rev of none) await expectError(store.resolve(rev), "NOT_FOUND", { rev })
    await expectError(store.changes("nothing"), "NOT_FOUND", { rev: "nothing" })
    await expectError(store.restore("nothing"), "NOT_FOUND", { rev: "nothing" })
    await expectError(store.resolve(""), "INVALID_ARGUMENT", { argument: "rev" })
    await expectError(store.resolve(7 as never), "INVALID_ARGUMENT", { argument: "rev" })
  })

  test("latest in a store without a capture is NOT_FOUND", async () => {
    await expectError((await (await start()).open()).resolve("latest"), "NOT_FOUND", { rev: "latest" })
  })

  test("the oid of a blob or of a commit that no ref names is NOT_FOUND", async () => {
    const place = await start()
    const store = await place.open()
    await history(place, store, "one")
    const [change] = await store.changes(EMPTY_TREE, "latest")
    const blob = change?.after?.oid ?? ""
    await expectError(store.resolve(blob), "NOT_FOUND", { rev: blob })
    const text = `tree ${EMPTY_TREE}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nno snapshot\n`
    const commit = writeLoose(place, "commit", Buffer.from(text))
    await expectError(store.resolve(commit), "NOT_FOUND", { rev: commit })
  })

  test("the oid of a tree is NOT_A_SNAPSHOT to resolve, and the calls that need no more than a tree take it", async () => {
    const place = await start()
    place.write("sub/b.txt", "b")
    const store = await place.open()
    const [one] = (await history(place, store, "one")) as [string]
    const { tree } = await store.resolve(one)
    await expectError(store.resolve(tree), "NOT_A_SNAPSHOT", { rev: tree })
    expect(await store.readFile(tree, "sub/b.txt")).toEqual(new Uint8Array(Buffer.from("b")))
    place.write("a.txt", "changed")
    expect((await store.changes(tree)).map(({ path }) => path)).toEqual(["a.txt"])
    expect(await store.diff(tree, tree)).toEqual([])
    expect((await store.plan({ to: tree })).tree).toBe(tree)
    expect((await store.restore(tree)).complete).toBe(true)
    expect(place.read("a.txt")).toBe("one")
  })

  test("a prefix of two snapshots' ids is AMBIGUOUS, and says which; one more digit helps", async () => {
    const place = await start()
    const store = await place.open()
    const twins = writeTwins(place, store.workspace, 4)
    const rev = twins[0].slice(0, 4)
    await expectError(store.resolve(rev), "AMBIGUOUS", { rev, candidates: twins.toSorted() })
    await expectError(store.restore(rev), "AMBIGUOUS", { rev, candidates: twins.toSorted() })
    let digits = 5
    while (twins[0].slice(0, digits) === twins[1].slice(0, digits)) digits++
    for (const id of twins) expect((await store.resolve(id.slice(0, digits))).id).toBe(id)
  })

  test("a snapshot that another process made is found without opening again, by any name", async () => {
    const place = await start()
    const store = await place.open()
    expect(await store.list()).toEqual([])
    const [one] = (await history(place, await place.open(), "one")) as [string]
    for (const rev of [one, one.slice(0, 8), "latest"]) expect((await store.resolve(rev)).id).toBe(one)
    expect(await store.readFile(one, "a.txt")).toEqual(new Uint8Array(Buffer.from("one")))
  })

  test("a ref that is empty, cut or no oid is REF_INVALID by its name and as the latest, and hides no other snapshot", async () => {
    const place = await start()
    const store = await place.open()
    const [one, two] = (await history(place, store, "one", "two")) as [string, string]
    const { ref } = await store.resolve(two)
    for (const content of ["", two.slice(0, 20), "ref: refs/heads/main\n", "\0".repeat(41)]) {
      place.fs.writeFileSync(`${place.gitdir}/${ref}`, content)
      await expectError(store.resolve(ref), "REF_INVALID", { ref })
      expect((await store.list()).map(({ id }) => id)).toEqual([one])
      // An older one in its place would be restored by mistake.
      await expectError(store.resolve("latest"), "REF_INVALID", { ref })
      await expectError(store.restore("latest"), "REF_INVALID", { ref })
      expect((await store.resolve(one)).id).toBe(one)
    }
    place.fs.writeFileSync(`${place.gitdir}/${ref}`, `${two}\n`)
    expect((await store.resolve("latest")).id).toBe(two)
  })

  test("an object with a changed bit is OBJECT_CORRUPT, one that is gone OBJECT_MISSING, and each names it", async () => {
    const place = await start()
    place.write("a.txt", "x".repeat(1000))
    const [change] = await (async () => {
      const store = await place.open()
      await store.capture()
      return store.changes(EMPTY_TREE, "latest")
    })()
    const oid = change?.after?.oid ?? ""
    const [pack] = packsOf(place) as [string]
    // The file's content is the first object of the pack, right behind the header of 12 bytes.
    overwrite(place, `${pack}.pack`, (bytes) => flipped(bytes, 20))
    await expectError((await place.open()).readFile("latest", "a.txt"), "OBJECT_CORRUPT", { oid })
    const other = writeSnapshot(place, (await place.open()).workspace, "1".repeat(40) as never)
    await expectError((await place.open()).readFile(other, "a.txt"), "OBJECT_MISSING", { oid: "1".repeat(40) })
  })
})
