import fc from "fast-check"
import { expect, test } from "vitest"
import { utf8 } from "../../src/core/bytes.js"
import { joinedPaths, type IndexColumns } from "../../src/core/index-columns.js"
import { seedTable } from "../../src/tree/seed-table.js"
import { nameIn, oidOf } from "../../src/tree/stat-table.js"

interface Told {
  readonly path: string
  readonly seconds: number
  readonly nanoseconds: number
}

function columnsOf(entries: readonly Told[]): IndexColumns {
  const bytes = new Uint8Array(60 * entries.length)
  const view = new DataView(bytes.buffer)
  for (const [i, { seconds, nanoseconds }] of entries.entries()) {
    const numbers = [seconds, nanoseconds, seconds, nanoseconds, 1, 0xfedcba98, 0o100644, 0, 0, 4_000_000_000]
    for (const [field, number] of numbers.entries()) view.setUint32(60 * i + 4 * field, number)
    bytes.fill(i + 1, 60 * i + 40, 60 * i + 60)
  }
  const names = entries.map(({ path }) => utf8(path))
  let end = 0
  const ends = Uint32Array.from(names, (name) => (end += name.length))
  return {
    count: entries.length,
    bytes,
    starts: Uint32Array.from(entries, (_, i) => 60 * i),
    flags: new Uint32Array(entries.length),
    paths: joinedPaths(Uint8Array.from(names.flatMap((name) => [...name])), ends),
  }
}

const LATEST = 2 ** 32 - 1

test("a table has the times of an index to the nanosecond, and its sizes, inodes and oids", async () => {
  const time = fc.record({
    path: fc.constant("a"),
    seconds: fc.nat(LATEST - 1),
    nanoseconds: fc.nat(999_999_999),
  })
  await fc.assert(
    fc.asyncProperty(time, async (told) => {
      const seen = await seedTable(columnsOf([told]), "", LATEST)
      const { mtimes, ctimes, inodes, sizes } = seen?.table ?? expect.fail("no table")
      const ns = BigInt(told.seconds) * 1_000_000_000n + BigInt(told.nanoseconds)
      expect([mtimes[1], ctimes[1], inodes[1], sizes[1]]).toEqual([ns, ns, 0xfedcba98n, 4_000_000_000])
    }),
  )
})

test("a table has the names of an index, whatever they are, below the prefix, and none from a path out of order", async () => {
  const entry = (path: string): Told => ({ path, seconds: 1, nanoseconds: 2 })
  const paths = [
    "a/b",
    "p/.hidden",
    "p/a b",
    "p/d.x",
    "p/d/e/f",
    "p/d/g",
    "p/d0",
    "p/\u00e9/\ud835\udcb3",
    "p/\uffee",
    "q",
  ]
  for (const [prefix, named] of [
    ["p", paths.filter((path) => path.startsWith("p/"))],
    ["", paths],
  ] as const) {
    const seen = (await seedTable(columnsOf(paths.map(entry)), prefix, LATEST)) ?? expect.fail("no table")
    const { table } = seen
    const found: string[] = []
    const visit = (folder: number, path: string): void => {
      for (let row = folder + 1; row < (table.ends[folder] as number); row = table.ends[row] as number) {
        const inside = path + nameIn(seen, row)
        if ((table.ends[row] as number) > row + 1) visit(row, `${inside}/`)
        else found.push(`${inside} ${oidOf(table, row).slice(0, 2)}`)
      }
    }
    visit(0, "")
    const expected = named.map(
      (path) =>
        `${path.slice(prefix === "" ? 0 : prefix.length + 1)} ${(paths.indexOf(path) + 1).toString(16).padStart(2, "0")}`,
    )
    expect(found).toEqual(expected)
  }
  for (const odd of [
    ["b", "a"],
    ["a", "a"],
    ["\ud835\udcb3", "\uffee"],
  ])
    expect(await seedTable(columnsOf(odd.map(entry)), "", LATEST)).toBeUndefined()
})
