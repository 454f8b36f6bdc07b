/*
 * The snapshots of OpenCode against native git, called the way OpenCode calls it: one gitdir with one index, add, then
 * write-tree, diff, read-tree, checkout-index, checkout.
 */
import fc from "fast-check"
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { folderContent } from "../support/folder-content.js"
import { nodeDisk } from "../support/disk.js"
import { git, gitIsThere } from "../support/git.js"
import { byteText } from "../support/random-names.js"
import { CALLS_BACKENDS, startCalls, type CallsUnderTest } from "../support/snapshot-calls.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const ODD = ["line\nend", 'quo"te', "tab\t", " lead", "né 日本.txt", "back\\slash", "*", "[a]", "-rf", "#h"]

/** OpenCode's own snapshots of a folder, by native git. */
class GitFlow {
  readonly #gitdir: string
  readonly #root: string

  constructor(root: string, gitdir: string) {
    this.#root = root
    this.#gitdir = gitdir
    mkdirSync(gitdir, { recursive: true })
    git(["init", "-q"], { env: { GIT_DIR: gitdir, GIT_WORK_TREE: root } })
    for (const [name, value] of [
      ["core.autocrlf", "false"],
      ["core.symlinks", "true"],
      ["index.version", "4"],
    ] as const)
      this.run("config", name, value)
  }

