import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Progress, Snapshot, VerifyReport } from "../../src/index.js"
import { flipped, overwrite, packsOf, writeLoose, writeSnapshot, writeTree } from "../support/damage.js"
import { git, gitIsThere } from "../support/git.js"
import { noise } from "../support/git-objects.js"
import { expectError, onDisk, onMemory, type StoreUnderTest } from "../support/store-under-test.js"

/** A store with a snapshot of each text as the content of `a`; a second file is the same in all. Each has a pack. */
async function storeOf(
  place: StoreUnderTest,
  texts: readonly string[],
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly packs: readonly string[] }> {
  const store = await place.open()
  const snapshots: Snapshot[] = []
  const packs: string[] = []
  place.write("sub/same", "the same in all")
  for (const text of texts) {
    place.write("a", text)
    snapshots.push((await store.capture({ label: text })).snapshot)
    packs.push(...packsOf(place).filter((path) => !packs.includes(path)))
  }
  await store.close()
  return { snapshots, packs }
}

async function check(place: StoreUnderTest, repair = false): Promise<VerifyReport> {
  return (await place.open()).verify({ repair })
}

async function text(place: StoreUnderTest, rev: string, path: string): Promise<string> {
  return Buffer.from((await (await place.open()).readFile(rev, path)) ?? []).toString()
}

/** Where the entry of an object begins in one of the packs. */
function blobOid(content: string): string {
  return git(["hash-object", "--stdin"], { input: content }).text.trim()
}

describe.each([
  ["node:fs", () => onDisk()],
  ["memfs", () => onMemory()],
])("verify on %s", (_, start) => {
  test("a store as it should be has no problem, and nothing in it changes", async () => {
    const place = await start()
    await storeOf(place, ["one", "two", "three"])
    const store = await place.open()
    await store.restore("latest~1")
    const before = place.stored()
    const seen: Progress[] = []
    const report = await store.verify({ onProgress: (progress) => void seen.push(progress) })
    expect(report).toEqual({ ok: true, snapshots: 4, objects: 20, problems: [], repaired: [], setAside: [] })
    expect(place.stored()).toEqual(before)
    expect(seen.every(({ phase }) => phase === "verify")).toBe(true)
    expect(seen.at(-1)).toMatchObject({ done: seen.at(-1)?.total })
  })

  test("a pack that was cut is named with its objects, and the snapshots that they are in", async () => {
    const place = await start()
    const { snapshots, packs } = await storeOf(place, ["one", "two", "three"])
    overwrite(place, `${packs[1]}.pack`, (bytes) => bytes.subarray(0, bytes.length - 30))
    const { ok, problems } = await check(place)
    expect(ok).toBe(false)
    const file = `${packs[1]}.pack`.slice(place.gitdir.length + 1)
    expect(problems.find(({ oid }) => oid === file)).toMatchObject({ problem: "corrupt", file })
    expect(new Set(problems.flatMap((problem) => problem.snapshots))).toEqual(new Set([snapshots[1]?.ref]))
  })

  test("a damaged file names every snapshot that has it, and no other", async () => {
    const place = await start()
    const store = await place.open()
    place.write("a", "in all of them ".repeat(20))
    const ids: string[] = []
    for (const other of ["1", "2", "3"]) {
      place.write("b", other)
      if (other === "3") place.write("a", "another one")
      ids.push((await store.capture()).snapshot.id)
    }
    const [first] = packsOf(place) as [string]
    const lost = await damageEntry(place, "in all of them ".repeat(20))
    expect(first).toBeDefined()
    const { problems } = await check(place)
    expect(problems).toEqual([
      { oid: lost.oid, problem: "corrupt", file: lost.file, snapshots: [ids[0], ids[1]] },
    ])
  })
})

/** Turns one bit of the content of a blob that stands whole in one of the packs. */
async function damageEntry(place: StoreUnderTest, content: string): Promise<{ oid: string; file: string }> {
  const { parsePackIndex } = await import("../../src/core/pack-index.js")
  const { nodeHasher } = await import("../../src/platform/node/node-hasher.js")
  const oid = blobOid(content)
  for (const pack of packsOf(place)) {
    const bytes = new Uint8Array(place.fs.readFileSync(`${pack}.idx`) as Buffer)
    const offset = (await parsePackIndex(nodeHasher(), bytes, pack))?.find(oid as never)
    if (offset === undefined) continue
    overwrite(place, `${pack}.pack`, (whole) => flipped(whole, offset + 8))
    return { oid, file: `${pack}.pack`.slice(place.gitdir.length + 1) }
  }
  return expect.fail("no pack holds it")
}
void [fs, join, writeLoose, writeSnapshot, writeTree, gitIsThere, noise, expectError, text]
