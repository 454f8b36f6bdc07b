import fc from "fast-check"
import { expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import { hashObject } from "../../src/core/object.js"
import { oidBytes, type Oid } from "../../src/core/oid.js"
import { encodeName } from "../../src/core/path.js"
import { compareEntries, decodeTree, encodeTree, unlikeEntries, type TreeEntry } from "../../src/core/tree.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { buildCommit, buildTree, libraryCarries } from "../../src/store/library-writer.js"
import { encodeCommit, type Commit } from "../../src/core/commit.js"
import { git, gitIsThere } from "../support/git.js"
import { byteText, plainText, safeName } from "../support/random-names.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const oid = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex") as Oid)

const entry: fc.Arbitrary<TreeEntry> = fc.record({
  mode: fc.constantFrom("100644", "100755", "120000", "40000", "160000"),
  name: safeName.map(plainText),
  oid,
})

const entries = fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 20 })

const ID = "0123456789abcdef0123456789abcdef01234567" as Oid

test("a tree that is encoded and decoded has the same entries, in Git's order, whatever the order was", () => {
  fc.assert(
    fc.property(entries, (list) => {
      const decoded = decodeTree(encodeTree(list), ID)
      expect(decoded).toEqual(list.toSorted(compareEntries))
      expect(encodeTree(decoded)).toEqual(encodeTree(list.toReversed()))
    }),
  )
})

test("a folder sorts as if its name ended in a slash", () => {
  const names = (list: readonly [string, TreeEntry["mode"]][]): string[] =>
    decodeTree(encodeTree(list.map(([name, mode]) => ({ name, mode, oid: ID }))), ID).map(({ name }) => name)
  expect(
    names([
      ["a", "40000"],
      ["a.b", "100644"],
      ["a0", "100644"],
      ["a-b", "40000"],
    ]),
  ).toEqual(["a-b", "a.b", "a", "a0"])
  expect(
    names([
      ["a", "100644"],
      ["a.b", "100644"],
      ["a-b", "40000"],
    ]),
  ).toEqual(["a", "a-b", "a.b"])
  expect(
    names([
      ["\u{10000}", "100644"],
      ["\uffff", "100644"],
    ]),
  ).toEqual(["\uffff", "\u{10000}"])
})

test.runIf(gitIsThere())("native git makes the same tree of the same entries", async () => {
  const gitdir = await temporaryFolder()
  git(["init", "--quiet", "--bare", gitdir])
  const type = { "40000": "tree", "160000": "commit" } as const
  await fc.assert(
    fc.asyncProperty(fc.array(entries, { minLength: 1, maxLength: 12 }), async (trees) => {
      const line = ({ mode, name, oid: id }: TreeEntry): string =>
        `${mode.padStart(6, "0")} ${mode in type ? type[mode as keyof typeof type] : "blob"} ${id}\t${byteText(name)}\0`
      const input = Buffer.from(trees.map((list) => `${list.map(line).join("")}\0`).join(""), "latin1")
      const made = git(["--git-dir", gitdir, "mktree", "-z", "--missing", "--batch"], { input }).text.trim().split("\n")
      const ours = await Promise.all(trees.map((list) => hashObject(nodeHasher(), "tree", encodeTree(list))))
      expect(ours).toEqual(made)
    }),
    { numRuns: 20 },
  )
})

test("isomorphic-git builds the same bytes of every tree that it is given", async () => {
  const library = await import("isomorphic-git")
  let built = 0
  await fc.assert(
    fc.asyncProperty(entries, async (list) => {
      fc.pre(libraryCarries(list))
      const bytes = encodeTree(list)
      const id = await hashObject(nodeHasher(), "tree", bytes)
      const taken: unknown[] = []
      await buildTree(library, nodeDeflater(), list, id, async (...object) => void taken.push(object))
      expect(taken).toEqual([["tree", bytes, id]])
      built++
    }),
    { numRuns: 60 },
  )
  expect(built).toBeGreaterThan(10)
})

test("names that isomorphic-git would sort or read otherwise are not given to it", () => {
  const carries = (name: string): boolean => libraryCarries([{ mode: "100644", name, oid: ID }])
  for (const name of ["a", "é", "日本", "a b", "\ud7ff"]) expect(carries(name), name).toBe(true)
  for (const name of ["a\\b", "🚀", "\uffff", "\ufeff", "\udcff"]) expect(carries(name), name).toBe(false)
})

test("a tree that comes out otherwise than expected is an error, and what differs is not stored", async () => {
  const library = await import("isomorphic-git")
  const building = buildTree(library, nodeDeflater(), [{ mode: "100644", name: "a", oid: ID }], ID, async () => {})
  await expect(building).rejects.toMatchObject({ code: "OBJECT_CORRUPT", details: { oid: ID } })
})

