import fc from "fast-check"
import { expect, test } from "vitest"
import { PLAIN_MANIFEST, PLAIN_PERMISSIONS } from "../../src/core/manifest.js"
import type { Oid } from "../../src/core/oid.js"
import { FILE_ROW, FOLDER_ROW, LINK_ROW } from "../../src/core/stat-checker.js"
import { decodeKnown, encodeKnown } from "../../src/tree/known-file.js"
import type { KnownTree } from "../../src/tree/known-tree.js"
import { rowFacts } from "../../src/tree/row-facts.js"
import {
  EMPTY,
  EXECUTABLE,
  isSound,
  oidOf,
  StatTableWriter,
  SURE,
  type NamedTable,
  type StatRow,
} from "../../src/tree/stat-table.js"
import { tableContents } from "../../src/tree/tree-contents.js"
import { CHECK } from "../support/store-on.js"

const OID = "0123456789abcdef0123456789abcdef01234567" as Oid

test("the bits that most files have stand once, others by path, and set-user-id and the like not at all", async () => {
  const seen = tableOf([
    file("a", 0o664),
    file("b", 0o664),
    file("c", 0o600),
    file("x", 0o4755, EXECUTABLE),
    { kind: FOLDER_ROW, name: "folder", permissions: 0o1777, oid: OID, inside: [file("d", 0o600)] },
    { kind: LINK_ROW, name: "link", permissions: 0o777, oid: OID },
    file("e", 0o664),
  ])
  expect((await rowFacts(seen)).permissions).toEqual({
    file: 0o664,
    executable: 0o755,
    folder: 0o777,
    exceptions: { c: 0o600, "folder/d": 0o600 },
  })
})

test("with as many plain as others the plain bits win, and nothing at all is plain", async () => {
  expect((await rowFacts(tableOf([file("a", 0o600), file("b", 0o644)]))).permissions).toEqual({
    ...PLAIN_PERMISSIONS,
    exceptions: { a: 0o600 },
  })
  expect((await rowFacts(tableOf([]))).permissions).toEqual(PLAIN_PERMISSIONS)
})

test("an empty folder is told of with the bits of the folders on the way to it; one whose files are all ignored is not", async () => {
  const seen = tableOf([
    {
      kind: FOLDER_ROW,
      name: "a",
      permissions: 0o700,
      inside: [{ kind: FOLDER_ROW, name: "e", permissions: 0o750, marks: EMPTY }],
    },
    { kind: FOLDER_ROW, name: "ignored", permissions: 0o711 },
    { kind: FOLDER_ROW, name: "plain", permissions: 0o755, oid: OID },
    { kind: FOLDER_ROW, name: "plain too", permissions: 0o755, oid: OID },
  ])
  expect(await rowFacts(seen)).toEqual({
    emptyFolders: ["a/e"],
    permissions: { ...PLAIN_PERMISSIONS, exceptions: { a: 0o700, "a/e": 0o750 } },
  })
})

test("a table copied piece by piece is the same table", async () => {
  const seen = tableOf([
    file("a", 0o644),
    { kind: FOLDER_ROW, name: "\u00e9", permissions: 0o755, oid: OID, inside: [file("b", 0o600)] },
  ])
  const writer = new StatTableWriter()
  writer.copy(seen, 0, seen.table.count)
  const copy = writer.finish()
  expect(copy.names).toBe(seen.names)
  expect(copy.table.bytes).toEqual(seen.table.bytes)
})

test("what is known comes back from its file, and from no damaged, cut or foreign one", async () => {
  const seen = tableOf([
    file("a", 0o644),
    { kind: FOLDER_ROW, name: "\u00e9", permissions: 0o755, oid: OID, inside: [file("\ud83d\ude00", 0o600)] },
  ])
  const known: KnownTree = { tree: OID, manifest: PLAIN_MANIFEST, rulesDigest: "d", rulesStamp: "s", files: 2, seen }
  const { hasher } = CHECK
  const bytes = await encodeKnown(hasher, known, "key")
  const back = await decodeKnown(hasher, bytes, "key")
  expect(back).toEqual({ ...known, seen: { names: seen.names, table: expect.anything() } })
  expect(back?.seen.table.bytes).toEqual(seen.table.bytes)
  expect(await decodeKnown(hasher, bytes, "another")).toBeUndefined()
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, bits) => {
      const damaged = bytes.slice()
      damaged[at] = (damaged[at] as number) ^ bits
      expect(await decodeKnown(hasher, damaged, "key")).toBeUndefined()
      expect(await decodeKnown(hasher, bytes.subarray(0, at), "key")).toBeUndefined()
    }),
    { numRuns: 200 },
  )
})

test("a table whose rows do not lie in each other is not sound", async () => {
  const { table } = tableOf([
    file("a", 0o644),
    { kind: FOLDER_ROW, name: "f", permissions: 0o755, inside: [file("b", 0o644)] },
  ])
  expect(isSound(table)).toBe(true)
  for (const [row, end] of [
    [0, 3],
    [1, 3],
    [2, 2],
    [2, 9],
    [3, 5],
  ] as const) {
    const wrong = { ...table, ends: table.ends.slice() }
    wrong.ends[row] = end
    expect(isSound(wrong)).toBe(false)
  }
})

test("the contents of a tree are its files by path, and all oids in it", async () => {
  const other = "f".repeat(40) as Oid
  const seen = tableOf([
    file("a", 0o644),
    { kind: FOLDER_ROW, name: "f", permissions: 0o755, oid: other, inside: [file("b", 0o755, EXECUTABLE)] },
  ])
  const contents = tableContents(seen)
  expect([...contents.files.keys()]).toEqual(["a", "f/b"])
  expect(contents.files.get("f/b" as never)).toEqual({ mode: "100755", name: "b", oid: OID })
  expect([contents.files.has("f" as never), contents.files.has("f/c" as never)]).toEqual([false, false])
  expect([contents.has(OID), contents.has(other), contents.has("0".repeat(39).concat("1") as Oid)]).toEqual([
    true,
    true,
    false,
  ])
  expect(oidOf(seen.table, 1)).toBe(OID)
})

test("as many equal files as there may be are found as fast as different ones", async () => {
  const seen = tableOf(Array.from({ length: 200_000 }, (_, i) => file(`${i}`, 0o644)))
  expect(tableContents(seen).has(OID)).toBe(true)
})

interface Given {
  readonly kind: number
  readonly name: string
  readonly permissions: number
  readonly marks?: number
  readonly oid?: Oid
  readonly inside?: readonly Given[]
}

function file(name: string, permissions: number, marks = 0): Given {
  return { kind: FILE_ROW, name, permissions, marks, oid: OID }
}

function tableOf(inside: readonly Given[]): NamedTable {
  const writer = new StatTableWriter()
  const put = (given: Given): void => {
    const { kind, name, permissions, marks = 0, oid } = given
    const row: StatRow = {
      kind,
      name,
      permissions,
      marks: marks | SURE,
      oid,
      sizeBytes: 7,
      mtimeNs: 1n,
      ctimeNs: 2n,
      inode: 3n,
    }
    const at = writer.add(row)
    for (const one of given.inside ?? []) put(one)
    if (kind === FOLDER_ROW) writer.close(at)
  }
  put({ kind: FOLDER_ROW, name: "", permissions: 0o755, inside })
  return writer.finish()
}
