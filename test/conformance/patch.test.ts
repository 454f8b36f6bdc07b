import { createHash } from "node:crypto"
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { deflateSync } from "node:zlib"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { concat, lossyText, utf8 } from "../../src/core/bytes.js"
import type { Change } from "../../src/core/change.js"
import { objectHeader } from "../../src/core/object.js"
import { comparePaths } from "../../src/core/path.js"
import type { Mode } from "../../src/core/tree.js"
import { TEXT_LIMIT_BYTES } from "../../src/tree/binary-patch.js"
import { fileDiff } from "../../src/tree/file-diff.js"
import { filePatch, type PatchOptions } from "../../src/tree/patch.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

interface Version {
  readonly mode: Mode
  readonly content: Uint8Array
}

/** Files and links by path. */
type Folder = ReadonlyMap<string, Version>

const deflater = { deflate: async (bytes: Uint8Array): Promise<Uint8Array> => deflateSync(bytes, { level: 6 }) }

const line = fc.constantFrom(
  ..."a|b|c|d|}| |\t|a\r|\r|--- a/x|+++ b/x|@@ -1 +1 @@|diff --git a/x b/x|\\ No newline at end of file|GIT binary patch|é".split(
    "|",
  ),
  "",
  "\0 late",
)
const lines = fc.array(line, { maxLength: 30 })
const latin = (parts: readonly string[]): Uint8Array => Uint8Array.from(Buffer.from(parts.join("\n"), "latin1"))
const ending = fc.constantFrom("", "\n", "\r\n")
const textPair = fc.oneof(
  fc.tuple(lines, lines),
  // One text with some lines changed, so that hunks have context.
  fc
    .tuple(
      fc.array(line, { minLength: 10, maxLength: 80 }),
      fc.array(fc.tuple(fc.nat(79), fc.nat(2), lines), { maxLength: 4 }),
    )
    .map(([before, edits]) => {
      const after = [...before]
      for (const [at, count, fresh] of edits) after.splice(at, count, ...fresh.slice(0, 3))
      return [before, after] as const
    }),
)
const bytesPair = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }))
const contentPair = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(textPair, ending, ending)
      .map(([[a, b], x, y]) => [latin([...a, x]), latin([...b, y])] as const),
  },
  { weight: 1, arbitrary: bytesPair },
  { weight: 1, arbitrary: lines.map((text) => [latin(text), latin(text)] as const) },
  { weight: 1, arbitrary: fc.tuple(lines, bytesPair).map(([text, [, b]]) => [latin(text), b] as const) },
)
const linkText = fc.constantFrom("a", "../x y", "é", "two\nlines", "ends\n")
const mode = fc.constantFrom<Mode>("100644", "100644", "100755")
const versionPair: fc.Arbitrary<readonly [Version | undefined, Version | undefined]> = fc
  .record({
    contents: contentPair,
    links: fc.tuple(linkText, linkText),
    modes: fc.tuple(mode, mode),
    shape: fc.nat(19),
  })
  .map(({ contents, links, modes, shape }) => {
    const file = (side: 0 | 1): Version => ({ mode: modes[side], content: contents[side] })
    const link = (side: 0 | 1): Version => ({ mode: "120000", content: utf8(links[side]) })
    if (shape === 0) return [link(0), link(1)]
    if (shape === 1) return [file(0), link(1)]
    if (shape === 2) return [link(0), file(1)]
    if (shape === 3) return [undefined, link(1)]
    if (shape === 4) return [link(0), undefined]
    if (shape <= 7) return [undefined, file(1)]
    if (shape <= 10) return [file(0), undefined]
    return [file(0), file(1)]
  })

const oddNames = [
  ...'a b|a  b| lead|trail |x b/x| b/|it\'s|"quoted"|back\\slash|tab\there|new\nline|cr\rhere|é€😀|-dash|--- a|+++ b|~|*|[x]|:x|#x|{a,b}|\x7f|\x01'.split(
    "|",
  ),
  "dev null",
  "nbsp\u00a0",
  "2020-01-01 00:00:00 +0000",
]
const name = fc.oneof(fc.constantFrom(...oddNames), fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 5 }))

