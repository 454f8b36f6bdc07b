import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeName, encodeName, ROOT, type RepoPath } from "../../src/core/path.js"
import { ignoreRules, type IgnoreRules } from "../../src/tree/ignore-rules.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

describe.runIf(gitIsThere())("ignore rules and git check-ignore", () => {
  it.each(hardCases().map(([name, ...rest]) => ({ name, rest })))("decide alike on $name", async ({ rest }) => {
    const [text, paths, folders = []] = rest
    const top = await repository()
    await writeBytes(join(top, ".gitignore"), text)
    for (const folder of folders) await mkdir(join(top, folder), { recursive: true })
    const rules = plainRules(false).enter(ROOT, decodeName(bytesOf(text)))
    const tried = [...paths, ...folders]
    expect(tried.map((path) => [path, rules.ignores(path as RepoPath, kindOf(path, folders))])).toEqual(
      byGit(top, tried),
    )
  })

  it("decide alike on random nested ignore files", async () => {
    const top = await repository()
    const cases = fc.sample(fc.tuple(ignoreFile, ignoreFile, ignoreFile, fc.array(path, { minLength: 12 })), {
      numRuns: 500,
      seed: 20240607,
    })
    await compare(
      top,
      cases.map(([root, a, ab, paths]) => ({ files: { "": root, a, "a/b": ab }, paths })),
      false,
    )
  })

  it("decide alike on random ignore files when letter case does not count", async () => {
    const top = await repository()
    git(["config", "core.ignoreCase", "true"], { cwd: top })
    const cases = fc.sample(fc.tuple(ignoreFile, fc.array(path, { minLength: 12 })), { numRuns: 450, seed: 7 })
    await compare(
      top,
      cases.map(([text, paths]) => ({
        files: { "": text },
        paths: paths.map((each, at) => (at % 2 === 0 ? each : each.toUpperCase())),
      })),
      true,
    )
  })
})

interface Case {
  /** Text of ignore files by folder. */
  readonly files: Readonly<Record<string, string>>
  readonly paths: readonly string[]
}

/** Puts each case into a folder of its own, and asks Git once. */
async function compare(top: string, cases: readonly Case[], ignoreCase: boolean): Promise<void> {
  const asked: string[] = []
  const answers: [string, boolean][] = []
  for (const [at, { files, paths }] of cases.entries()) {
    const home = `c${at}`
    for (const folder of FOLDERS) await mkdir(join(top, home, folder), { recursive: true })
    for (const [folder, text] of Object.entries(files)) await writeBytes(join(top, home, folder, ".gitignore"), text)
    for (const each of [...new Set([...paths, ...FOLDERS])]) {
      let rules = plainRules(ignoreCase)
      for (const [folder, text] of Object.entries(files))
        if (folder === "" || each.startsWith(`${folder}/`))
          rules = rules.enter((folder === "" ? home : `${home}/${folder}`) as RepoPath, text)
      const full = `${home}/${each}`
      asked.push(full)
      answers.push([full, rules.ignores(full as RepoPath, kindOf(each, FOLDERS))])
    }
  }
  expect(answers.length).toBeGreaterThan(10_000)
  expect(answers.some(([, ignored]) => ignored)).toBe(true)
  const expected = byGit(top, asked)
  const wrong = answers.flatMap(([full, ignored], at) => {
    if (expected[at]?.[0] === full && expected[at][1] === ignored) return []
    const number = Number(/^c(\d+)/.exec(full)?.[1])
    return [{ path: full, ours: ignored, git: expected[at], files: cases[number]?.files }]
  })
  expect(wrong.slice(0, 5)).toEqual([])
}

function plainRules(ignoreCase: boolean): IgnoreRules {
  return ignoreRules({ sources: [], prefix: "", exclude: [], ignoreCase })
}

function kindOf(path: string, folders: readonly string[]): "file" | "folder" {
  return folders.includes(path) ? "folder" : "file"
}

async function repository(): Promise<string> {
  const top = await temporaryFolder()
  git(["init", "-q", top])
  return top
}

/** A text with bytes that are no UTF-8 is given as decodeName gives it. */
function bytesOf(text: string): Uint8Array {
  return encodeName(text)
}

