import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isInside } from "../../src/core/path.js"
import { pathFilter } from "../../src/tree/path-filter.js"

const invalid = expect.objectContaining({ code: "INVALID_ARGUMENT" })

describe("pathFilter", () => {
  it("lets everything pass when nothing is given, and nothing when what is given is empty", () => {
    expect(pathFilter({})("a")).toBe(true)
    expect(pathFilter({}).reaches("a")).toBe(true)
    for (const source of [{ paths: [] }, { globs: [] }, { paths: [], globs: [] }]) {
      expect(pathFilter(source)("a")).toBe(false)
      expect(pathFilter(source).reaches("a")).toBe(false)
    }
  })

  it("takes paths literally, as files or as folders with all that is in them", () => {
    const filter = pathFilter({ paths: ["src/", "./a*", "x/y", "x/y/z"] })
    expect(["src", "src/b/c", "a*", "x/y", "x/y/w"].map(filter)).toEqual([true, true, true, true, true])
    expect(["src2", "src-", "src.c", "ab", "x", "x/yz", "x/z"].some(filter)).toBe(false)
    expect(pathFilter({ paths: ["."] })("any/thing")).toBe(true)
  })

  it("decides on paths as a plain look at each of them does", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "a b", "a-", "a.", "é", "\u{1f600}", "\udcff"), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join("/"))
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), path, (paths, asked) => {
        const filter = pathFilter({ paths })
        expect(filter(asked)).toBe(paths.some((given) => isInside(asked, given)))
        expect(filter.reaches(asked)).toBe(paths.some((given) => isInside(asked, given) || isInside(given, asked)))
      }),
      { numRuns: 2000 },
    )
  })

  it("matches globs against whole paths, names with a leading dot included", () => {
    const passes = (glob: string, path: string): boolean => pathFilter({ globs: [glob] })(path)
    expect(passes("*.ts", "a.ts")).toBe(true)
    expect(passes("*.ts", "src/a.ts")).toBe(false)
    expect(passes("**/*.ts", "src/.hidden/.a.ts")).toBe(true)
    expect(passes("**", "a/b")).toBe(true)
    expect(passes("./src/*", "src/a")).toBe(true)
    expect(passes("src/{a,b}/[c-e].{js,ts}", "src/b/d.ts")).toBe(true)
    expect(passes("src/{a,b}/[c-e].{js,ts}", "src/b/f.ts")).toBe(false)
    expect(passes("A", "a")).toBe(false)
    expect(passes("src", "src/a")).toBe(false)
    expect(passes("!src/**", "src/a")).toBe(false)
    expect(passes("!src/**", "lib/a")).toBe(true)
    expect(passes("!(a|b)", "c")).toBe(true)
    expect(passes("!(a|b)", "a")).toBe(false)
  })

  it("takes backslashes, newlines and bytes that are no UTF-8 in names as characters like others", () => {
    for (const name of ["a\\b", "a\nb", "a\udcffb", "a\r\n\u2028b"]) {
      for (const glob of ["*", "**", "a*b", "!x", "*b"]) expect(pathFilter({ globs: [glob] })(name)).toBe(true)
      expect(pathFilter({ globs: ["a/*", "*/b"] })(name)).toBe(false)
    }
    expect(pathFilter({ globs: ["a\\*b"] })("a*b")).toBe(true)
    expect(pathFilter({ globs: ["a\\*b"] })("axb")).toBe(false)
  })

  it("takes what a negated glob names out of what the others match", () => {
    const filter = pathFilter({ globs: ["src/**", "!src/secret/**", "!**/*.key"] })
    expect(["src/a", "src/secret/a", "src/a.key", "lib/a"].map(filter)).toEqual([true, false, false, false])
    const rest = pathFilter({ globs: ["!a", "!b"] })
    expect(["a", "b", "c"].map(rest)).toEqual([false, false, true])
  })

  it("lets a path pass when either paths or globs name it", () => {
    const filter = pathFilter({ paths: ["docs"], globs: ["**/*.ts"] })
    expect(["docs/a.md", "src/a.ts", "src/a.md"].map(filter)).toEqual([true, true, false])
  })

  it("never denies reaching a folder that holds a path which passes", () => {
    const part = fc.constantFrom("a", "b", "c.d", "*", "**", "?", "[ab]", "{a,b}", "!(a)", "@(a|b)", "\\a", ".", '"a"')
    const glob = fc
      .tuple(fc.constantFrom("", "!", "./"), fc.array(part, { minLength: 1, maxLength: 4 }))
      .map(([start, parts]) => start + parts.join("/"))
      .filter((text) => !/^!?(?:\.\/)*\.?$/.test(text))
    const path = fc.array(fc.constantFrom("a", "b", "c.d", ".e"), { minLength: 2, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(glob, { minLength: 1, maxLength: 3 }), fc.array(path, { maxLength: 20 }), (globs, paths) => {
        const filter = pathFilter({ globs })
        for (const parts of paths) {
          if (!filter(parts.join("/"))) continue
          for (let depth = 0; depth < parts.length; depth++)
            expect(filter.reaches(parts.slice(0, depth).join("/"))).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it("does not reach folders beside the literal start of a glob", () => {
    const filter = pathFilter({ globs: ["src/tree/*.ts"] })
    expect(["", "src", "src/tree", "src/tree/x"].map(filter.reaches)).toEqual([true, true, true, true])
    expect(["lib", "src/core", "src/trees"].some(filter.reaches)).toBe(false)
  })

  it("refuses what is no path, no glob or no list", () => {
    for (const path of ["", "/a", "a/../b", "a//b", 7])
      expect(() => pathFilter({ paths: [path as string] })).toThrow(invalid)
    for (const glob of ["", ".", "src/", "/src/*", "../a", 7, undefined, "[b-a]", "a".repeat(70_000)])
      expect(() => pathFilter({ globs: [glob as string] })).toThrow(invalid)
    expect(() => pathFilter({ globs: "*" as unknown as string[] })).toThrow(invalid)
  })
})
