import { memfs } from "memfs"
import { beforeEach, describe, expect, test } from "vitest"
import { utf8 } from "../../src/core/bytes.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { PathLister } from "../../src/core/path-lister.js"
import { clientFileSystem } from "../../src/platform/client-file-system.js"
import { fastGlobLister } from "../../src/platform/node/fast-glob-lister.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { picomatchLister } from "../../src/platform/web/picomatch-lister.js"
import { pathFilter } from "../../src/tree/path-filter.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { temporaryFolder } from "../support/temporary-folder.js"

interface Lister {
  readonly name: string
  readonly make: (fileSystem: FileSystem) => PathLister
  start(): Promise<{ readonly fs: FileSystem; readonly root: string }>
}

const onDisk = async () => ({ fs: nodeFileSystem(), root: await temporaryFolder() })
const inMemory = async () => ({ fs: clientFileSystem(memfs({ "/root": null }).fs), root: "/root" })

const LISTERS: readonly Lister[] = [
  { name: "fast-glob on node:fs", make: fastGlobLister, start: onDisk },
  { name: "fast-glob on memfs", make: fastGlobLister, start: inMemory },
  { name: "picomatch on node:fs", make: picomatchLister, start: onDisk },
  { name: "picomatch on memfs", make: picomatchLister, start: inMemory },
]

const FILES = [
  ".env",
  ".hidden/deep/.x.ts",
  "Case.TS",
  "a.ts",
  "a[b].ts",
  "b.js",
  "dist/out.js",
  "line\nend.ts",
  "odd/line\nend/x\r.ts",
  "src/a.ts",
  "src/deep/er/b.test.ts",
  "src/deep/er/b.ts",
  "src/star*.ts",
  "src/\u00e9\u{1f600}.ts",
  "sub/.git/config",
  "sub/.git/x.ts",
  "sub/kept.ts",
  ".git/HEAD",
  "worktree/.git",
]

const CASES: readonly { readonly globs: readonly string[]; readonly paths: readonly string[] }[] = [
  { globs: [], paths: [] },
  { globs: ["*.ts"], paths: ["a.ts", "a[b].ts", "line\nend.ts"] },
  { globs: ["./a.ts"], paths: ["a.ts"] },
  { globs: ["a.ts", "a.ts", "*.ts"], paths: ["a.ts", "a[b].ts", "line\nend.ts"] },
  { globs: ["a\\[b\\].ts"], paths: ["a[b].ts"] },
  { globs: ["src/star\\*.ts"], paths: ["src/star*.ts"] },
  { globs: ["src/**"], paths: FILES.filter((path) => path.startsWith("src/")) },
  { globs: ["src//deep/./er/b.ts"], paths: ["src/deep/er/b.ts"] },
  { globs: ["src/deep/**/*.ts"], paths: ["src/deep/er/b.test.ts", "src/deep/er/b.ts"] },
  { globs: ["**/*.{js,env}", ".e*"], paths: [".env", "b.js", "dist/out.js"] },
  { globs: ["*.TS"], paths: ["Case.TS"] },
  { globs: ["**/.x.ts"], paths: [".hidden/deep/.x.ts"] },
  { globs: ["**/x?.ts"], paths: ["odd/line\nend/x\r.ts"] },
  { globs: ["odd/line\nend/*"], paths: ["odd/line\nend/x\r.ts"] },
  { globs: ["line\nend.ts"], paths: ["line\nend.ts"] },
  { globs: ["src/[a-c].ts", "src/deep/er/!(b.test).ts"], paths: ["src/a.ts", "src/deep/er/b.ts"] },
  { globs: ["sub/**", "**/config", ".git/HEAD", ".git/**", "**/.git"], paths: ["sub/kept.ts"] },
  {
    globs: ["src/**", "!**/*.test.ts", "!src/deep/er/b.ts"],
    paths: ["src/a.ts", "src/star*.ts", "src/\u00e9\u{1f600}.ts"],
  },
  { globs: ["!src/**", "!**/*.js", "!*", "!odd/**", "!.hidden/**"], paths: ["sub/kept.ts"] },
  { globs: ["[!a].js", "[[:alpha:]].ts"], paths: ["a.ts", "b.js"] },
  { globs: ["src"], paths: [] },
  { globs: ["none/**", "none.ts", "a.ts/below"], paths: [] },
  { globs: ["linked/**", "linked/a.ts", "linked/deep/er/b.ts", "linked/deep/**", "to-file/x"], paths: ["linked"] },
  { globs: ["b.js/**", "**/er/b.ts/**"], paths: ["b.js", "src/deep/er/b.ts"] },
  { globs: ["linked", "to-*", "dangling"], paths: ["dangling", "linked", "to-file"] },
]

