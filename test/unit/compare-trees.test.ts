import { createHash } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { deflateSync } from "node:zlib"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { objectHeader, type GitObject } from "../../src/core/object.js"
import { EMPTY_TREE, type Oid } from "../../src/core/oid.js"
import { decodeName } from "../../src/core/path.js"
import { compareEntries, encodeTree, type Mode, type TreeEntry } from "../../src/core/tree.js"
import { compareTrees, storedTrees } from "../../src/tree/compare-trees.js"
import { pathFilter } from "../../src/tree/path-filter.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/** A folder by name: other folders, or files as their mode and a letter for their content. */
interface Folder {
  readonly [name: string]: Folder | `${Mode} ${string}`
}

/** Trees in memory. */
class Forest {
  readonly trees = new Map<Oid, readonly TreeEntry[]>()
  readonly reads: Oid[] = []

  readonly reader = async (oid: Oid): Promise<readonly TreeEntry[]> => {
    this.reads.push(oid)
    const entries = this.trees.get(oid)
    if (entries === undefined) throw new Error(`no tree ${oid}`)
    return entries
  }

  plant(folder: Folder): Oid {
    const entries = Object.entries(folder).map(([name, item]): TreeEntry => {
      if (typeof item !== "string") return { mode: "40000", name, oid: this.plant(item) }
      const [mode, content] = item.split(" ") as [Mode, string]
      return { mode, name, oid: content.repeat(40) as Oid }
    })
    const bytes = encodeTree(entries)
    const oid = createHash("sha1").update(objectHeader("tree", bytes.length)).update(bytes).digest("hex") as Oid
    if (oid !== EMPTY_TREE) this.trees.set(oid, entries.sort(compareEntries))
    return oid
  }
}

const names = [
  "a",
  "b",
  "a.b",
  "a-b",
  "a0",
  "é",
  "\uffee",
  "\u{1f600}",
  "a\\b",
  "n\nl",
  decodeName(Uint8Array.of(0x61, 0xff)),
]
const { tree: anyFolder } = fc.letrec<{ tree: Folder; item: Folder | `${Mode} ${string}` }>((tie) => ({
  tree: fc.dictionary(fc.constantFrom(...names), tie("item"), { maxKeys: 7 }),
  item: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom("100644 1", "100644 2", "100755 1", "120000 1", "120000 2", "160000 1") as fc.Arbitrary<"100644 1">,
    tie("tree"),
  ),
}))

