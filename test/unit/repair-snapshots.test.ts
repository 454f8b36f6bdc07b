/*
 * What a repair makes of snapshots whose commits or refs are lost, and of their pins.
 */
import { join } from "node:path"
import { expect, test } from "vitest"
import { pinRef, type RefName } from "../../src/core/ref-name.js"
import type { Snapshot } from "../../src/index.js"
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
  const { ok, setAside } = await store.verify({ repair: true })
  expect(ok).toBe(true)
  expect(setAside).toEqual(expect.arrayContaining([`damaged/${first.ref}`, `damaged/${pinOf(first)}`]))
  await store.maintain()
  expect((await store.list({ kind: "all" })).map(({ id, pinned: isPinned }) => [id, isPinned])).toEqual([
    [second.id, true],
  ])
})