  run(...args: string[]): string {
    return git(["--git-dir", this.#gitdir, "--work-tree", this.#root, ...args], { cwd: this.#root }).text
  }

  track(): string {
    this.run("add", "--all", "--sparse", "--", ".")
    return this.run("write-tree").trim()
  }

  patch(hash: string): string[] {
    this.track()
    const names = this.run("diff", "--cached", "--no-ext-diff", "--no-renames", "--name-only", "-z", hash, "--", ".")
    return names.split("\0").filter((name) => name !== "")
  }

  numstat(from: string, to: string): string[] {
    const lines = this.run("diff", "--no-ext-diff", "--no-renames", "--numstat", "-z", from, to, "--", ".")
    return lines.split("\0").filter((line) => line !== "")
  }

  restore(hash: string): void {
    this.run("read-tree", hash)
    this.run("checkout-index", "-a", "-f")
  }

  revert(patches: readonly { readonly hash: string; readonly files: readonly string[] }[]): void {
    const seen = new Set<string>()
    for (const { hash, files } of patches)
      for (const file of files) {
        if (seen.has(file)) continue
        seen.add(file)
        const args = ["--git-dir", this.#gitdir, "--work-tree", this.#root, "--literal-pathspecs"]
        const { status } = git([...args, "checkout", hash, "--", file], { cwd: this.#root, anyStatus: true })
        if (status !== 0) unlinkSync(file)
      }
  }
}

/** The content of a folder without its permissions, of which git keeps one bit. */
function plainContent(root: string): Record<string, string> {
  const lines = Object.entries(folderContent(nodeDisk, byteText(root)))
  // Git leaves emptied folders where it deletes by itself; here they go.
  return Object.fromEntries(lines.filter(([, line]) => !line.startsWith("folder")))
}

function fill(place: CallsUnderTest): void {
  for (const path of [...ODD, "same", "gone", "empty", "src/in/deep.ts", "src.ts", "src-2", ".hidden/x"])
    place.write(path, `${path}\none\ntwo\nthree\n`)
  place.write("empty", "")
  place.write("run.sh", "#!/bin/sh\n")
  chmodSync(join(place.root, "run.sh"), 0o755)
  place.write("binary", Buffer.from([0, 1, 2, 255]))
  place.write("crlf", "a\r\nb\r\n")
  place.write(".gitignore", "ignored\n*.log\n!keep.log\n/only-here\n")
  for (const path of ["ignored/x", "a.log", "keep.log", "only-here", "src/only-here"]) place.write(path, "one\n")
  symlinkSync("same", join(place.root, "link"))
  symlinkSync("nowhere", join(place.root, "dangling"))
}

function change(place: CallsUnderTest): void {
  for (const path of [...ODD.slice(0, 5), "src/in/deep.ts", ".hidden/x"])
    place.write(path, `${path}\none\nTWO\nthree\nfour\n`)
  for (const path of ["gone", "src-2", "link"]) place.remove(path)
  for (const path of ["new/one", "new/né\n", "empty-too"]) place.write(path, path === "empty-too" ? "" : "no newline")
  place.write("link", "a file now\n")
  chmodSync(join(place.root, "run.sh"), 0o644)
  place.write("ignored/y", "one\n")
}

describe.runIf(gitIsThere()).each(CALLS_BACKENDS)("OpenCode by native git and by %s", (backend) => {
  it("give the same tree, the same files of a patch, and the same counts", async () => {
    const place = await startCalls(backend)
    const flow = new GitFlow(place.root, join(place.scratch, "flow"))
    const calls = place.create()
    fill(place)
    const from = (await calls.track()) as string
    expect(from).toBe(flow.track())
    change(place)
    place.write("binary", Buffer.from([0, 2]))
    expect((await calls.patch(from)).files).toEqual(flow.patch(from).map((path) => `${place.root}/${path}`))
    const to = (await calls.track()) as string
    expect(to).toBe(flow.track())
    const counts = (await calls.diffFull(from, to)).map(({ file, before, after, additions, deletions, patch }) =>
      patch === "" && before === "" && after === "" ? `-\t-\t${file}` : `${additions}\t${deletions}\t${file}`,
    )
    expect(counts).toEqual(flow.numstat(from, to))
    expect(place.told).toEqual([])
  })

  it("leave the same files behind a restore and behind a revert", async () => {
    const place = await startCalls(backend)
    fill(place)
    const twin = join(place.scratch, "twin")
    cpSync(place.root, twin, { recursive: true, verbatimSymlinks: true })
    const flow = new GitFlow(twin, join(place.scratch, "flow"))
    const calls = place.create()
    const hash = (await calls.track()) as string
    expect(flow.track()).toBe(hash)
    change(place)
    rmSync(twin, { recursive: true })
    cpSync(place.root, twin, { recursive: true, verbatimSymlinks: true })
    const files = flow.patch(hash)

    await calls.restore(hash)
    flow.restore(hash)
    expect(plainContent(place.root)).toEqual(plainContent(twin))

    const middle = (await calls.track()) as string
    expect(flow.track()).toBe(middle)
    for (const root of [place.root, twin]) writeFileSync(join(root, "same"), "changed again")
    const patchesOf = (root: string): { hash: string; files: string[] }[] => [
      { hash: middle, files: [`${root}/same`] },
      { hash, files: [...files, "same"].map((path) => `${root}/${path}`) },
    ]
    await calls.revert(patchesOf(place.root))
    flow.revert(patchesOf(twin))
    expect(plainContent(place.root)).toEqual(plainContent(twin))
    expect(await calls.track()).toBe(hash)
    expect(place.told).toEqual([])
  })

  it("git apply takes what diff and diffFull give, and comes to the same folder", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    fill(place)
    const from = (await calls.track()) as string
    const before = await temporaryFolder()
    cpSync(place.root, before, { recursive: true, verbatimSymlinks: true })
    change(place)
    const to = (await calls.track()) as string
    const patches = [await calls.diff(from), (await calls.diffFull(from, to)).map(({ patch }) => patch).join("")]
    for (const patch of patches) {
      const copy = join(await temporaryFolder(), "copy")
      cpSync(before, copy, { recursive: true, verbatimSymlinks: true })
      git(["apply", "-"], { cwd: copy, input: patch })
      // Ignored files are in no patch.
      expect(new GitFlow(copy, `${copy}.git`).track()).toBe(to)
    }
  })

  it("keep to one folder of the work tree alike", async () => {
    const place = await startCalls(backend)
    fill(place)
    const calls = place.create({ worktree: place.root, directory: join(place.root, "src") })
    const flow = new GitFlow(place.root, join(place.scratch, "flow"))
    const inFolder = (): string => {
      flow.run("add", "--all", "--sparse", "--", "src")
      return flow.run("write-tree").trim()
    }
    const from = (await calls.track()) as string
    expect(from).toBe(inFolder())
    change(place)
    const to = (await calls.track()) as string
    expect(to).toBe(inFolder())
    expect((await calls.diffFull(from, to)).map(({ file }) => file)).toEqual(["src/in/deep.ts"])
  })

  it("agree on random edits", { timeout: 120_000 }, async () => {
    const name = fc.constantFrom("a", "b", "a.txt", "dir/a", "dir/b", "dir/sub/c", "é", "x y")
    const content = fc
      .array(fc.constantFrom("one", "two", "three", "four", "five"), { maxLength: 4 })
      .map((lines) => lines.map((line, i) => `${i} ${line}\n`).join(""))
    const folder = fc.dictionary(name, content, { maxKeys: 8 })
    await fc.assert(
      fc.asyncProperty(fc.array(folder, { minLength: 2, maxLength: 3 }), async (folders) => {
        const place = await startCalls(backend)
        const flow = new GitFlow(place.root, join(place.scratch, "flow"))
        const calls = place.create()
        const hashes: string[] = []
        const contents: Record<string, string>[] = []
        for (const files of folders) {
          for (const entry of readdirSync(place.root)) rmSync(join(place.root, entry), { recursive: true })
          for (const [path, text] of Object.entries(files)) {
            mkdirSync(dirname(join(place.root, path)), { recursive: true })
            writeFileSync(join(place.root, path), text)
          }
          const hash = (await calls.track()) as string
          expect(hash).toBe(flow.track())
          hashes.push(hash)
          contents.push(plainContent(place.root))
        }
        const [first, last] = [hashes[0] as string, hashes.at(-1) as string]
        const counts = (await calls.diffFull(first, last)).map(
          (one) => `${one.additions}\t${one.deletions}\t${one.file}`,
        )
        expect(counts).toEqual(flow.numstat(first, last))
        const patch = await calls.patch(first)
        expect(patch.files).toEqual(flow.patch(first).map((path) => `${place.root}/${path}`))
        await calls.revert([patch])
        expect(plainContent(place.root)).toEqual(contents[0])
        expect(place.told).toEqual([])
      }),
      { numRuns: 5 },
    )
  })
})

describe.runIf(gitIsThere()).each(CALLS_BACKENDS)("hashes that OpenCode stored by native git, on %s", (backend) => {
  it("can be told apart, restored and reverted to in the gitdir that OpenCode made", async () => {
    const place = await startCalls(backend)
    const flow = new GitFlow(place.root, place.gitdir)
    fill(place)
    const old = flow.track()
    const [index, config] = ["index", "config"].map((name) => readFileSync(join(place.gitdir, name)))
    writeFileSync(join(place.gitdir, "index.lock"), "stale")
    const before = plainContent(place.root)
    change(place)
    const calls = place.create()
    const patch = await calls.patch(old)
    const now = (await calls.track()) as string
    const diffs = await calls.diffFull(old, now)
    expect(diffs.map(({ file }) => `${place.root}/${file}`)).toEqual(patch.files)
    expect(patch.files).toContain(`${place.root}/new/one`)
    await calls.restore(old)
    expect(place.read("gone")).toBe("gone\none\ntwo\nthree\n")
    expect(place.read("new/one")).toBe("no newline")
    await calls.revert([patch])
    rmSync(join(place.root, "ignored/y"))
    expect(plainContent(place.root)).toEqual(before)
    expect(readFileSync(join(place.gitdir, "index.lock"), "utf8")).toBe("stale")
    expect(["index", "config"].map((name) => readFileSync(join(place.gitdir, name)))).toEqual([index, config])
    expect(place.told).toEqual([])
  })

  it("are reverted to where a file became a folder and a folder a file", async () => {
    const place = await startCalls(backend)
    const flow = new GitFlow(place.root, place.gitdir)
    place.write("a", "one")
    place.write("b/in", "one")
    place.write("c", "one")
    const old = flow.track()
    for (const path of ["a", "b", "c"]) place.remove(path)
    for (const path of ["a/in", "a/deep/in", "b", "c/mine"]) place.write(path, "two")
    const calls = place.create()
    const patch = await calls.patch(old)
    await calls.revert([{ hash: old, files: patch.files.filter((file) => !file.endsWith("/mine")) }])
    expect(["a", "b/in", "c/mine"].map(place.read)).toEqual(["one", "one", "two"])
    expect(place.told).toMatchObject([{ code: "RESTORE_INCOMPLETE", error: { details: { paths: [{ path: "c" }] } } }])
  })

  it("are restored where a file stands in the place of a folder, as git does it", async () => {
    const place = await startCalls(backend)
    const flow = new GitFlow(place.root, place.gitdir)
    for (const path of ["d/x", "d/deep/y", "e/z"]) place.write(path, "one")
    const old = flow.track()
    const change = (): void => {
      for (const path of ["d", "e"]) place.remove(path)
      place.write("d", "two")
      symlinkSync("d", join(place.root, "e"))
      place.write("added", "two")
    }
    change()
    flow.restore(old)
    const byGit = plainContent(place.root)
    change()
    await place.create().restore(old)
    expect(plainContent(place.root)).toEqual(byGit)
    expect(place.read("d/x")).toBe("one")
    expect(place.told).toEqual([])
  })

  it("name a nested repository as a link to its commit: its files are in no patch, and stay", async () => {
    const place = await startCalls(backend)
    const flow = new GitFlow(place.root, place.gitdir)
    place.write("a", "one")
    place.write("nested/file", "mine")
    const nested = join(place.root, "nested")
    git(["init", "-q"], { cwd: nested })
    git(["add", "."], { cwd: nested })
    git(["commit", "-q", "-m", "first"], { cwd: nested })
    const old = flow.track()
    expect(flow.run("ls-tree", old, "nested")).toMatch(/^160000 commit/)
    place.write("a", "two")
    const calls = place.create()
    const patch = await calls.patch(old)
    expect(patch.files).toEqual([`${place.root}/a`])
    expect(await calls.diff(old)).not.toContain("nested")
    const now = (await calls.track()) as string
    expect((await calls.diffFull(old, now)).map(({ file }) => file)).toEqual(["a"])
    expect(place.told).toEqual([])
    await calls.restore(old)
    place.write("nested/file", "still mine")
    place.write("a", "two")
    await calls.restore(old)
    expect(place.told).toEqual([])
    place.write("a", "two")
    await calls.revert([{ hash: old, files: [...patch.files, `${nested}/file`, nested] }])
    expect([place.read("a"), place.read("nested/file")]).toEqual(["one", "still mine"])
    expect(lstatSync(join(nested, ".git")).isDirectory()).toBe(true)
  })
})

describe.runIf(gitIsThere()).each(CALLS_BACKENDS)("in the user's own repository, on %s", (backend) => {
  it("nothing of it changes, and its ignore rules and tracked files count", async () => {
    const place = await startCalls(backend)
    git(["init", "-q"], { cwd: place.root })
    place.write(".git/info/exclude", "secret\n")
    for (const path of ["a", "secret", "tracked.log"]) place.write(path, "one")
    git(["add", "-f", "a", "tracked.log"], { cwd: place.root })
    place.write(".gitignore", "*.log\n")
    place.write("new.log", "one")
    const repository = folderContent(nodeDisk, byteText(join(place.root, ".git", ".")))
    const whole = (): string => JSON.stringify(readdirSync(join(place.root, ".git"), { recursive: true }).sort())
    const names = whole()
    const calls = place.create()
    const hash = (await calls.track()) as string
    for (const path of ["a", "secret", "tracked.log", "new.log"]) place.write(path, "two")
    const patch = await calls.patch(hash)
    expect(patch.files).toEqual(["a", "tracked.log"].map((path) => `${place.root}/${path}`))
    await calls.revert([patch])
    await calls.restore(hash)
    expect(["a", "secret", "tracked.log", "new.log"].map(place.read)).toEqual(["one", "two", "one", "two"])
    expect(whole()).toBe(names)
    expect(folderContent(nodeDisk, byteText(join(place.root, ".git", ".")))).toEqual(repository)
    expect(place.told).toEqual([])
  })
})
