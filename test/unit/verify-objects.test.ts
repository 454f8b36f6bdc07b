/*
 * Objects that verify is to tell of, each by its own reason.
 */
import { join } from "node:path"
import { expect, test } from "vitest"
import type { Oid } from "../../src/core/oid.js"
import type { Snapshot } from "../../src/index.js"
import { refusal } from "../../src/platform/io-error.js"
import { craftPack, encodeDelta } from "../support/crafted-pack.js"
import { flipped, overwrite, packsOf, writeLoose, writeSnapshot, writeTree } from "../support/damage.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { onMemory, type StoreUnderTest } from "../support/store-under-test.js"

/** Two snapshots of one file. */
async function snapshotsOf(place: StoreUnderTest): Promise<[Snapshot, Snapshot]> {
  const store = await place.open()
  place.write("a", "one")
  const { snapshot: first } = await store.capture()
  place.write("a", "two")
  const { snapshot: second } = await store.capture()
  await store.close()
  return [first, second]
}

function workspaceOf({ ref }: Snapshot): string {
  return ref.split("/")[2] ?? ""
}

/** A snapshot, older than all others, of a folder with one file. */
function snapshotWith(place: StoreUnderTest, like: Snapshot, name: string, oid: Oid): Oid {
  return writeSnapshot(place, workspaceOf(like), writeTree(place, [{ mode: "100644", name, oid }]))
}

test("a commit whose tree is a file is named with its snapshot, as often as it is looked at", async () => {
  const place = await onMemory()
  const [first] = await snapshotsOf(place)
  const blob = writeLoose(place, "blob", Buffer.from("no tree"))
  const id = writeSnapshot(place, workspaceOf(first), blob)
  const store = await place.open()
  expect((await store.verify()).problems).toEqual([{ oid: blob, problem: "corrupt", snapshots: [id] }])
  const error: unknown = await store.maintain().catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: "OBJECT_CORRUPT", message: expect.stringMatching(/Verify the store/) })
})

test("so is one whose tree is a file that a ref names, too", async () => {
  const place = await onMemory()
  const [first] = await snapshotsOf(place)
  const blob = writeLoose(place, "blob", Buffer.from("no tree"))
  place.fs.mkdirSync(join(place.gitdir, "refs/tags"), { recursive: true })
  place.fs.writeFileSync(join(place.gitdir, "refs/tags/blob"), `${blob}\n`)
  const id = writeSnapshot(place, workspaceOf(first), blob)
  const { problems } = await (await place.open()).verify()
  expect(problems).toMatchObject([{ oid: blob, problem: "corrupt" }])
  expect(problems[0]?.snapshots).toContain(id)
})

test("an object that is too large to be read is a problem of its own, and hides none", async () => {
  const place = await onMemory()
  const [first, second] = await snapshotsOf(place)
  const whole = Buffer.from("the base")
  const base = writeLoose(place, "blob", whole)
  const oid = "5".repeat(40) as Oid
  const content = encodeDelta(8, 4 * 2 ** 30, [{ copy: [0, 8] }])
  // Long enough that it might make so much.
  const delta = new Uint8Array(400).fill(0x90)
  delta.set(content)
  const { pack: bytes, index } = await craftPack([
    { oid: base, header: { type: "blob", sizeBytes: whole.length }, content: whole },
    { oid, header: { type: "ref-delta", sizeBytes: delta.length, base }, content: delta },
  ])
  const path = join(place.gitdir, `objects/pack/pack-${"5".repeat(40)}`)
  place.fs.writeFileSync(`${path}.pack`, bytes)
  place.fs.writeFileSync(`${path}.idx`, index)
  const id = snapshotWith(place, first, "large", oid)
  const store = await place.open()
  const large = { oid, problem: "corrupt", reason: "too-large", snapshots: [id] }
  expect((await store.verify()).problems).toEqual([large])
  place.fs.writeFileSync(join(place.gitdir, second.ref), "")
  expect(await store.verify({ repair: true })).toMatchObject({ ok: false, problems: [large], repaired: [second.ref] })
})

test("what this user may not read is told as such, and no ref is moved for it", async () => {
  const place = await onMemory()
  const snapshots = await snapshotsOf(place)
  const [path] = packsOf(place) as [string]
  const file = `${path}.pack`.slice(place.gitdir.length + 1)
  const store = await place.openOn((inner) =>
    faultyFileSystem(inner, [], async (call, make) => {
      if (call.path === `${path}.pack` && (call.kind === "open" || call.kind === "readFile"))
        throw refusal("open the file", call.path, "EACCES")
      return make()
    }),
  )
  const { problems } = await store.verify()
  expect(problems.find(({ oid }) => oid === file)).toMatchObject({ problem: "corrupt", reason: "unreadable", file })
  expect(await store.verify({ repair: true })).toMatchObject({ ok: false, setAside: [] })
  expect((await (await place.open()).list()).map(({ id }) => id)).toEqual(snapshots.map(({ id }) => id).toReversed())
})

test("bytes behind the end of a loose object are a problem, and are cut off", async () => {
  const place = await onMemory()
  const [first] = await snapshotsOf(place)
  const blob = writeLoose(place, "blob", Buffer.from("in a loose one"))
  const id = snapshotWith(place, first, "loose", blob)
  const file = `objects/${blob.slice(0, 2)}/${blob.slice(2)}`
  const before = Buffer.from(place.fs.readFileSync(join(place.gitdir, file)))
  overwrite(place, join(place.gitdir, file), (bytes) => Buffer.concat([bytes, Buffer.from("more")]))
  const store = await place.open()
  expect((await store.verify()).problems).toEqual([{ oid: blob, problem: "corrupt", file, snapshots: [] }])
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true, setAside: [`damaged/${file}`] })
  expect(Buffer.from(place.fs.readFileSync(join(place.gitdir, file)))).toEqual(before)
  expect(Buffer.from((await store.readFile(id, "loose")) ?? []).toString()).toBe("in a loose one")
})

test("what Git keeps about several packs goes before a pack that it may name", async () => {
  const place = await onMemory()
  await snapshotsOf(place)
  const [path] = packsOf(place) as [string]
  place.fs.writeFileSync(join(place.gitdir, "objects/pack/multi-pack-index"), "names packs")
  place.fs.mkdirSync(join(place.gitdir, "objects/info/commit-graphs"), { recursive: true })
  place.fs.writeFileSync(join(place.gitdir, "objects/info/commit-graphs/graph"), "names commits")
  overwrite(place, `${path}.pack`, (bytes) => flipped(bytes, -1))
  expect(await (await place.open()).verify({ repair: true })).toMatchObject({ ok: true })
  expect(place.fs.readdirSync(join(place.gitdir, "objects/pack")).map(String)).not.toContain("multi-pack-index")
  expect(place.fs.readdirSync(join(place.gitdir, "objects/info")).map(String)).not.toContain("commit-graphs")
})