async function writeBytes(path: string, text: string): Promise<void> {
  await writeFile(path, bytesOf(text))
}

/** What `git check-ignore` says of each path, tracked or not. */
function byGit(top: string, paths: readonly string[]): [string, boolean][] {
  const input = Buffer.concat(paths.flatMap((each) => [bytesOf(each), Buffer.of(0)]))
  const { stdout } = git(["check-ignore", "-z", "--stdin", "--no-index", "-v", "--non-matching"], {
    cwd: top,
    input,
    anyStatus: true,
  })
  const fields: string[] = []
  let start = 0
  for (let end = stdout.indexOf(0); end >= 0; end = stdout.indexOf(0, start)) {
    fields.push(decodeName(Uint8Array.from(stdout.subarray(start, end))))
    start = end + 1
  }
  const decisions: [string, boolean][] = []
  for (let at = 0; at < fields.length; at += 4) {
    const pattern = fields[at + 2] as string
    decisions.push([fields[at + 3] as string, pattern !== "" && !pattern.startsWith("!")])
  }
  return decisions
}

const FOLDERS: readonly string[] = ["a", "a/b", "a/b/c", "b", "b/a", "b/a/b"]

const piece: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("a", "b", "c", "ab", "é", "A", "x y", "-", ".", "\\a") },
  { weight: 5, arbitrary: fc.constantFrom("*", "?", "**", "***") },
  { weight: 4, arbitrary: fc.constantFrom("/", "/", "/**/", "**/", "/**", "\\/", "//") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "[ab]",
      "[!a]",
      "[^b]",
      "[a-c]",
      "[]a]",
      "[a-]",
      "[[:alpha:]]",
      "[[:upper:]b]",
      "[A-Z]",
      "[c-a]",
      "[\\]a]",
      "[a/b]",
      "[é]",
      "[!-~]",
      "[",
      "[[:no:]]",
      "[[:a]",
      "[\\a-c]",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\\*", "\\?", "\\[", "\\\\", "\\ ", "\\", "#", "!", "$", "(", "{", "|", "+"),
  },
)

const line: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "", "", "!", "/", "!/", "\\!", "#", " "),
    fc.array(piece, { minLength: 1, maxLength: 6 }),
    fc.constantFrom("", "", "", "/", " ", "\\ ", "\t", "\r", " \r", "/ "),
  )
  .map(([start, pieces, end]) => start + pieces.join("") + end)

const ignoreFile: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "", "", "\ufeff"),
    fc.array(line, { maxLength: 4 }),
    fc.constantFrom("\n", "\n", "\r\n"),
    fc.boolean(),
  )
  .map(([start, lines, ending, isEnded]) => start + lines.join(ending) + (isEnded ? ending : ""))

const name: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      "a",
      "b",
      "c",
      "ab",
      "é",
      "x y",
      "-",
      ".",
      "*",
      "?",
      "[",
      "]",
      "\\",
      "!",
      "#",
      " ",
      "$",
      "(",
      "\n",
      "\udcff",
      "𝒳",
    ),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((parts) => parts.join(""))
  .filter((text) => text !== "." && text !== "..")

const path: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "", "a/", "a/b/", "a/b/c/", "b/", "b/a/b/"),
    fc.array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom("a", "b", "c", "ab") }, { weight: 2, arbitrary: name }), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([folder, names]) => folder + names.join("/"))

const NAMED = [
  "alnum",
  "alpha",
  "blank",
  "cntrl",
  "digit",
  "graph",
  "lower",
  "print",
  "punct",
  "space",
  "upper",
  "xdigit",
]

const EVERY_NAMED: readonly string[] = NAMED.flatMap((name) =>
  Array.from({ length: 127 }, (_, code) => name + String.fromCharCode(code + 1)).filter((each) => !each.endsWith("/")),
)

type HardCase = readonly [name: string, text: string, paths: readonly string[], folders?: readonly string[]]