/**
 * Puts each pair of versions under a folder of its own, so that names never meet. No folder's name ends in a space: git
 * apply cannot read the header of such a path where nothing but the header names it, not even in git's own patches.
 */
const folderPair: fc.Arbitrary<readonly [Folder, Folder]> = fc
  .array(fc.tuple(name, versionPair), { minLength: 400, maxLength: 400 })
  .map((items) => {
    const before = new Map<string, Version>()
    const after = new Map<string, Version>()
    for (const [index, [odd, [old, now]]] of items.entries()) {
      const parts = odd.replaceAll("\0", "").split("/")
      const path = `${index} d/${parts.map((part) => (/^\.{0,2}$| $/.test(part) ? "_" : part)).join("/")}`
      if (old !== undefined) before.set(path, old)
      if (now !== undefined) after.set(path, now)
    }
    return [before, after] as const
  })

describe.runIf(gitIsThere())("a patch", () => {
  it("turns one folder into the other through git apply, and back in reverse", { timeout: 60_000 }, async () => {
    const cwd = await temporaryFolder()
    for (const [index, [before, after]] of fc.sample(folderPair, 5).entries()) {
      const patch = await patchOf(before, after, { context: [3, 1, 10][index % 3] as number })
      const folder = join(cwd, `${index}`)
      writeFolder(folder, before)
      git(["apply", "--whitespace=nowarn", "-"], { cwd: folder, input: patch })
      expect(readFolder(folder)).toEqual(plain(after))
      git(["apply", "--whitespace=nowarn", "-R", "-"], { cwd: folder, input: patch })
      expect(readFolder(folder)).toEqual(plain(before))
    }
  })

  it(
    "says what git's own patch says of names, modes and objects, and changes no more lines",
    { timeout: 60_000 },
    async () => {
      const cwd = await temporaryFolder()
      git(["init", "-q"], { cwd })
      for (const [before, after] of fc.sample(folderPair, 2)) {
        const trees = [before, after].map((folder) => {
          for (const item of readdirSync(cwd)) if (item !== ".git") rmSync(join(cwd, item), { recursive: true })
          writeFolder(cwd, folder)
          git(["-c", "core.autocrlf=false", "add", "-A"], { cwd })
          return git(["write-tree"], { cwd }).text.trim()
        })
        const theirs = git(["diff-tree", "-r", "-p", "--full-index", "--binary", "--no-renames", ...trees], {
          cwd,
        }).stdout
        const ours = await patchOf(before, after)
        const [mine, native] = [sectionsOf(ours), sectionsOf(theirs)]
        expect(mine.map(({ header }) => header)).toEqual(native.map(({ header }) => header))
        for (const [index, { additions, deletions }] of mine.entries()) {
          expect(additions - deletions).toBe((native[index]?.additions ?? 0) - (native[index]?.deletions ?? 0))
          expect(additions).toBeLessThanOrEqual(native[index]?.additions ?? 0)
        }
      }
    },
  )

  it("lets files, folders and links swap places", async () => {
    const cwd = await temporaryFolder()
    const file: Version = { mode: "100644", content: utf8("text\n") }
    const link: Version = { mode: "120000", content: utf8("a") }
    const before = new Map([
      ["a", file],
      ["b/c", file],
      ["d", link],
      ["e/f", file],
      ["g", link],
    ])
    const after = new Map([
      ["a/x", file],
      ["b", file],
      ["d/y", file],
      ["e", link],
      ["g", file],
    ])
    const patch = await patchOf(before, after)
    writeFolder(join(cwd, "t"), before)
    git(["apply", "-"], { cwd: join(cwd, "t"), input: patch })
    expect(readFolder(join(cwd, "t"))).toEqual(plain(after))
    git(["apply", "-R", "-"], { cwd: join(cwd, "t"), input: patch })
    expect(readFolder(join(cwd, "t"))).toEqual(plain(before))
  })

  it("writes whole sections byte for byte as git does", async () => {
    const cwd = await temporaryFolder()
    git(["init", "-q"], { cwd })
    const text = (mode: Mode, content: string): Version => ({ mode, content: utf8(content) })
    const before = new Map([
      ["binary late", text("100644", `${"a".repeat(8000)}\0\n`)],
      ["changed", text("100644", "1\n2\n3\n4\n5\n6\n7\n8\n9\n")],
      ["gone", text("100755", "x")],
      ["empty gone", text("100644", "")],
      ["link", text("120000", "to")],
      ["mode", text("100644", "same\n")],
      ["swap", text("100644", "file\n")],
      ["é", text("100644", "")],
    ])
    const after = new Map([
      ["binary late", text("100644", `${"b".repeat(8000)}\0\n`)],
      ["changed", text("100755", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n")],
      ["a new", text("100644", "\r\n\t")],
      ["empty", text("100755", "")],
      ["link", text("120000", "from")],
      ["mode", text("100755", "same\n")],
      ["swap", text("120000", "file\n")],
      ["é", text("100644", "no longer empty")],
    ])
    const trees = [before, after].map((folder) => {
      for (const item of readdirSync(cwd)) if (item !== ".git") rmSync(join(cwd, item), { recursive: true })
      writeFolder(cwd, folder)
      git(["add", "-A"], { cwd })
      return git(["write-tree"], { cwd }).text.trim()
    })
    const args = ["diff-tree", "-r", "-p", "--full-index", "--binary", "--no-renames", ...trees]
    expect(Buffer.from(await patchOf(before, after)).toString()).toBe(git(args, { cwd }).text)
  })

  it("shows gitlinks as git does", async () => {
    const cwd = await temporaryFolder()
    git(["init", "-q"], { cwd })
    const [one, two] = ["1".repeat(40), "2".repeat(40)]
    const trees = [`160000 commit ${one}\tm\n160000 commit ${one}\tn\n`, `160000 commit ${two}\tm\n`].map((input) =>
      git(["mktree", "--missing"], { cwd, input }).text.trim(),
    )
    const version = (oid: string) => ({ mode: "160000" as Mode, oid })
    const changes: Change[] = [
      { path: "m", status: "modified", before: version(one), after: version(two) },
      { path: "n", status: "deleted", before: version(one) },
    ]
    const ours = await Promise.all(changes.map((change) => filePatch(deflater, change, undefined, undefined)))
    const args = ["diff-tree", "-r", "-p", "--full-index", "--submodule=short", ...trees]
    expect(lossyText(concat(ours))).toBe(git(args, { cwd }).text)
  })

  it("takes content above the limit as binary, without comparing lines", { timeout: 60_000 }, async () => {
    const cwd = await temporaryFolder()
    const big = new Uint8Array(TEXT_LIMIT_BYTES + 1).fill(0x0a)
    const before = new Map<string, Version>([["big", { mode: "100644", content: big }]])
    const after = new Map<string, Version>([["big", { mode: "100644", content: utf8("small\n") }]])
    const patch = await patchOf(before, after)
    expect(lossyText(patch)).toContain(`\nGIT binary patch\nliteral 6\n`)
    writeFolder(cwd, before)
    git(["apply", "-"], { cwd, input: patch })
    expect(readFolder(cwd)).toEqual(plain(after))
    const [diff] = changesOf(before, after).map((change) => fileDiff(change, big, utf8("small\n")))
    expect(diff).toMatchObject({ binary: true, additions: 0, deletions: 0 })
  })
})

describe("filePatch", () => {
  it("asks for a content that it needs, and for no other", async () => {
    const version = (mode: Mode, content: string) => ({ mode, oid: oidOf(utf8(content)) })
    const needed: Change = {
      path: "a",
      status: "modified",
      before: version("100644", "1"),
      after: version("100644", "2"),
    }
    const missing = expect.objectContaining({ code: "INVALID_ARGUMENT" })
    await expect(filePatch(deflater, needed, utf8("1"), undefined)).rejects.toThrow(missing)
    await expect(filePatch(deflater, needed, undefined, utf8("2"))).rejects.toThrow(missing)
    const chmod: Change = {
      path: "a",
      status: "modified",
      before: version("100644", "1"),
      after: version("100755", "1"),
    }
    expect(lossyText(await filePatch(deflater, chmod, undefined, undefined))).toBe(
      "diff --git a/a b/a\nold mode 100644\nnew mode 100755\n",
    )
  })

  it("replaces all in one hunk where line differences would cost too much", async () => {
    const count = 200_000
    const lines = Array.from({ length: count }, (_, i) => `${i}\n`)
    const before = utf8(lines.join(""))
    const after = utf8(lines.toReversed().join(""))
    const patch = lossyText(await patchOf(folderOf(before), folderOf(after)))
    expect(patch.match(/^@@.*@@$/gm)).toEqual([`@@ -1,${count} +1,${count} @@`])
    const long = [new Uint8Array(10_000_000).fill(0x61), new Uint8Array(9_999_999).fill(0x61)] as const
    const one = await patchOf(folderOf(long[0]), folderOf(long[1]))
    expect(lossyText(one).match(/^@@.*@@$/gm)).toEqual(["@@ -1 +1 @@"])
  })
})

describe("fileDiff", () => {
  it("counts the lines that its patch adds and removes", () => {
    fc.assert(
      fc.property(textPair, ([a, b]) => {
        const [before, after] = [latin(a), latin(b)]
        fc.pre(!Buffer.from(before).equals(after) && !before.includes(0) && !after.includes(0))
        const [change] = changesOf(folderOf(before), folderOf(after)) as [Change]
        const diff = fileDiff(change, before, after)
        const [section] = sectionsOf(utf8(diff.patch)) as [Section]
        expect([diff.additions, diff.deletions, diff.binary]).toEqual([section.additions, section.deletions, false])
        expect(diff).toMatchObject(change)
      }),
      { numRuns: 500 },
    )
  })

  it("says of binaries only that they differ, and shows bytes that are no UTF-8 as U+FFFD", () => {
    const before = Uint8Array.of(0, 1)
    const [change] = changesOf(folderOf(before), new Map()) as [Change]
    const diff = fileDiff(change, before, undefined)
    expect(diff).toMatchObject({ binary: true, additions: 0, deletions: 0, status: "deleted" })
    expect(diff.patch).toMatch(/^index [0-9a-f]{40}\.\.0{40}\nBinary files a\/f and \/dev\/null differ\n$/m)
    const [edit] = changesOf(folderOf(Uint8Array.of(0xe9)), folderOf(utf8("é"))) as [Change]
    expect(fileDiff(edit, Uint8Array.of(0xe9), utf8("é")).patch).toContain("\n-\ufffd\n")
  })

  it("takes content for binary when a NUL is among its first 8,000 bytes", () => {
    for (const [ahead, binary] of [
      [7999, true],
      [8000, false],
    ] as const) {
      const content = utf8(`${"a".repeat(ahead)}\0`)
      const [change] = changesOf(new Map(), folderOf(content)) as [Change]
      expect(fileDiff(change, undefined, content).binary).toBe(binary)
    }
  })

  it("counts both halves of a typechange", () => {
    const [before, after] = [utf8("a\nb\n"), utf8("target")]
    const link = new Map([["f", { mode: "120000" as Mode, content: after }]])
    const [change] = changesOf(folderOf(before), link) as [Change]
    expect(fileDiff(change, before, after)).toMatchObject({ status: "typechange", additions: 1, deletions: 2 })
  })
})

function folderOf(content: Uint8Array): Folder {
  return new Map([["f", { mode: "100644", content }]])
}

async function patchOf(before: Folder, after: Folder, options?: PatchOptions): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (const change of changesOf(before, after)) {
    const { path } = change
    parts.push(await filePatch(deflater, change, before.get(path)?.content, after.get(path)?.content, options))
  }
  return concat(parts)
}

function changesOf(before: Folder, after: Folder): Change[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted(comparePaths)
  return paths.flatMap((path): Change[] => {
    const [old, now] = [before.get(path), after.get(path)].map(
      (version) => version && { mode: version.mode, oid: oidOf(version.content) },
    )
    if (old === undefined) return now === undefined ? [] : [{ path, status: "added", after: now }]
    if (now === undefined) return [{ path, status: "deleted", before: old }]
    if (old.mode === now.mode && old.oid === now.oid) return []
    const swapped = (old.mode === "120000") !== (now.mode === "120000")
    return [{ path, status: swapped ? "typechange" : "modified", before: old, after: now }]
  })
}

function oidOf(content: Uint8Array): string {
  return createHash("sha1").update(objectHeader("blob", content.length)).update(content).digest("hex")
}

function writeFolder(root: string, folder: Folder): void {
  mkdirSync(root, { recursive: true })
  for (const [path, { mode, content }] of folder) {
    const file = join(root, path)
    mkdirSync(join(file, ".."), { recursive: true })
    if (mode === "120000") symlinkSync(Buffer.from(content), file)
    else {
      writeFileSync(file, content)
      chmodSync(file, mode === "100755" ? 0o755 : 0o644)
    }
  }
}

function readFolder(root: string, prefix = ""): Record<string, string> {
  const found: Record<string, string> = {}
  for (const item of readdirSync(root)) {
    const file = join(root, item)
    const stat = lstatSync(file)
    if (stat.isDirectory()) Object.assign(found, readFolder(file, `${prefix}${item}/`))
    else {
      const bytes = stat.isSymbolicLink() ? readlinkSync(file, "buffer") : readFileSync(file)
      const mode = stat.isSymbolicLink() ? "120000" : (stat.mode & 0o100) === 0 ? "100644" : "100755"
      found[prefix + item] = `${mode} ${bytes.toString("latin1")}`
    }
  }
  return found
}

function plain(folder: Folder): Record<string, string> {
  return Object.fromEntries(
    [...folder].map(([path, { mode, content }]) => [path, `${mode} ${Buffer.from(content).toString("latin1")}`]),
  )
}

interface Section {
  /** All lines ahead of the first hunk or the binary content. */
  readonly header: string
  readonly additions: number
  readonly deletions: number
}

/** Reads a patch by the line counts of its hunks, so that no content is taken for a header. */
function sectionsOf(patch: Uint8Array): Section[] {
  const sections: { header: string; additions: number; deletions: number }[] = []
  const lines = Buffer.from(patch).toString("latin1").split("\n")
  let left = 0
  let right = 0
  let binary = false
  for (const text of lines) {
    const section = sections.at(-1)
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(text)
    if (section !== undefined && left + right > 0) {
      if (text.startsWith("-")) section.deletions++
      if (text.startsWith("+")) section.additions++
      if (text.startsWith("-") || text.startsWith(" ")) left--
      if (text.startsWith("+") || text.startsWith(" ")) right--
    } else if (text.startsWith("diff --git ")) {
      binary = false
      sections.push({ header: text, additions: 0, deletions: 0 })
    } else if (section !== undefined && hunk !== null) {
      left = Number(hunk[1] ?? 1)
      right = Number(hunk[2] ?? 1)
    } else if (section !== undefined && !binary && text !== "" && !text.startsWith("\\")) {
      section.header += `\n${text}`
      binary = text === "GIT binary patch"
    }
  }
  return sections
}
