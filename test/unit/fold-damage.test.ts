/*
 * Maintenance of a store in which a file's content is damaged: it does the rest of its work.
 */
import { dirname, join } from "node:path"
import { expect, test } from "vitest"
import { EMPTY_TREE, type Oid } from "../../src/core/oid.js"
import type { SnapshotStore } from "../../src/index.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { collect } from "../../src/store/collect.js"
import { layoutOf } from "../../src/store/gitdir.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { damageEntry, flipped, overwrite, packsOf, writeLoose, writeSnapshot, writeTree } from "../support/damage.js"
import { noise } from "../support/git-objects.js"
import { GITDIR, newMemory, storeOn, WORKTREE, type Memory } from "../support/store-on.js"

const PORTS = { hasher: nodeHasher(), deflater: nodeDeflater() }

/** So many versions of one file, each with a pack of its own; the store, and what the file was in each snapshot. */
async function versions(
  count: number,
): Promise<{ memory: Memory; store: SnapshotStore; texts: ReadonlyMap<string, string> }> {
  const memory = newMemory()
  const { fs } = memory.disk
  fs.mkdirSync(WORKTREE, { recursive: true })
  const store = await storeOn(memory.fileSystem, { platform: PORTS })
  const texts = new Map<string, string>()
  const body = noise(3, 4000).toString("hex")
  for (let i = 0; i < count; i++) {
    const text = `${body.slice(0, 4000)} version ${i} ${body.slice(4000)}`
    fs.writeFileSync(`${WORKTREE}/a`, text)
    texts.set((await store.capture()).snapshot.id, text)
  }
  return { memory, store, texts }
}

function placeOf({ disk }: Memory): { fs: Memory["disk"]["fs"]; gitdir: string } {
  return { fs: disk.fs, gitdir: GITDIR }
}

/** Of which snapshots the file cannot be read, by their age, oldest 0. */
async function lost(store: SnapshotStore, texts: ReadonlyMap<string, string>): Promise<number[]> {
  const found: number[] = []
  for (const [i, [id, text]] of [...texts].entries()) {
    const bytes = await store.readFile(id, "a").catch(() => undefined)
    if (Buffer.from(bytes ?? []).toString() !== text) found.push(i)
  }
  return found
}

test.each([0, 5, 11])(
  "the pack of a damaged file stays as it is, and the others are folded: version %i",
  async (at) => {
    const { memory, store, texts } = await versions(12)
    const place = placeOf(memory)
    const [id] = [...texts][at] as [string, string]
    const changes = await store.changes(EMPTY_TREE, id)
    const file = await damageEntry(place, changes[0]?.after?.oid ?? "")
    expect(await store.maintain()).toMatchObject({ packsRemoved: 11, packsWritten: 1 })
    expect(packsOf(place)).toHaveLength(2)
    expect(packsOf(place)).toContain(join(GITDIR, file.replace(/\.pack$/, "")))
    expect(await lost(store, texts)).toEqual([at])
  },
)

test("files that are too large to be read whole are folded as they stand", async () => {
  const { memory, store, texts } = await versions(10)
  const { fileSystem } = memory
  const objects = objectDatabase({ ...PORTS, fileSystem, objectsFolder: `${GITDIR}/objects`, limitBytes: 5000 })
  const { report } = await collect({
    ...{ ...PORTS, fileSystem, layout: layoutOf(GITDIR), objects },
    ...{ nowMs: Date.now(), isAlive: async () => true, isCompact: false, largestDelta: 2 ** 20 },
  })
  await objects.close()
  expect(report).toMatchObject({ packsRemoved: 10, packsWritten: 1 })
  expect(await lost(store, texts)).toEqual([])
})

test("what an alternate has and is damaged there is passed over, and the rest is taken over", async () => {
  const { memory, store, texts } = await versions(2)
  const { fs } = memory.disk
  const lender = { fs, gitdir: "/elsewhere" }
  const blobs = ["sound", "damaged"].map((text) => writeLoose(lender, "blob", Buffer.from(text)))
  const large = writeLoose(lender, "blob", noise(5, 1_300_000))
  const [sound, damaged] = blobs as [Oid, Oid]
  for (const [oid, position] of [[damaged, -3] as const, [large, -100] as const])
    overwrite(lender, `/elsewhere/objects/${oid.slice(0, 2)}/${oid.slice(2)}`, (bytes) => flipped(bytes, position))
  const entries = [sound, damaged, large].map((oid, i) => ({ mode: "100644" as const, name: `file-${i}`, oid }))
  writeSnapshot(placeOf(memory), "project", writeTree(placeOf(memory), entries))
  const alternates = `${GITDIR}/objects/info/alternates`
  fs.mkdirSync(dirname(alternates), { recursive: true })
  fs.writeFileSync(alternates, "/elsewhere/objects\n")
  expect(await store.maintain()).toMatchObject({ objectsTakenOver: 1 })
  fs.unlinkSync(alternates)
  const again = await storeOn(memory.fileSystem, { platform: PORTS })
  expect(await lost(again, texts)).toEqual([])
  const [oldest] = (await again.list()).toReversed()
  expect(Buffer.from((await again.readFile(oldest?.id ?? "", "file-0")) ?? []).toString()).toBe("sound")
})
