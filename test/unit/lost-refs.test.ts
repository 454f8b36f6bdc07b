/*
 * Refs that damage makes vanish: maintenance lets nothing go as long as that can be told, verify tells it, and repair
 * brings them back.
 */
import { join } from "node:path"
import { expect, test } from "vitest"
import { pinRef, type RefName } from "../../src/core/ref-name.js"
import type { Snapshot } from "../../src/index.js"
import { overwrite, writeLoose } from "../support/damage.js"
import { onMemory, type StoreUnderTest } from "../support/store-under-test.js"

/** Snapshots of each text as the content of a file. */
async function snapshotsOf(place: StoreUnderTest, texts: readonly string[]): Promise<[Snapshot, Snapshot, Snapshot]> {
  const store = await place.open()
  const snapshots: Snapshot[] = []
  for (const text of texts) {
    place.write("a", text)
    snapshots.push((await store.capture({ label: text })).snapshot)
  }
  await store.close()
  return snapshots as [Snapshot, Snapshot, Snapshot]
}

/** Moves the refs of snapshots into packed-refs, as `lines` has them. */
function pack(
  place: StoreUnderTest,
  snapshots: readonly Snapshot[],
  line: (snapshot: Snapshot) => string = ({ id, ref }) => `${id} ${ref}`,
): void {
  for (const { ref } of snapshots) place.fs.unlinkSync(join(place.gitdir, ref))
  const lines = snapshots.map((snapshot) => `${line(snapshot)}\n`)
  place.fs.writeFileSync(
    join(place.gitdir, "packed-refs"),
    `# pack-refs with: peeled fully-peeled sorted \n${lines.join("")}`,
  )
}

async function ids(place: StoreUnderTest): Promise<string[]> {
  return (await (await place.open()).list()).map(({ id }) => id)
}

test("packed-refs that is gone lets nothing go, is a problem, and every snapshot gets its ref back", async () => {
  const place = await onMemory()
  const snapshots = await snapshotsOf(place, ["one", "two", "three"])
  pack(place, snapshots.slice(0, 2))
  const store = await place.open()
  await store.maintain()
  place.fs.unlinkSync(join(place.gitdir, "packed-refs"))
  const refused = { code: "REF_INVALID", details: { ref: "packed-refs" } }
  await expect(store.maintain()).rejects.toMatchObject(refused)
  await expect(store.maintain({ automatic: true })).rejects.toMatchObject(refused)
  await expect(store.prune({ maxBytes: 1 })).rejects.toMatchObject(refused)
  expect((await store.verify()).problems).toEqual([{ oid: "packed-refs", problem: "missing", snapshots: [] }])
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true, repaired: ["packed-refs"], setAside: [] })
  expect(await ids(place)).toEqual(snapshots.map(({ id }) => id).toReversed())
  await store.maintain()
})

test("packed-refs that is gone with nothing but snapshots that were let go is made anew", async () => {
  const place = await onMemory()
  const snapshots = await snapshotsOf(place, ["one", "two", "three"])
  pack(place, snapshots.slice(0, 1))
  const store = await place.open()
  await store.forget(snapshots[0].id)
  await store.maintain()
  place.fs.unlinkSync(join(place.gitdir, "packed-refs"))
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true })
  expect(await ids(place)).toEqual([snapshots[2].id, snapshots[1].id])
  await store.maintain()
})

test("a pin whose snapshot's ref is gone lets nothing go, is a problem, and gives the ref back", async () => {
  const place = await onMemory()
  const [first, second, third] = await snapshotsOf(place, ["one", "two", "three"])
  const store = await place.open()
  await store.pin(first.id)
  place.fs.unlinkSync(join(place.gitdir, first.ref))
  await expect(store.maintain()).rejects.toMatchObject({ code: "REF_INVALID", details: { ref: first.ref } })
  expect((await store.verify()).problems).toEqual([{ oid: first.ref, problem: "missing", snapshots: [first.id] }])
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true, repaired: [first.ref] })
  expect(await ids(place)).toEqual([third.id, second.id, first.id])
  await store.maintain()
})

test("a pin that was packed goes before its snapshot's ref", async () => {
  const place = await onMemory()
  const [first, second, third] = await snapshotsOf(place, ["one", "two", "three"])
  const store = await place.open()
  await store.pin(first.id)
  const pin = pinRef(first.ref as RefName)
  pack(place, [first])
  overwrite(place, join(place.gitdir, "packed-refs"), (bytes) =>
    Buffer.from(bytes.toString().replace(/\n(?=[0-9a-f]{40} )/, `\n${first.id} ${pin}\n`)),
  )
  place.fs.unlinkSync(join(place.gitdir, pin))
  await store.forget(first.id)
  expect(await ids(place)).toEqual([third.id, second.id])
  await store.maintain()
})

/** Ways in which a ref of a snapshot comes to lead to no commit. */
const NO_COMMIT: readonly (readonly [string, (place: StoreUnderTest, snapshot: Snapshot) => string])[] = [
  ["names a ref that is not there", () => "ref: refs/nowhere\n"],
  ["names itself", (_, { ref }) => `ref: ${ref}\n`],
  ["names a file's object", (place) => `${writeLoose(place, "blob", Buffer.from("no commit"))}\n`],
  ["names a tree", (_, { tree }) => `${tree}\n`],
]

