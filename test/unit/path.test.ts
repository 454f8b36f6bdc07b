import fc from "fast-check"
import { expect, test } from "vitest"
import { compareBytes } from "../../src/core/bytes.js"
import { SnapshotError } from "../../src/core/errors.js"
import {
  comparePaths,
  decodeName,
  encodeName,
  escapePath,
  isInside,
  isUnsafeName,
  isUtf8Name,
  joinPath,
  nameOf,
  parentOf,
  parsePath,
  ROOT,
  type RepoPath,
} from "../../src/core/path.js"

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 8 }).map((text) => Uint8Array.from(Buffer.from(text))),
  fc
    .array(fc.constantFrom(0x61, 0x80, 0xc3, 0xa9, 0xed, 0xa0, 0xef, 0xbb, 0xbf, 0xf0, 0x9f, 0x98, 0xff), {
      maxLength: 8,
    })
    .map((list) => Uint8Array.from(list)),
)

test("any bytes are had back exactly from the name that they spell, and only UTF-8 counts as UTF-8", () => {
  fc.assert(
    fc.property(bytes, (name) => {
      expect(encodeName(decodeName(name))).toEqual(name)
      expect(isUtf8Name(decodeName(name))).toBe(Buffer.from(Buffer.from(name).toString()).equals(name))
    }),
    { numRuns: 500 },
  )
})

test("different bytes never spell one name", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(decodeName(a) === decodeName(b)).toBe(Buffer.from(a).equals(b))
    }),
    { numRuns: 500 },
  )
})

test("paths are ordered as their bytes are, surrogates and broken names included", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const sign = Math.sign(comparePaths(decodeName(a), decodeName(b)))
      expect(sign).toBe(Math.sign(compareBytes(a, b)))
    }),
    { numRuns: 1000 },
  )
  expect(comparePaths("\uffff", "\u{10000}")).toBeLessThan(0)
})

test("a path and its parts belong together", () => {
  expect(joinPath(ROOT, "a")).toBe("a")
  expect(joinPath("a/b" as RepoPath, "c")).toBe("a/b/c")
  for (const [path, parent, name] of [
    ["a", "", "a"],
    ["a/b", "a", "b"],
    ["a/b/c", "a/b", "c"],
  ] as const) {
    expect([parentOf(path as RepoPath), nameOf(path as RepoPath)]).toEqual([parent, name])
  }
})

test("a path is inside itself, the root and its folders, and not inside what it only begins like", () => {
  for (const folder of ["", "a", "a/b", "a/b/c"]) expect(isInside("a/b/c", folder)).toBe(true)
  for (const folder of ["a/b/c/d", "a/bc", "a/", "b", "a/b/"]) expect(isInside("a/b/c", folder)).toBe(false)
  expect(isInside("a/bc", "a/b")).toBe(false)
})

test.each([
  ["a", "a"],
  ["a/b/", "a/b"],
  ["./a", "a"],
  [".///a", "a"],
  ["././a//", "a"],
  [".", ""],
  ["./", ""],
  ["...", "..."],
  ["a/..b", "a/..b"],
  [" ", " "],
  ["a\\b", "a\\b"],
])("a caller's path %j is %j", (text, path) => {
  expect(parsePath(text)).toBe(path)
})

test.each(["", "/", "/a", "..", "../a", "a/..", "a/../b", "a/./b", "a//b", "a\0b", "./..", "/."])(
  "a caller's path %j is refused by the name of its argument",
  (text) => {
    for (const argument of ["paths", "path"]) {
      const refused = expect(() => parsePath(text, argument))
      refused.toThrow(SnapshotError)
      refused.toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", details: { argument } }))
    }
  },
)

test.each([
  "",
  ".",
  "..",
  "a/b",
  "a\0",
  ".git",
  ".GIT",
  ".gIt",
  ".git.",
  ".git ",
  ".git . .",
  ".git::$INDEX_ALLOCATION",
  ".git:x",
  "git~1",
  "GIT~1",
  "git~1.",
  "a\\.git",
  ".git\\config",
  "a\\git~1",
  ".g\u200cit",
  ".gi\u202et",
  "\ufeff.git",
  ".git\u206f",
  "\udcff",
  "caf\udce9",
])("%j is unsafe as a name", (name) => {
  expect(isUnsafeName(name)).toBe(true)
})

test.each([
  ".gitignore",
  ".gitx",
  "git",
  "git~2",
  "git~10",
  "x.git",
  ".git~1",
  "...",
  ".g it",
  " .git",
  "a.",
  "CON",
  "back\\slash",
  "\u200c",
  ".gít",
  "-",
])("%j is safe as a name", (name) => {
  expect(isUnsafeName(name)).toBe(false)
})

test("a path for people shows what a terminal would not, and no two paths look the same", () => {
  expect(escapePath("a\nb\tc\\d\u0007\u009b\udcff")).toBe("a\\nb\\tc\\\\d\\x07\\x9b\\xff")
  expect(escapePath("naïve 日本 🚀 e\u0301")).toBe("naïve 日本 🚀 e\u0301")
  expect(escapePath("\ud800")).toBe("\\ud800")
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [one, other] = [decodeName(a), decodeName(b)]
      fc.pre(!one.includes("\u0080") && !other.includes("\u0080"))
      if (one !== other && isUtf8Name(one) && isUtf8Name(other)) expect(escapePath(one)).not.toBe(escapePath(other))
    }),
  )
})