describe.each(LISTERS)("the lister by $name", ({ make, start }) => {
  let fs: FileSystem
  let root: string

  beforeEach(async () => {
    ;({ fs, root } = await start())
    for (const path of FILES) await put(path)
    await fs.makeLink(utf8("src"), `${root}/linked`)
    await fs.makeLink(utf8("a.ts"), `${root}/to-file`)
    await fs.makeLink(utf8("nowhere"), `${root}/dangling`)
  })

  async function put(path: string): Promise<void> {
    const parts = path.split("/")
    for (let i = 1; i < parts.length; i++) {
      const folder = `${root}/${parts.slice(0, i).join("/")}`
      if ((await fs.lstat(folder)) === undefined) await fs.makeFolder(folder)
    }
    await (await fs.open(`${root}/${path}`, "create")).close()
  }

  test.each(CASES)("gives for $globs exactly what they name", async ({ globs, paths }) => {
    const listing = await make(fs).list(root, globs)
    expect(listing.paths.toSorted()).toEqual(paths.toSorted())
    expect(listing.unreadable).toEqual([])
  })

  test.each(CASES.filter(({ globs }) => !globs.some((glob) => glob.includes("./") || glob.includes("//"))))(
    "gives for $globs what a filter with the same globs lets pass",
    async ({ globs }) => {
      const all = (await make(fs).list(root, ["**"])).paths
      const passes = pathFilter({ globs })
      expect((await make(fs).list(root, globs)).paths.toSorted()).toEqual(all.filter(passes).toSorted())
    },
  )

  test("gives every file and link once, without what is named .git and without folders", async () => {
    const expected = [...FILES.filter((path) => !/(^|\/)\.git(\/|$)/.test(path)), "linked", "to-file", "dangling"]
    expect((await make(fs).list(root, ["**"])).paths.toSorted()).toEqual(expected.toSorted())
  })

  test("reports a folder that cannot be read, and lists the rest", async () => {
    const faulty = faultyFileSystem(fs, [{ kind: "list", path: "src/deep", call: 1, how: "fail", errno: "EACCES" }])
    const listing = await make(faulty).list(root, ["src/**", "a.ts"])
    expect(listing.paths.toSorted()).toEqual(["a.ts", "src/a.ts", "src/star*.ts", "src/\u00e9\u{1f600}.ts"].toSorted())
    expect(listing.unreadable).toEqual(["src/deep"])
  })

  test("reports a root that cannot be read", async () => {
    const faulty = faultyFileSystem(fs, [{ kind: "list", call: 1, how: "fail", errno: "EACCES" }])
    expect(await make(faulty).list(root, ["**"])).toEqual({ paths: [], unreadable: [""] })
  })

  test.each([
    "",
    "!",
    "./",
    "/etc/*",
    "C:/x",
    "../x",
    "src/../../x",
    "src/..",
    "{..,src}/x",
    "@(..|src)/x",
    "!../x",
    "!/x",
  ])("refuses the glob '%s', which is empty or leads out of the root", async (glob) => {
    await expect(make(fs).list(root, ["a.ts", glob])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" })
  })
})
