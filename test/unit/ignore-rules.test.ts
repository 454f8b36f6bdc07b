import { describe, expect, it } from "vitest"
import { decodeName, ROOT, type RepoPath } from "../../src/core/path.js"
import { ignorePatterns } from "../../src/tree/ignore-pattern.js"
import { ignoreRules, type IgnoreRules } from "../../src/tree/ignore-rules.js"

describe("ignoreRules", () => {
  it("lets `exclude` win over the ignore files of every folder, in the work tree's root and below", () => {
    const rules = ignoreRules({ sources: [], prefix: "sub", exclude: ["*.log", "!keep.tmp", "/x"], ignoreCase: false })
      .enter(ROOT, "!a.log\nkeep.tmp\n")
      .enter("d" as RepoPath, "!b.log\nkeep.tmp\n")
    expect(ignored(rules, ["a.log", "d/b.log", "keep.tmp", "d/keep.tmp", "x", "d/x", "y"])).toEqual([
      "a.log",
      "d/b.log",
      "x",
    ])
  })

  it("takes rules from outside as weaker than the work tree's own, in their order", () => {
    const sources = [
      { origin: "global", base: "", text: "*.log\n*.tmp\n" },
      { origin: ".gitignore", base: "", text: "!b.log\n/sub/c\n" },
      { origin: "sub/.gitignore", base: "sub", text: "b.log\n" },
    ]
    const rules = ignoreRules({ sources, prefix: "sub", exclude: [], ignoreCase: false }).enter(ROOT, "!a.log\n")
    expect(ignored(rules, ["a.log", "b.log", "c", "d/c", "e.tmp"])).toEqual(["b.log", "c", "e.tmp"])
  })

  it("gives the same rules back for an ignore file without patterns, and leaves those it was asked of alone", () => {
    const rules = plain("a\n")
    expect(rules.enter("d" as RepoPath, "# nothing\n\n  \n")).toBe(rules)
    rules.enter("d" as RepoPath, "b\n")
    expect(ignored(rules, ["d/a", "d/b"])).toEqual(["d/a"])
  })

  it("never ignores the root, and ignores what is in an ignored folder", () => {
    const rules = plain("*\n")
    expect(rules.ignores(ROOT, "folder")).toBe(false)
    expect(plain("a/\n").ignores("a/b/c" as RepoPath, "file")).toBe(true)
    expect([plain("a/\n").ignores("a" as RepoPath, "file"), plain("a/\n").ignores("a" as RepoPath, "folder")]).toEqual([
      false,
      true,
    ])
  })

  it("folds the case of ASCII letters only, when letter case does not count", () => {
    const rules = ignoreRules({ sources: [], prefix: "", exclude: ["fÉo", "ſ", "K", "[a-c]X", "é?"], ignoreCase: true })
    // The bytes of U+3A40 differ from those of "é" and one more as a capital's from a small letter's in Latin-1.
    expect(ignored(rules, ["FÉO", "féo", "s", "S", "\u212a", "k", "Bx", "\u3a40"])).toEqual(["FÉO", "k", "Bx"])
  })

  it("tells a name that is no UTF-8 from every other one", () => {
    const name = decodeName(Uint8Array.of(0x61, 0xff))
    expect(ignored(plain(`${name}\n`), [name, "a\u00ff", "a\ufffd", "a"])).toEqual([name])
  })
})

describe("patterns that would take too long are not used, unlike in Git:", () => {
  const deep = (folders: number): string => `a/${"x/".repeat(folders)}b`

  it("those that skip any number of folders more than four times", () => {
    expect(ignored(plain("/a/**/x/**/x/**/x/**/b\n"), [deep(9)])).toEqual([deep(9)])
    expect(ignored(plain("/a/**/x/**/x/**/x/**/x/**/b\n"), [deep(9)])).toEqual([])
  })

  it("those that do so more than twice, more than 32 folders deep, and more than once, more than 256 folders deep", () => {
    const thrice = plain("/a/**/x/**/x/**/b\n")
    expect(ignored(thrice, [deep(30), deep(40)])).toEqual([deep(30)])
    const twice = plain("/a/**/x/**/b\n")
    expect(ignored(twice, [deep(30), deep(200), deep(300)])).toEqual([deep(30), deep(200)])
    expect(ignored(plain("/a/**/b\n"), [deep(300)])).toEqual([deep(300)])
  })

  it("but what is in a folder that they ignore further up is ignored at any depth", () => {
    const rules = plain("/a/**/q/**/q/**/q/\n")
    const inside = `a/q/q/q/${"x/".repeat(400)}b`
    expect(ignored(rules, [inside, inside.replace("q/q/q", "q/q/p")])).toEqual([inside])
  })

  it("those that no path is long enough for", () => {
    expect(ignorePatterns("a".repeat(4096), "", false)).toHaveLength(1)
    expect(ignorePatterns("a".repeat(4097), "", false)).toHaveLength(0)
  })

  it("and hostile ones of all kinds are decided, whatever the decision", () => {
    const hostile = ["*a".repeat(3000), "[!-~]".repeat(4096), `foo${"**/".repeat(50_000)}x`, "[".repeat(50_000)]
    hostile.push(
      "[a-".repeat(30_000),
      "\\".repeat(100_001),
      `${"*".repeat(500_000)}/x`,
      "/".repeat(10_000),
      "!\n!!\n/!\n",
    )
    hostile.push(
      "**/*a*/**/*a*/**/*a*/**/*ab",
      "(a+)+$",
      "[[:alpha:][:alpha:",
      "\u0000",
      "a\u0000b",
      "\ud800",
      "[\ufeff-a]",
    )
    for (const text of hostile)
      for (const ignoreCase of [false, true]) {
        const rules = ignoreRules({ sources: [{ origin: "", base: "", text }], prefix: "", exclude: [], ignoreCase })
        for (const path of ["a/".repeat(900) + "c", "a".repeat(4000), "__proto__", "\\", "..x", "a\nb"])
          expect(typeof rules.ignores(path as RepoPath, "file")).toBe("boolean")
      }
  })
})

function plain(text: string): IgnoreRules {
  return ignoreRules({
    sources: [{ origin: ".gitignore", base: "", text }],
    prefix: "",
    exclude: [],
    ignoreCase: false,
  })
}

function ignored(rules: IgnoreRules, paths: readonly string[]): string[] {
  return paths.filter((path) => rules.ignores(path as RepoPath, "file"))
}