function hardCases(): HardCase[] {
  return [
    ["a plain name at any depth", "foo\n", ["foo", "a/foo", "foo/x", "xfoo", "foox", "a/foox/y"], ["d/foo"]],
    ["a name for folders only", "foo/\n", ["a/foo", "d/foo/x"], ["foo", "d/foo"]],
    ["a leading slash", "/foo\n", ["foo", "a/foo", "foo/bar"]],
    ["a slash in the middle", "a/foo\n", ["a/foo", "b/a/foo", "a/foo/x"]],
    ["two slashes that no path has", "a//b\n//c\nd//\n/\n", ["a/b", "c", "d/e"], ["d"]],
    [
      "the last pattern that matches",
      "*.log\n!keep.log\n/keep.log\n!a/keep.log\n",
      ["keep.log", "a/keep.log", "x.log"],
    ],
    ["a file in an ignored folder that is taken back", "a/\n!a/keep\n!b\n", ["a/keep", "a/b", "b"], ["a"]],
    ["everything but some", "/*\n!/src/\n/src/*\n!/src/*.ts\n", ["x", "src/a.ts", "src/a.js", "src/d/a.ts"], ["src/d"]],
    ["a star and slashes", "a/*/c\n*/x\nt*\n", ["a/b/c", "a/c", "a/b/b/c", "q/x", "x", "t", "tt", "q/t/r"]],
    ["two stars in the middle", "a/**/b\n", ["a/b", "a/x/b", "a/x/y/b", "a/xb", "ab", "c/a/b"]],
    ["two stars in front", "**/foo\n**/x/y\n", ["foo", "a/foo", "x/y", "a/b/x/y", "xfoo"]],
    ["two stars at the end", "a/**\n", ["a", "a/x", "a/x/y", "b/a/x"], ["b/a"]],
    ["two stars at the end taken back", "*\n!a\n!a/**\n", ["a/x", "a/x/y", "b"], ["a", "a/x"]],
    ["two stars at the end for folders", "a/**/\n**/\n!/q/\n", ["a/x", "q", "r/s"], ["a/d", "q", "r"]],
    ["three stars and more", "***/foo\na/***/b\nc/****\n", ["foo", "x/foo", "a/b", "a/x/y/b", "c/x", "c/x/y"]],
    ["stars inside of a name", "a**b\nc/d**e\nx**\n", ["ab", "axxb", "a/b", "c/de", "c/dxe", "c/d/e", "xyz", "x/y"]],
    [
      "two stars glued to the plain text in front",
      "*\n!*/\n!foo**/bar\n!x/y**\n",
      ["foobar", "foo/bar", "foox/bar", "foo/x/bar", "foox/y/z/bar", "afoo/bar", "x/y", "x/yz", "x/y/z", "x/yz/w"],
      ["foo", "foo/x", "foox", "foox/y", "foox/y/z", "x", "x/yz"],
    ],
    ["glued stars before two slashes", "foo**//bar\n", ["foo/bar", "foox/bar", "foo/x/bar"]],
    [
      "two stars before a guarded slash",
      "**\\/foo\na/**\\/b\n",
      ["foo", "x/foo", "x/y/foo", "a/b", "a/x/b", "a/x/y/b"],
    ],
    ["only stars", "**\n!/a\n", ["x", "x/y", "a"]],
    ["only stars behind a slash", "/**\n!/a\n", ["x", "x/y", "a"], ["x"]],
    ["question marks, a byte each", "?\na?c\n??é\n", ["x", "xy", "é", "abc", "a/c", "aéc", "xyé", "éé", "éxé"]],
    [
      "classes",
      "[abc]1\n[!abc]2\n[^a-c]3\n[a-]4\n[]]5\n[!]]6\n",
      ["a1", "d1", "d2", "a2", "d3", "b3", "-4", "]5", "a6", "]6"],
    ],
    ["classes and slashes", "a[/]b\nc[!x]d\n[!a]/z\n[a/b]\n", ["a/b", "c/d", "cyd", "b/z", "a/z", "a", "b"]],
    ["named classes", "[[:digit:]]\n[[:upper:]x]\n[![:alnum:]]z\n", ["1", "a", "A", "x", "-z", "az"]],
    ["every ASCII character in every named class", NAMED.map((name) => `${name}[[:${name}:]]`).join("\n"), EVERY_NAMED],
    [
      "classes without an end",
      "a[b\n[\n[]\n[!]\n[[:alpha:]\nx[[:no:]]\nz[a-\n",
      ["a[b", "ab", "[", "[]", "a", "xn", "z[a-", "[!]"],
    ],
    [
      "ranges",
      "[a-c]\n[z-x]1\n[--0]2\n[\\a-c]3\n[a-\\c]4\n",
      ["b", "d", "z1", "y1", "x1", "-2", ".2", "02", "b3", "b4"],
    ],
    ["ranges of bytes", "[à-é]\n[\\é]x\n", ["à", "é", "\u00e8", "a", "éx", "\udcc3", "\udcc3x"]],
    ["guarded characters", "\\*\n\\?x\n\\[a]\n\\a\n\\\\\n", ["*", "x", "?x", "yx", "[a]", "a", "\\", "\\a"]],
    ["a backslash at the end", "foo\\\nbar\\/\nx\n", ["foo", "foo\\", "bar", "bar\\", "x"], ["bar"]],
    ["comments and guarded starts", "#a\n\\#b\n \\#c\n!\\!d\n\\!e\n#\n", ["#a", "a", "#b", " #c", "!e", "!d"]],
    ["exclamation marks", "*.x\n!!a.x\n!\\!b.x\n!\n", ["!a.x", "!b.x", "a.x"]],
    [
      "spaces at the end",
      "a  \nb\\ \nc\\  \nd\\\\ \ne \\ \n f\n   \n",
      ["a", "a  ", "b ", "b", "c ", "d\\", "e  ", " f", "f", "   "],
    ],
    ["a tab at the end", "a\t\nb \t\n", ["a", "a\t", "b \t", "b"]],
    ["CR before LF", "a\r\nb\r\r\nc \r\nd\\\r\n\r\n", ["a", "b", "b\r", "c", "d", "d\r", "\r"]],
    ["a CR at the very end", "a\nb\r", ["b", "b\r"]],
    ["a byte order mark", "\ufeffa\n\ufeffb\n", ["a", "b", "\ufeffa", "\ufeffb"]],
    ["a byte order mark before a comment", "\ufeff#a\n", ["#a", "a"]],
    ["a NUL in a line", "ab\0cd\nx\n", ["ab", "cd", "abcd", "x"]],
    [
      "characters that mean something to a regular expression",
      "a.b\n^c$\n(d|e)\nf+\n{g,h}\ni{2}\n",
      ["a.b", "axb", "^c$", "c", "(d|e)", "d", "f+", "ff", "{g,h}", "g", "i{2}", "ii"],
    ],
    ["names with a backslash", "a\\\\b\n*\\\\\nx?y\n", ["a\\b", "a/b", "c\\", "x\\y"]],
    ["names with a line break", "a?b\nx*\n", ["a\nb", "x\ny", "q\nx"]],
    ["names with spaces", "a b\n[ ]c\nd\\ \n", ["a b", " c", "d ", "d"]],
    ["names of dots", "...\n..foo\n.*\n!.keep\n", ["...", "..foo", ".x", ".keep", "a/.x"]],
    ["patterns with dots that no path has", "./a\n../b\nc/./d\n", ["a", "b", "c/d"]],
    ["names beyond the first plane", "𝒳*\n????y\n", ["𝒳", "𝒳a", "𝒴y", "abcdy"]],
    [
      "names that are no UTF-8",
      "a\udcff\n*\udc80\n?\udcfe?\n[\udcf0-\udcff]\n",
      ["a\udcff", "x\udc80", "é\udcfe", "a\udcfeb", "\udcf5", "\udcef"],
    ],
    ["the same letters in another form", "\u00e9\nx\n", ["\u00e9", "e\u0301"]],
    ["letter case, which counts", "Foo\n[a-z]X\n", ["foo", "Foo", "aX", "AX", "ax"]],
    [
      "names of an object's own members",
      "__proto__\nconstructor/\n",
      ["__proto__", "a/__proto__", "toString"],
      ["constructor"],
    ],
    ["folders of a pattern that goes on", "a/b/c\n", ["a/b/d"], ["a", "a/b"]],
    ["pieces between stars", "a*b*c\n*a*/x*y*\n", ["abc", "abbc", "acb", "aXbYcZc", "bab/xy", "b/xy", "ba/xzyz"]],
  ]
}