test("isomorphic-git builds the same bytes of every commit", async () => {
  const library = await import("isomorphic-git")
  const line = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[\r\n\0]/g, "").trim() || "x")
  await fc.assert(
    fc.asyncProperty(
      oid,
      fc.array(oid, { maxLength: 2 }),
      fc.nat(4e9),
      fc.array(line, { minLength: 1, maxLength: 3 }),
      async (tree, parents, seconds, lines) => {
        const commit: Commit = { tree, parents, seconds, message: `${lines.join("\n\n")}\n` }
        const bytes = encodeCommit(commit)
        const id = await hashObject(nodeHasher(), "commit", bytes)
        const taken: unknown[] = []
        await buildCommit(library, nodeDeflater(), commit, id, async (...object) => void taken.push(object))
        expect(taken).toEqual([["commit", bytes, id]])
      },
    ),
    { numRuns: 40 },
  )
})

test("modes that old Gits wrote are read as today's Git reads them", () => {
  const row = (mode: string): Buffer => Buffer.concat([Buffer.from(`${mode} a\0`), oidBytes(ID)])
  const read = (mode: string): string | undefined => decodeTree(row(mode), ID)[0]?.mode
  expect(["100664", "100600", "100775", "040000", "40000"].map(read)).toEqual([
    "100644",
    "100644",
    "100755",
    "40000",
    "40000",
  ])
})

test("names that are no UTF-8 are decoded so that they can be had back", () => {
  const bytes = Buffer.concat([Buffer.from("100644 caf"), Buffer.from([0xe9, 0]), oidBytes(ID)])
  const [read] = decodeTree(bytes, ID)
  expect(Buffer.from(encodeName(read?.name ?? "")).toString("latin1")).toBe("caf\xe9")
  expect(encodeTree(read === undefined ? [] : [read])).toEqual(Uint8Array.from(bytes))
})

test.each([
  ["a cut oid", Buffer.concat([Buffer.from("100644 a\0"), oidBytes(ID).subarray(1)])],
  ["no space", Buffer.from("100644")],
  ["no name", Buffer.concat([Buffer.from("100644 \0"), oidBytes(ID)])],
  ["no NUL", Buffer.from("100644 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")],
  ["a mode of another kind", Buffer.concat([Buffer.from("020000 a\0"), oidBytes(ID)])],
  ["a mode that is no number", Buffer.concat([Buffer.from("10o644 a\0"), oidBytes(ID)])],
  ["a mode that is too long", Buffer.concat([Buffer.from("0100644 a\0"), oidBytes(ID)])],
  ["zeros", new Uint8Array(64)],
])("bytes with %s are no tree", (_, bytes) => {
  expect(() => decodeTree(bytes, ID)).toThrow(SnapshotError)
  expect(() => decodeTree(bytes, ID)).toThrow(expect.objectContaining({ code: "OBJECT_CORRUPT", details: { oid: ID } }))
})

test("of two trees the entries that are not alike are given, and of a thousand that are alike none", () => {
  const many = Array.from({ length: 1000 }, (_, i): TreeEntry => ({ mode: "100644", name: `file ${i}`, oid: ID }))
  const other = ID.replace("0", "f") as Oid
  const after = many
    .with(500, { mode: "100755", name: "file 500", oid: other })
    .toSpliced(700, 1)
    .concat({ mode: "40000", name: "file 3", oid: other }, { mode: "100644", name: "new", oid: ID })
  const [left, right] = unlikeEntries({ oid: ID, bytes: encodeTree(many) }, { oid: other, bytes: encodeTree(after) })
  expect(left.map(({ name }) => name)).toEqual(["file 500", "file 700"])
  expect(right.map(({ mode, name }) => `${mode} ${name}`)).toEqual(["40000 file 3", "100755 file 500", "100644 new"])
})

test("a tree that is cut off is damaged on either side of a comparison", () => {
  const bytes = encodeTree([
    { mode: "100644", name: "a", oid: ID },
    { mode: "40000", name: "b", oid: ID },
  ])
  const whole = { oid: ID, bytes }
  for (let length = 1; length < bytes.length; length++) {
    const cut = { oid: ID, bytes: bytes.subarray(0, length) }
    if (length === bytes.length - encodeTree([{ mode: "40000", name: "b", oid: ID }]).length) continue
    const damage = expect.objectContaining({ code: "OBJECT_CORRUPT" })
    expect(() => unlikeEntries(cut, whole)).toThrow(damage)
    expect(() => unlikeEntries(whole, cut)).toThrow(damage)
  }
})
