import fc from "fast-check"
import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Oid } from "../../src/core/oid.js"
import { encodePackIndex, parsePackIndex, type PackIndex, type PackIndexEntry } from "../../src/core/pack-index.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { git, gitIsThere } from "../support/git.js"
import { historyRepository, packsOf } from "../support/git-objects.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const hasher = nodeHasher()
const CHECKSUM = new Uint8Array(20).fill(9)

const oid = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex") as Oid)
const near = oid.map((digits) => `abcd${digits.slice(4)}` as Oid)
const entry: fc.Arbitrary<PackIndexEntry> = fc.record({
  oid: fc.oneof(oid, near),
  offset: fc.oneof(
    fc.nat(),
    fc.nat(2 ** 31 - 1).map((low) => 2 ** 31 + low),
    fc.maxSafeNat(),
  ),
  crc32: fc.nat(2 ** 31 - 1).map((half) => half * 2 + 1),
})
const entries = fc.uniqueArray(entry, { selector: (each) => each.oid, maxLength: 60 })

describe("a pack index", () => {
  it("is read back with every entry, prefix and order that it was written with", async () => {
    await fc.assert(
      fc.asyncProperty(entries, oid, async (written, other) => {
        const index = await parse(await encodePackIndex(hasher, written, CHECKSUM))
        expect(index.count).toBe(written.length)
        expect(index.packChecksum).toEqual(CHECKSUM)
        const sorted = written.toSorted((a, b) => (a.oid < b.oid ? -1 : 1))
        expect([...index.entries()]).toEqual(sorted)
        for (const each of written) expect(index.find(each.oid)).toBe(each.offset)
        for (const prefix of ["a", "abcd", other.slice(0, 1), other, ...sorted.slice(0, 3).map((each) => each.oid)])
          expect(index.withPrefix(prefix)).toEqual(sorted.map((each) => each.oid).filter((o) => o.startsWith(prefix)))
        const offsets = written.map((each) => each.offset).toSorted((a, b) => a - b)
        // The first few are found in another way than the others.
        for (const offset of [...offsets, ...offsets])
          expect(index.nextOffset(offset)).toBe(offsets.find((candidate) => candidate > offset))
      }),
    )
  })

  it("tells its entries in the order in which they stand, and knows rows by oids and by bytes", async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (written) => {
        const index = await parse(await encodePackIndex(hasher, written, CHECKSUM))
        const { starts, rows, places } = await index.inOrder(2 ** 53)
        const offsets = written.map((each) => each.offset).toSorted((a, b) => a - b)
        expect([...starts]).toEqual([...offsets, 2 ** 53])
        for (const [place, row] of rows.entries()) {
          expect(index.offsetAt(row)).toBe(starts[place])
          expect(places[row]).toBe(place)
        }
        for (const each of written) {
          const row = index.row(each.oid) as number
          expect(index.offsetAt(row)).toBe(each.offset)
          expect(index.rowOf(Buffer.from(`ff${each.oid}`, "hex"), 1)).toBe(row)
        }
      }),
    )
  })

  it("does not find an oid that it does not hold", async () => {
    await fc.assert(
      fc.asyncProperty(entries, fc.oneof(oid, near), async (written, wanted) => {
        fc.pre(!written.some((each) => each.oid === wanted))
        const index = await parse(await encodePackIndex(hasher, written, CHECKSUM))
        expect(index.find(wanted)).toBeUndefined()
        expect(index.rowOf(Buffer.from(wanted, "hex"), 0)).toBeUndefined()
      }),
    )
  })

  it.runIf(gitIsThere())("is written byte for byte as git writes it", async () => {
    const repository = historyRepository(await temporaryFolder(), 20)
    for (const pack of packsOf(repository)) {
      const bytes = fs.readFileSync(`${pack}.idx`)
      const index = await parse(bytes)
      expect(index.count).toBeGreaterThan(60)
      const shuffled = [...index.entries()].toSorted((a, b) => a.offset - b.offset)
      expect(bytes.equals(await encodePackIndex(hasher, shuffled, index.packChecksum))).toBe(true)
    }
  })

  it.runIf(gitIsThere())("is read the same when git puts offsets into the table of far ones", async () => {
    const folder = await temporaryFolder()
    const [pack] = packsOf(historyRepository(folder, 20)) as [string]
    const far = join(folder, "far.idx")
    git(["index-pack", "--index-version=2,0x40", "-o", far, `${pack}.pack`], { cwd: folder })
    const [plain, forced] = [await parse(fs.readFileSync(`${pack}.idx`)), await parse(fs.readFileSync(far))]
    expect(fs.statSync(far).size).toBeGreaterThan(fs.statSync(`${pack}.idx`).size)
    expect([...forced.entries()]).toEqual([...plain.entries()])
  })

  it.runIf(gitIsThere())("of version 1 is refused by its format", async () => {
    const folder = await temporaryFolder()
    const [pack] = packsOf(historyRepository(folder, 3)) as [string]
    git(["index-pack", "--index-version=1", "-o", join(folder, "old.idx"), `${pack}.pack`], { cwd: folder })
    const bytes = fs.readFileSync(join(folder, "old.idx"))
    await expect(parsePackIndex(hasher, bytes, "old.idx")).rejects.toMatchObject({
      code: "FORMAT_UNSUPPORTED",
      details: { path: "old.idx", format: "pack index version 1" },
    })
  })

  it("is none with any byte changed or missing", async () => {
    const bytes = await encodePackIndex(hasher, fc.sample(entry, { numRuns: 5, seed: 1 }), CHECKSUM)
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        expect(await parsePackIndex(hasher, bytes.with(at, (bytes[at] as number) ^ change), "x.idx")).toBeUndefined()
        expect(await parsePackIndex(hasher, bytes.subarray(0, at), "x.idx")).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  it("is none when its tables contradict each other, though its checksum is right", async () => {
    const written = [
      { oid: "11".repeat(20) as Oid, offset: 12, crc32: 1 },
      { oid: "22".repeat(20) as Oid, offset: 2 ** 33, crc32: 2 },
    ]
    const bytes = await encodePackIndex(hasher, written, CHECKSUM)
    const farRowAt = 8 + 1024 + 2 * 24 + 4
    const broken = {
      "a fanout that falls": bytes.with(8 + 4 * 0x10 + 3, 9),
      "more objects than there is room for": bytes.with(8 + 4 * 255 + 2, 9),
      "a row of far offsets that is not there": bytes.with(farRowAt + 3, 1),
      "half a row of far offsets": Uint8Array.from([...bytes.subarray(0, -44), ...bytes.subarray(-40)]),
    }
    for (const [what, content] of Object.entries({ ...broken, nothing: bytes.slice() })) {
      content.set(await hasher.sha1([content.subarray(0, -20)]), content.length - 20)
      const index = await parsePackIndex(hasher, content, "x.idx")
      expect(index === undefined, what).toBe(what !== "nothing")
    }
  })
})

async function parse(bytes: Uint8Array): Promise<PackIndex> {
  const index = await parsePackIndex(hasher, bytes, "test.idx")
  if (index === undefined) throw new Error("the index could not be read")
  return index
}
