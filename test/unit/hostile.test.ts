/*
 * Packs, indexes and trees that nobody wrote in good faith: they end in an error with a code, and soon.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { concat, utf8 } from "../../src/core/bytes.js"
import type { Oid } from "../../src/core/oid.js"
import { encodePackHeader } from "../../src/core/pack.js"
import { encodePackIndex, parsePackIndex } from "../../src/core/pack-index.js"
import { encodeTree, type Mode } from "../../src/core/tree.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { auditPack } from "../../src/store/audit-pack.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { PackRemains } from "../../src/store/pack-remains.js"
import { craftPack, encodeDelta, type CraftedEntry } from "../support/crafted-pack.js"
import { writeLoose, writeSnapshot, writeTree } from "../support/damage.js"
import { onDisk, onMemory } from "../support/store-under-test.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const PORTS = { fileSystem: nodeFileSystem(), hasher: nodeHasher(), deflater: nodeDeflater() }
const A = "a".repeat(40) as Oid
const B = "b".repeat(40) as Oid
const C = "c".repeat(40) as Oid

/** What reading each object of a pack, or the first so many, comes to, by index and by going through the pack; and the memory that it took. */
async function readPack(
  pack: Uint8Array,
  index: Uint8Array,
  most = Number.POSITIVE_INFINITY,
): Promise<{ readonly codes: readonly string[]; readonly scanned: number; readonly tookBytes: number }> {
  const folder = await temporaryFolder()
  const path = join(folder, "pack/pack-hostile")
  mkdirSync(join(folder, "pack"))
  writeFileSync(`${path}.pack`, pack)
  writeFileSync(`${path}.idx`, index)
  const objects = objectDatabase({ ...PORTS, objectsFolder: folder })
  const before = process.memoryUsage()
  const codes: string[] = []
  const parsed = await parsePackIndex(PORTS.hasher, index, path)
  for (const { oid } of parsed?.entries() ?? []) {
    if (codes.length === most) break
    const found = await objects.read(oid).catch((error: unknown) => error)
    codes.push(found instanceof Error ? String((found as { code?: unknown }).code) : "read")
  }
  await objects.close()
  const remains = new PackRemains(PORTS)
  const state = await auditPack(PORTS, path)
  const scanned = state === undefined ? undefined : await remains.index({ ...state, parsed: undefined })
  await remains.close()
  const after = process.memoryUsage()
  return {
    codes,
    scanned: scanned?.count ?? 0,
    tookBytes: Math.max(after.arrayBuffers - before.arrayBuffers, after.heapUsed - before.heapUsed),
  }
}

const content = utf8("some content that deltas build on")

describe("a pack from hostile hands", () => {
  const identity = encodeDelta(content.length, content.length, [{ copy: [0, content.length] }])
  const refDelta = (oid: Oid, base: Oid): CraftedEntry => ({
    oid,
    header: { type: "ref-delta", sizeBytes: identity.length, base },
    content: identity,
  })
  const lie = (sizeBytes: number): CraftedEntry => ({ oid: A, header: { type: "blob", sizeBytes }, content })
  const claim = encodeDelta(content.length, 4 * 2 ** 30, [{ copy: [0, content.length] }])

  const CASES: readonly (readonly [string, readonly CraftedEntry[]])[] = [
    ["a delta on itself", [refDelta(A, A)]],
    ["deltas in a circle", [refDelta(A, B), refDelta(B, C), refDelta(C, A)]],
    ["a delta on something that is not there", [refDelta(A, B)]],
    [
      "a delta that reaches back before the pack",
      [{ oid: A, header: { type: "offset-delta", sizeBytes: identity.length, distance: 1000 }, content: identity }],
    ],
    [
      "a delta that reaches into the middle of an entry",
      [lie(content.length), { oid: B, header: { type: "offset-delta", sizeBytes: 5, distance: 3 }, content: identity }],
    ],
    ["4 GB in a hundred bytes", [lie(4 * 2 ** 30)]],
    ["more than a number can hold", [lie(Number.MAX_SAFE_INTEGER)]],
    ["a byte less than there is", [lie(content.length - 1)]],
    ["a byte more than there is", [lie(content.length + 1)]],
    [
      "a delta that claims 4 GB",
      [
        lie(content.length),
        { oid: B, header: { type: "ref-delta", sizeBytes: claim.length, base: A }, content: claim },
      ],
    ],
    ["an object by another name", [lie(content.length)]],
  ]

  test.each(CASES)("%s", async (_, entries) => {
    const { pack, index } = await craftPack(entries)
    const { codes, tookBytes } = await readPack(pack, index)
    expect(new Set(codes)).toEqual(new Set(["OBJECT_CORRUPT"]))
    expect(tookBytes).toBeLessThan(64 << 20)
  })

  test("4,500 deltas one on the other end in an error, and going through the pack ends, too", async () => {
    const oids = Array.from({ length: 4500 }, (_, i) => i.toString(16).padStart(40, "0") as Oid)
    const entries = oids.map((oid, i): CraftedEntry => {
      const next = oids[i + 1]
      return next === undefined
        ? { oid, header: { type: "blob", sizeBytes: content.length }, content }
        : refDelta(oid, next)
    })
    const { pack, index } = await craftPack(entries)
    const found = await readPack(pack, index, 1)
    expect(found.codes).toEqual(["OBJECT_CORRUPT"])
    // All of them are the one object that the last one is.
    expect(found.scanned).toBe(1)
  })

  test("zeros that deflate a thousandfold and are copied again and again take no more than they may", async () => {
    const zeros = new Uint8Array(8 << 20)
    const delta = encodeDelta(
      zeros.length,
      512 * zeros.length,
      Array.from({ length: 512 }, () => ({ copy: [0, zeros.length] as const })),
    )
    const { pack, index } = await craftPack([
      { oid: A, header: { type: "blob", sizeBytes: zeros.length }, content: zeros },
      { oid: B, header: { type: "ref-delta", sizeBytes: delta.length, base: A }, content: delta },
    ])
    const { codes } = await readPack(pack, index)
    expect(codes).toEqual(["OBJECT_CORRUPT", "UNSUPPORTED"])
  })

  test("an index that claims more than it holds, or leads out of its pack, gives nothing", async () => {
    const { pack } = await craftPack([{ oid: A, header: { type: "blob", sizeBytes: 3 }, content: utf8("abc") }])
    for (const offset of [0, 11, pack.length - 20, pack.length, 2 ** 31, 2 ** 40]) {
      const index = await encodePackIndex(PORTS.hasher, [{ oid: A, offset, crc32: 0 }], pack.slice(-20))
      expect((await readPack(pack, index)).codes).toEqual(["OBJECT_CORRUPT"])
    }
    const many = concat([encodePackHeader(0xffffffff), pack.subarray(12)])
    expect((await readPack(many, await encodePackIndex(PORTS.hasher, [], many.slice(-20)))).scanned).toBe(1)
  })
})

