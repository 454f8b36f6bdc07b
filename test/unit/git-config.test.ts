import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeName, encodeName } from "../../src/core/path.js"
import { isTrue, lastVariable, readGitConfig } from "../../src/core/git-config.js"
import { folderAbove, isAbsolute, lastName, pathFrom } from "../../src/tree/system-path.js"
import { git, gitIsThere } from "../support/git.js"

describe.runIf(gitIsThere())("readGitConfig and git config --list", () => {
  it.each([
    ["sections and names in any case", "[CORE]\nExcludesFile = a\n[core]ignorecase=b\n"],
    ["subsections, whose case counts", '[Remote "Ori gin"]\nURL = x\n[a "b\\"c\\\\d\\e"]\nk = v\n[s.Sub]\nk = v\n'],
    ["a subsection with dots", '[includeIf "gitdir:~/a.b/"]\n\tpath = c\n[a ""]\nx = y\n'],
    ["quotes", '[a]\nb = "c d" e "f"\ng = " h "\ni = "j;k" #l\nm = n;o\np = ""\n'],
    ["escapes", '[a]\nb = "c\\t\\n\\"\\\\d"\ne = f\\\\g\\bh\n'],
    ["lines that go on", "[a]\nb = c \\\n  d\\\ne\nf = g \\\n\n[x]\ny = z\\\n"],
    ["names alone", "[a]\nb\nc \n[d]\ne\n[f] g\n"],
    ["empty values and spaces around", "[a]\nb =\nc=   \n  d \t=\t e  f \t\ng==h\n"],
    ["comments", "# x\n; y\n[a] # z\nb = c # d\n;e\nf = g;h\n[i];j\nk = #"],
    ["CR before LF", '[a]\r\nb = c\r\nd = e \r\n\r\n[g "h"]\r\ni\r\n'],
    ["a byte order mark", "\ufeff[a]\nb = c\n"],
    ["no line break at the end", "[a]\nb = c"],
    ["a section after a value on one line", "[a] b = c [d]\ne = f\n"],
    ["several values of a name", "[a]\nb = c\nb = d\n[x]\nb = e\n[a]\nb = f\n"],
    ["nothing", ""],
    ["bytes that are no UTF-8", "[a]\nb = \udcff\udc80é\n"],
    ["names with digits and dashes", "[a-1.b]\nc-2d = e\n"],
  ])("agree on %s", (_, text) => {
    expect(readGitConfig(text).map(shown)).toEqual(listed(text))
  })

  it("agree on random texts that Git accepts", () => {
    const piece = fc.constantFrom(
      ...'ab=[]"\\ \n\n#;.-1C',
      '[a "b"]\n',
      "[c]\n",
      "x = ",
      "\\n",
      "\r\n",
      "\\\n",
      "\n y = z",
    )
    const text = fc.array(piece, { maxLength: 14 }).map((pieces) => `[s]\n${pieces.join("")}`)
    let accepted = 0
    for (const each of fc.sample(text, { numRuns: 200, seed: 3 })) {
      const expected = listed(each, true)
      if (expected === undefined) continue
      accepted++
      expect([each, readGitConfig(each).map(shown)]).toEqual([each, expected])
    }
    expect(accepted).toBeGreaterThan(30)
  })
})

describe("readGitConfig", () => {
  it("keeps what stands before a line that Git refuses", () => {
    for (const bad of ["x = \\q", "= y", "[b", '[b "c\nd"]', 'x = "open', "1 = 2", "x y", "[]", '[a "b" ]'])
      expect([bad, readGitConfig(`[a]\nb = c\n${bad}\n[a]\nb = d\n`)]).toEqual([bad, [{ key: "a.b", value: "c" }]])
    expect(readGitConfig("b = c\n")).toEqual([])
  })

  it("reads long hostile texts", () => {
    expect(readGitConfig(`[${"a".repeat(1_000_000)}`)).toEqual([])
    expect(readGitConfig(`[a "${"\\b".repeat(1_000_000)}`)).toEqual([])
    expect(readGitConfig(`[a]\nb = ${'"" '.repeat(300_000)}x`)[0]?.value?.endsWith("x")).toBe(true)
    expect(readGitConfig("[a]\n".repeat(200_000) + "b")).toEqual([{ key: "a.b", value: undefined }])
  })
})

describe("lastVariable and isTrue", () => {
  it("take the last variable of a key", () => {
    const variables = readGitConfig("[a]\nb = one\nb = two\nc\n")
    expect(lastVariable(variables, "a.b")?.value).toBe("two")
    expect(lastVariable(variables, "a.c")).toEqual({ key: "a.c", value: undefined })
    expect(lastVariable(variables, "a.d")).toBeUndefined()
  })

  it("read yes and no in Git's spellings", () => {
    const said = (value: string): boolean => isTrue(readGitConfig(`[a]\nb${value}\n`), "a.b")
    expect(["", " = true", " = YES", " = on", " = 1", " = 2k"].map(said)).toEqual(Array(6).fill(true))
    expect([" = false", " = no", " = off", " = 0", " =", " = x"].map(said)).toEqual(Array(6).fill(false))
  })
})

describe("system paths", () => {
  it("have a folder above and a last name, with either system's separators", () => {
    expect(["/a/b", "/a", "/", "/a/b/", "/a\\b/c"].map(folderAbove)).toEqual(["/a", "/", undefined, "/a", "/a\\b"])
    const windows = ["C:\\a\\b", "C:\\a", "C:\\", "C:/a/b", "\\\\host\\share\\a", "\\\\host\\share\\"]
    expect(windows.map(folderAbove)).toEqual(["C:\\a", "C:\\", undefined, "C:/a", "\\\\host\\share\\", undefined])
    expect(["/a/b", "/a\\b", "/", "C:\\a\\b", "C:\\"].map(lastName)).toEqual(["b", "a\\b", "", "b", ""])
  })

  it("are joined unless they are absolute", () => {
    expect([pathFrom("/", "a"), pathFrom("/a", "b"), pathFrom("/a", "/b"), pathFrom("C:\\", "b")]).toEqual([
      "/a",
      "/a/b",
      "/b",
      "C:\\b",
    ])
    expect(["/a", "C:\\a", "C:/a", "\\\\h\\s", "a", "C:a", "~/a"].map(isAbsolute)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ])
  })
})

function shown({ key, value }: { readonly key: string; readonly value: string | undefined }): string {
  return value === undefined ? key : `${key}\n${value}`
}

/** What Git lists of a configuration text; undefined when it refuses the text. */
function listed(text: string, mayRefuse = false): string[] | undefined {
  const input = encodeName(text)
  const { status, stdout } = git(["config", "-z", "--list", "--file", "-"], { input, anyStatus: mayRefuse })
  if (status !== 0) return undefined
  return decodeName(Uint8Array.from(stdout)).split("\0").slice(0, -1)
}
