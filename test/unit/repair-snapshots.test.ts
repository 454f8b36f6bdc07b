/*
 * What a repair makes of snapshots whose commits or refs are lost, and of their pins.
 */
import { join } from "node:path"
import { expect, test } from "vitest"
import type { FileSystemClient } from "../../src/core/file-system-client.js"
import type { Oid } from "../../src/core/oid.js"
import { pinRef, type RefName } from "../../src/core/ref-name.js"
import { readTree } from "../../src/core/tree.js"
import type { Snapshot } from "../../src/index.js"
import { clientFileSystem } from "../../src/platform/client-file-system.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { damageEntry, overwrite, packsOf } from "../support/damage.js"
import { onMemory, type StoreUnderTest } from "../support/store-under-test.js"

/** Pinned snapshots of each text as the content of a file, with the pack that each got. */
async function pinned(
  place: StoreUnderTest,
  texts: readonly string[],
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly packs: readonly string[] }> {
  const store = await place.open()
  const snapshots: Snapshot[] = []
  const packs: string[] = []
  for (const text of texts) {
    place.write("a", text)
    const { snapshot } = await store.capture({ label: text })
    await store.pin(snapshot.id)
    snapshots.push(snapshot)
    packs.push(...packsOf(place).filter((path) => !packs.includes(path)))
  }
  await store.close()
  return { snapshots, packs }
}

function pinOf({ ref }: Snapshot): string {
  return pinRef(ref as RefName)
}

test("a damaged pin is set anew on the snapshot that its name is for", async () => {
  const place = await onMemory()
  const { snapshots } = await pinned(place, ["one", "two", "three"])
  const [first, second] = snapshots as [Snapshot, Snapshot]
  const pin = pinOf(first)
  overwrite(place, join(place.gitdir, pin), () => new Uint8Array())
  const store = await place.open()
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true, repaired: [pin], setAside: [] })
  expect((await store.resolve(first.id)).pinned).toBe(true)
  await store.pin(second.id, false)
  await store.prune({ keepLast: 1 })
  expect((await store.list()).map(({ label }) => label)).toEqual(["three", "one"])
})

test("so is one whose snapshot's ref is damaged as well", async () => {
  const place = await onMemory()
  const { snapshots } = await pinned(place, ["one", "two"])
  const [first] = snapshots as [Snapshot]
  for (const ref of [pinOf(first), first.ref]) overwrite(place, join(place.gitdir, ref), () => new Uint8Array())
  const store = await place.open()
  const { ok, repaired } = await store.verify({ repair: true })
  expect([ok, repaired.toSorted()]).toEqual([true, [pinOf(first), first.ref]])
  expect((await store.resolve(first.id)).pinned).toBe(true)
})

test("a damaged pin of a snapshot that was let go moves aside, and brings nothing back", async () => {
  const place = await onMemory()
  const { snapshots } = await pinned(place, ["one", "two"])
  const [first] = snapshots as [Snapshot]
  const pin = pinOf(first)
  const store = await place.open()
  await store.forget(first.id)
  place.fs.writeFileSync(join(place.gitdir, pin), "")
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true, setAside: [`damaged/${pin}`] })
  expect(place.refs()).not.toContain(pin)
  await store.maintain()
  expect(await store.list()).toHaveLength(1)
})

test("a pinned snapshot whose commit is lost loses its pin with its ref, and maintenance runs again", async () => {
  const place = await onMemory()
  const { snapshots } = await pinned(place, ["one", "two"])
  const [first, second] = snapshots as [Snapshot, Snapshot]
  await damageEntry(place, first.id)
  const store = await place.open()
  const { ok, problems, setAside } = await store.verify({ repair: true })
  expect([ok, problems]).toEqual([false, [{ oid: first.id, problem: "missing", snapshots: [first.ref] }]])
  expect(setAside).toEqual(expect.arrayContaining([`damaged/${first.ref}`, `damaged/${pinOf(first)}`]))
  await store.maintain()
  expect((await store.list({ kind: "all" })).map(({ id, pinned: isPinned }) => [id, isPinned])).toEqual([
    [second.id, true],
  ])
})