test.each(NO_COMMIT)("a ref of a snapshot that %s lets nothing go, and is set anew", async (_, content) => {
  const place = await onMemory()
  const [first, second, third] = await snapshotsOf(place, ["one", "two", "three"])
  place.fs.writeFileSync(join(place.gitdir, second.ref), content(place, second))
  const store = await place.open()
  await expect(store.maintain()).rejects.toMatchObject({ code: "REF_INVALID", details: { ref: second.ref } })
  expect((await store.verify()).problems).toEqual([
    { oid: second.ref, problem: "corrupt", file: second.ref, snapshots: [second.ref] },
  ])
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true, repaired: [second.ref] })
  expect(await ids(place)).toEqual([third.id, second.id, first.id])
  await store.maintain()
})

test("a packed pin that names a file's object is set anew", async () => {
  const place = await onMemory()
  const [first] = await snapshotsOf(place, ["one", "two", "three"])
  const blob = writeLoose(place, "blob", Buffer.from("no commit"))
  const pin = pinRef(first.ref as RefName)
  pack(place, [first], ({ id, ref }) => `${blob} ${pin}\n${id} ${ref}`)
  const store = await place.open()
  await expect(store.maintain()).rejects.toMatchObject({ code: "REF_INVALID", details: { ref: pin } })
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true, repaired: [pin] })
  expect((await store.resolve(first.id)).pinned).toBe(true)
})

test.each(["refs", "refs/snapshots", "refs/snapshots/project", "a ref"])(
  "%s that is a link, and leads nowhere for a moment, lets nothing go and is a problem",
  async (name) => {
    const place = await onMemory()
    const [first, , third] = await snapshotsOf(place, ["one", "two", "three"])
    const linked = name === "a ref" ? first.ref : name.replace("project", third.ref.split("/")[2] ?? "")
    const [here, away] = [join(place.gitdir, linked), join(place.scratch, "away")]
    const store = await place.open()
    place.fs.renameSync(here, away)
    place.fs.symlinkSync(`${away}-and-not-there`, here)
    await expect(store.maintain()).rejects.toMatchObject({ code: "REF_INVALID", details: { ref: linked } })
    expect((await store.verify()).problems).toContainEqual({
      oid: linked,
      problem: "corrupt",
      file: linked,
      snapshots: linked.startsWith("refs/") ? [linked] : [],
    })
    if (name !== "a ref") {
      expect(await store.verify({ repair: true })).toMatchObject({ ok: false, setAside: [] })
      await expect(store.maintain()).rejects.toMatchObject({ code: "REF_INVALID" })
    } else expect(await store.verify({ repair: true })).toMatchObject({ ok: true, repaired: [first.ref] })
    if (place.fs.lstatSync(here).isSymbolicLink()) {
      place.fs.unlinkSync(here)
      place.fs.renameSync(away, here)
    }
    expect(await store.verify()).toMatchObject({ ok: true, snapshots: 3 })
    await store.maintain()
  },
)

test.each([
  ["a folder of its name", (ref: string) => ref.replace("snapshots", "snapsjots")],
  ["its time", (ref: string) => ref.replace(/\/\d{4}(?=\d{4}T)/, "/203x")],
  ["its nonce", (ref: string) => ref.replace(/.$/, "q")],
  ["its beginning", (ref: string) => ref.replace("refs", "rdfs")],
])("a packed ref with a flipped bit in %s is a problem, and its snapshot comes back", async (_, flip) => {
  const place = await onMemory()
  const snapshots = await snapshotsOf(place, ["one", "two", "three"])
  const [, second] = snapshots
  pack(place, snapshots, ({ id, ref }) => `${id} ${ref === second.ref ? flip(ref) : ref}`)
  const store = await place.open()
  const { ok, problems } = await store.verify()
  expect([ok, problems.length]).toEqual([false, 1])
  expect(["packed-refs", second.ref]).toContain(problems[0]?.oid)
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true })
  expect(await ids(place)).toEqual(snapshots.map(({ id }) => id).toReversed())
  await store.forget(second.id)
  expect(await store.verify()).toMatchObject({ ok: true })
  await store.maintain()
})

test("a pin with a flipped bit in its name is a problem, and pins its snapshot again", async () => {
  const place = await onMemory()
  const [first] = await snapshotsOf(place, ["one", "two", "three"])
  const store = await place.open()
  await store.pin(first.id)
  const pin = pinRef(first.ref as RefName)
  const other = pin.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"))
  place.fs.renameSync(join(place.gitdir, pin), join(place.gitdir, other))
  expect((await store.verify()).problems).toMatchObject([{ oid: other, problem: "corrupt" }])
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true, setAside: [`damaged/${other}`] })
  expect((await store.resolve(first.id)).pinned).toBe(true)
  await store.maintain()
})

test("a branch of somebody's on a snapshot that was let go is no problem", async () => {
  const place = await onMemory()
  const [first] = await snapshotsOf(place, ["one", "two", "three"])
  const store = await place.open()
  await store.forget(first.id)
  place.fs.mkdirSync(join(place.gitdir, "refs/heads"), { recursive: true })
  place.fs.writeFileSync(join(place.gitdir, "refs/heads/kept"), `${first.id}\n`)
  expect(await store.verify()).toMatchObject({ ok: true })
})