describe("compareTrees", () => {
  it.runIf(gitIsThere())("gives what git diff-tree gives, in the same order", async () => {
    const cwd = await temporaryFolder()
    git(["init", "-q"], { cwd })
    const forest = new Forest()
    const pairs = fc.sample(fc.tuple(anyFolder, anyFolder), 300).map((pair) => pair.map((tree) => forest.plant(tree)))
    for (const [oid, entries] of [...forest.trees, [EMPTY_TREE, []] as const]) {
      const bytes = encodeTree(entries)
      mkdirSync(join(cwd, ".git/objects", oid.slice(0, 2)), { recursive: true })
      const content = Buffer.concat([objectHeader("tree", bytes.length), bytes])
      writeFileSync(join(cwd, ".git/objects", oid.slice(0, 2), oid.slice(2)), deflateSync(content, { level: 1 }))
    }
    const asked = pairs.map((pair) => `${pair.join(" ")}\n`)
    const said = git(["diff-tree", "-r", "-z", "--no-renames", "--stdin"], { cwd, input: asked.join("") })
    const ours: Buffer[] = []
    for (const [index, [before, after]] of pairs.entries()) {
      ours.push(Buffer.from(asked[index] as string))
      for (const { path, status, ...sides } of await compareTrees(forest.reader, before, after)) {
        const [old, now] = [sides.before, sides.after]
        const none = { mode: "000000", oid: "0".repeat(40) }
        const letter = { added: "A", deleted: "D", modified: "M", typechange: "T" }[status]
        ours.push(Buffer.from(`:${(old ?? none).mode} ${(now ?? none).mode} ${(old ?? none).oid} `))
        ours.push(Buffer.from(`${(now ?? none).oid} ${letter}\0`), nameBytes(path), Buffer.of(0))
      }
    }
    expect(Buffer.concat(ours).toString("latin1")).toBe(said.stdout.toString("latin1"))
  })

  it("gives with a filter what it gives without one and the filter lets pass", async () => {
    const source = fc.record(
      {
        paths: fc.array(fc.constantFrom("a", "b/a", "a/a/b", "a.b", "."), { maxLength: 2 }),
        globs: fc.array(fc.constantFrom("*", "a/**", "**/b", "!a/**", "{a,b}/*"), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(anyFolder, anyFolder, source, async (left, right, given) => {
        const forest = new Forest()
        const [before, after] = [forest.plant(left), forest.plant(right)]
        const filter = pathFilter(given)
        const all = await compareTrees(forest.reader, before, after)
        const some = await compareTrees(forest.reader, before, after, filter)
        expect(some).toEqual(all.filter(({ path }) => filter(path)))
      }),
      { numRuns: 500 },
    )
  })

  it("gives of stored trees, of which it decodes what differs, what it gives of their entries", async () => {
    await fc.assert(
      fc.asyncProperty(anyFolder, anyFolder, async (left, right) => {
        const forest = new Forest()
        const [before, after] = [forest.plant(left), forest.plant(right)]
        const read = async (oid: Oid): Promise<GitObject> => ({
          type: "tree",
          bytes: encodeTree(forest.trees.get(oid) ?? []),
        })
        expect(await compareTrees(storedTrees({ read }), before, after)).toEqual(
          await compareTrees(forest.reader, before, after),
        )
      }),
      { numRuns: 500 },
    )
  })

  it("lists each file of a tree against nothing, and nothing for a tree against itself", async () => {
    const forest = new Forest()
    const oid = forest.plant({ d: { f: "100644 1" }, e: {}, l: "120000 2" })
    const after = (mode: Mode, letter: string) => ({ mode, oid: letter.repeat(40) })
    const expected = [
      { path: "d/f", status: "added", after: after("100644", "1") },
      { path: "l", status: "added", after: after("120000", "2") },
    ]
    expect(await compareTrees(forest.reader, undefined, oid)).toStrictEqual(expected)
    expect(await compareTrees(forest.reader, EMPTY_TREE, oid)).toStrictEqual(expected)
    const gone = await compareTrees(forest.reader, oid, undefined)
    expect(gone).toStrictEqual(expected.map(({ path, after: before }) => ({ path, status: "deleted", before })))
    forest.reads.length = 0
    expect(await compareTrees(forest.reader, oid, oid)).toEqual([])
    expect(forest.reads).toEqual([])
    expect(await compareTrees(forest.reader, undefined, undefined)).toEqual([])
  })

  it("reads no folder that is equal on both sides or that the filter does not reach", async () => {
    const forest = new Forest()
    const same = { deep: { f: "100644 1" } } as const
    const before = forest.plant({ same, src: { f: "100644 1" }, lib: { f: "100644 1" } })
    const after = forest.plant({ same, src: { f: "100644 2" }, lib: { f: "100644 2" } })
    const changes = await compareTrees(forest.reader, before, after, pathFilter({ paths: ["src"] }))
    expect(changes.map(({ path }) => path)).toEqual(["src/f"])
    const allowed = [before, after, forest.plant({ f: "100644 1" }), forest.plant({ f: "100644 2" })]
    expect(forest.reads.toSorted()).toEqual(allowed.toSorted())
  })

  it("goes through folders 10,000 levels deep, with a filter, too", async () => {
    const trees = new Map<string, readonly TreeEntry[]>()
    const oidOf = (side: number, level: number): Oid => `${side}${level}`.padStart(40, "0") as Oid
    for (const side of [1, 2]) {
      for (let level = 0; level < 10_000; level++)
        trees.set(oidOf(side, level), [{ mode: "40000", name: "d", oid: oidOf(side, level + 1) }])
      trees.set(oidOf(side, 10_000), [{ mode: "100644", name: "f", oid: oidOf(side, 10_001) }])
    }
    const reader = async (oid: Oid): Promise<readonly TreeEntry[]> => trees.get(oid) ?? []
    const path = `${"d/".repeat(10_000)}f`
    for (const filter of [undefined, pathFilter({ paths: ["d"] }), pathFilter({ paths: [path], globs: ["**/f"] })]) {
      const changes = await compareTrees(reader, oidOf(1, 0), oidOf(2, 0), filter)
      expect(changes.map((change) => change.path === path && change.status)).toEqual(["modified"])
    }
  })

  it("reads several trees at once, but no more than a few dozen", async () => {
    const forest = new Forest()
    const wide = (letter: string): Folder =>
      Object.fromEntries(
        Array.from({ length: 500 }, (_, i) => [`d${i}`, { f: `100644 ${letter}`, [`${i}`]: "100644 1" }]),
      )
    let now = 0
    let most = 0
    const reader = async (oid: Oid): Promise<readonly TreeEntry[]> => {
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
      return forest.reader(oid)
    }
    const changes = await compareTrees(reader, forest.plant(wide("1")), forest.plant(wide("2")))
    expect(changes).toHaveLength(500)
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(32)
  })

  it("throws what the reader throws", async () => {
    const forest = new Forest()
    const before = forest.plant({ d: { f: "100644 1" } })
    forest.trees.delete(forest.plant({ f: "100644 1" }))
    await expect(compareTrees(forest.reader, before, undefined)).rejects.toThrow("no tree")
  })
})

/** Written apart from the product's own: surrogates that stand for single bytes back into these. */
function nameBytes(path: string): Buffer {
  return Buffer.concat(
    [...path].map((symbol) => {
      const code = symbol.codePointAt(0) as number
      return code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(symbol)
    }),
  )
}