describe("a tree from hostile hands", () => {
  const NAMES = ["..", ".", ".git", ".GIT", "git~1", "a/b", "../../escaped", ""]

  test.each(NAMES)("with an entry %j writes nothing outside of the work tree, and no .git in it", async (name) => {
    const place = await onDisk()
    place.write("kept", "kept")
    const store = await place.open()
    await store.capture()
    const blob = writeLoose(place, "blob", utf8("escaped"))
    for (const mode of ["100644", "120000", "40000"] as readonly Mode[]) {
      const entry = mode === "40000" ? writeTree(place, [{ mode: "100644", name: "hooks", oid: blob }]) : blob
      const bytes = encodeTree([{ mode, name, oid: entry }])
      const tree = writeLoose(place, "tree", bytes)
      const id = writeSnapshot(place, store.workspace, tree, { nonce: `${mode}00`.padEnd(16, "1") })
      const before = place.fs.readdirSync(place.scratch)
      const report: unknown = await store.restore(id, { added: "keep" }).catch((error: unknown) => error)
      if (report instanceof Error) expect(report).toMatchObject({ name: "SnapshotError" })
      expect(place.fs.readdirSync(place.scratch)).toEqual(before)
      expect(place.content()).toMatchObject({ kept: expect.stringContaining("kept") })
      expect(
        place.fs
          .readdirSync(place.root)
          .map(String)
          .filter((each) => /^(?:\.git|git~1)$/i.test(each)),
      ).toEqual([])
    }
    // A tree whose entry has no name is none.
    expect(await store.verify()).toMatchObject({ ok: name !== "" })
  })

  test("1,000 folders deep is checked to its end", async () => {
    const place = await onMemory()
    place.write("kept", "kept")
    const store = await place.open()
    await store.capture()
    let oid = writeLoose(place, "blob", utf8("deep"))
    for (let i = 0; i < 1000; i++) oid = writeTree(place, [{ mode: i === 0 ? "100644" : "40000", name: "d", oid }])
    writeSnapshot(place, store.workspace, oid)
    expect(await store.verify()).toMatchObject({ ok: true })
    place.fs.unlinkSync(join(place.gitdir, "objects", oid.slice(0, 2), oid.slice(2)))
    expect(await store.verify()).toMatchObject({ ok: false })
  })

  test("of 2^40 folders in 40 trees is planned until it is aborted, and nothing is touched", async () => {
    const place = await onMemory()
    place.write("kept", "kept")
    const store = await place.open()
    await store.capture()
    let oid = writeLoose(place, "blob", utf8("deep"))
    for (let i = 0; i < 40; i++) {
      const mode = i === 0 ? "100644" : "40000"
      oid = writeTree(place, [
        { mode, name: "a", oid },
        { mode, name: "b", oid },
      ])
    }
    const id = writeSnapshot(place, store.workspace, oid)
    const controller = new AbortController()
    const reason = new Error("enough")
    setTimeout(() => controller.abort(reason), 300)
    await expect(store.restore(id, { signal: controller.signal })).rejects.toBe(reason)
    expect(place.content()).toMatchObject({ kept: expect.stringContaining("kept") })
  })
})