test("the tree of a snapshot whose commit is lost gets a ref of its own, and stays when maintenance runs", async () => {
  const place = await onMemory()
  place.write("sub/deep/same", "the same in all")
  const store = await place.open()
  place.write("a", "one")
  const { snapshot } = await store.capture()
  place.write("a", "two")
  place.write("sub/deep/other", "only in the second one")
  const { snapshot: second } = await store.capture()
  place.write("a", "three")
  place.remove("sub/deep/other")
  await store.capture()
  await damageEntry(place, second.id)
  const { ok, problems, adopted, setAside } = await store.verify({ repair: true })
  expect([ok, adopted]).toEqual([false, [second.tree]])
  expect(problems).toEqual([{ oid: second.id, problem: "missing", snapshots: [second.ref] }])
  expect(setAside).toContain(`damaged/${second.ref}`)
  await store.maintain()
  await store.prune({ keepLast: 10 })
  expect((await store.verify()).problems).toEqual([])
  expect((await store.changes(snapshot.id, second.tree)).map(({ path, status }) => `${status} ${path}`)).toEqual([
    "modified a",
    "added sub/deep/other",
  ])
  place.write("new", "made since")
  expect(await store.restore(second.tree)).toMatchObject({ complete: true })
  expect([place.read("a"), place.read("sub/deep/other")]).toEqual(["two", "only in the second one"])
  expect(place.read("new")).toBe("made since")
})

test("the tree of one that was let go gets none, nor does that of one whose tree another snapshot has", async () => {
  const place = await onMemory()
  const store = await place.open()
  place.write("a", "one")
  const { snapshot: first } = await store.capture()
  const { snapshot: labelled } = await store.capture({ label: "the same tree" })
  expect(labelled.tree).toBe(first.tree)
  place.write("a", "two")
  const { snapshot: gone } = await store.capture()
  place.write("a", "three")
  await store.capture()
  await store.forget(gone.id)
  await damageEntry(place, labelled.id)
  expect(await store.verify({ repair: true })).toMatchObject({ ok: false, adopted: [] })
  expect(await store.verify()).toMatchObject({ ok: true })
  expect(await store.maintain()).toMatchObject({ objectsRemoved: 3 })
})

test("of a tree that has lost a folder, too, the folders that are whole get refs", async () => {
  const place = await onMemory()
  const store = await place.open()
  place.write("whole/deep/file", "in the whole one")
  place.write("broken/lost/file", "in the lost one")
  place.write("broken/kept/file", "in the kept one")
  const { snapshot } = await store.capture()
  place.write("whole/deep/file", "another")
  for (const name of ["lost", "kept"]) place.write(`broken/${name}/file`, "another")
  await store.capture()
  const lost = await folder(place, snapshot.tree, "broken", "lost")
  const expected = [await folder(place, snapshot.tree, "broken", "kept"), await folder(place, snapshot.tree, "whole")]
  for (const oid of [snapshot.id, lost]) await damageEntry(place, oid)
  const { ok, adopted } = await store.verify({ repair: true })
  expect([ok, adopted.toSorted()]).toEqual([false, expected.toSorted()])
  await store.maintain()
  expect((await store.verify()).problems).toEqual([])
})

/** The oid of a folder in a tree. */
async function folder({ fs, gitdir }: StoreUnderTest, tree: string, ...names: readonly string[]): Promise<string> {
  const fileSystem = clientFileSystem(fs as unknown as FileSystemClient)
  const objects = objectDatabase({ ...PORTS, fileSystem, objectsFolder: join(gitdir, "objects") })
  let at = tree as Oid
  for (const name of names)
    at = (await readTree(objects, at)).find((entry) => entry.name === name)?.oid ?? expect.fail(`${name} is not there`)
  await objects.close()
  return at
}

const PORTS = { hasher: nodeHasher(), deflater: nodeDeflater() }
