import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test, vi } from "vitest"
import { EMPTY_TREE } from "../../../src/core/oid.js"
import { git, gitIsThere } from "../../support/git.js"
import { expectError, onDisk, type StoreUnderTest } from "../../support/store-under-test.js"

/** Every file below a folder that is called `.git`, or is in one, with its bytes and times. */
function repositoryFiles(root: string): Map<string, string> {
  const found = new Map<string, string>()
  const walk = (path: string, isIn: boolean): void => {
    for (const name of fs.readdirSync(join(root, path))) {
      const inner = join(path, name)
      const stat = fs.lstatSync(join(root, inner), { bigint: true })
      const counts = isIn || name === ".git"
      if (stat.isDirectory()) walk(inner, counts)
      if (!counts) continue
      const content = stat.isFile() ? fs.readFileSync(join(root, inner)).toString("base64") : ""
      found.set(inner, `${stat.mode} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino} ${content}`)
    }
  }
  walk("", false)
  return found
}

describe.runIf(gitIsThere())("scenario 8: somebody's work in progress in their own repository", () => {
  test("capture and restore leave index, HEAD, branches, stash, info/exclude and every .git byte-identical", async () => {
    const place = await onDisk()
    const at = (...args: readonly string[]): string => git(args, { cwd: place.root }).text
    at("init", "--quiet", "--initial-branch", "main")
    place.write("a", "one\n")
    place.write("b", "one\n")
    at("add", ".")
    at("commit", "--quiet", "-m", "first")
    place.write("b", "stashed\n")
    at("stash")
    place.write("a", "staged\n")
    at("add", "a")
    place.write("a", "on top of staged\n")
    at("branch", "other")
    fs.appendFileSync(join(place.root, ".git/info/exclude"), "private\n")
    place.write("private", "mine")
    at("worktree", "add", "--quiet", join(place.root, "linked"), "other")
    fs.mkdirSync(join(place.root, "nested"))
    git(["init", "--quiet"], { cwd: join(place.root, "nested") })
    place.write("nested/file", "x")
    const before = repositoryFiles(place.root)
    const status = at("--no-optional-locks", "status", "--porcelain")
    const [elsewhere, index] = [join(place.scratch, "elsewhere"), join(place.scratch, "other-index")]
    git(["init", "--quiet", "--bare", elsewhere])
    vi.stubEnv("GIT_DIR", elsewhere)
    vi.stubEnv("GIT_WORK_TREE", place.scratch)
    vi.stubEnv("GIT_INDEX_FILE", index)
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "later\n")
    place.write("nested/file", "later")
    place.write("added", "later")
    const report = await store.restore(snapshot.id)
    expect(report.outcomes.map(({ path }) => path)).toEqual(["a", "added", "nested/file"])
    expect(report.complete).toBe(true)
    expect(repositoryFiles(place.root)).toEqual(before)
    expect(at("--no-optional-locks", "status", "--porcelain")).toBe(status)
    expect(fs.existsSync(index)).toBe(false)
    expect(fs.readdirSync(join(elsewhere, "refs")).toSorted()).toEqual(["heads", "tags"])
    expect(place.read("private")).toBe("mine")
  })

  test("later commits change nothing of what a restore brings back, and it nothing of them", async () => {
    const place = await onDisk()
    const at = (...args: readonly string[]): string => git(args, { cwd: place.root }).text
    at("init", "--quiet", "--initial-branch", "main")
    place.write("a", "one\n")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two\n")
    at("add", ".")
    at("commit", "--quiet", "-m", "later")
    const before = repositoryFiles(place.root)
    await store.restore(snapshot.id)
    expect(place.read("a")).toBe("one\n")
    expect(repositoryFiles(place.root)).toEqual(before)
    expect(at("log", "--format=%s").trim()).toBe("later")
  })

  test("a file that the user's repository tracks is captured though a rule names it", async () => {
    const place = await onDisk()
    const at = (...args: readonly string[]): string => git(args, { cwd: place.root }).text
    at("init", "--quiet")
    place.write(".gitignore", "*.log\n")
    place.write("kept.log", "one")
    place.write("other.log", "one")
    at("add", "-f", ".gitignore", "kept.log")
    const store = await place.open()
    const { snapshot } = await store.capture()
    expect((await store.changes(EMPTY_TREE, snapshot.id)).map(({ path }) => path)).toEqual([".gitignore", "kept.log"])
  })
})

describe.runIf(gitIsThere())("scenario 12: repositories in the work tree", () => {
  test("nested ones, one without a commit, submodules and .git files: contents come back, every .git stays", async () => {
    const place = await onDisk()
    const inside = (path: string, ...args: readonly string[]): void => void git(args, { cwd: join(place.root, path) })
    for (const path of ["with-commit", "without-commit", "deep/in/it", "gone"]) {
      place.write(`${path}/file`, "one")
      inside(path, "init", "--quiet")
    }
    inside("with-commit", "add", ".")
    inside("with-commit", "commit", "--quiet", "-m", "first")
    inside("", "init", "--quiet")
    inside("", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", `${place.root}/with-commit`, "module")
    expect(fs.lstatSync(join(place.root, "module/.git")).isFile()).toBe(true)
    const store = await place.open()
    const { snapshot, skipped } = await store.capture()
    expect(skipped).toEqual([])
    const listed = git([
      "--git-dir",
      place.gitdir,
      "ls-tree",
      "-r",
      "--format=%(objectmode) %(path)",
      snapshot.tree,
    ]).text
    expect(listed.trim().split("\n")).toEqual(
      [".gitmodules", "deep/in/it/file", "gone/file", "module/file", "with-commit/file", "without-commit/file"].map(
        (path) => `100644 ${path}`,
      ),
    )
    const before = repositoryFiles(place.root)
    for (const path of ["with-commit", "without-commit", "deep/in/it", "module"]) place.write(`${path}/file`, "two")
    for (const path of ["with-commit", "module"]) place.write(`${path}/added`, "two")
    const report = await store.restore(snapshot.id)
    expect(report.complete).toBe(true)
    for (const path of ["with-commit", "without-commit", "deep/in/it", "module"])
      expect([place.read(`${path}/file`), place.read(`${path}/added`)]).toEqual(["one", undefined])
    expect(repositoryFiles(place.root)).toEqual(before)
  })

  test("a submodule that is tracked although a rule names its folder is captured by its own rules, and comes back", async () => {
    const place = await onDisk()
    const inside = (path: string, ...args: readonly string[]): void => void git(args, { cwd: join(place.root, path) })
    const origin = join(place.scratch, "origin")
    fs.mkdirSync(origin)
    fs.writeFileSync(join(origin, "file"), "one")
    fs.writeFileSync(join(origin, ".gitignore"), "built\n")
    git(["init", "--quiet"], { cwd: origin })
    git(["add", "."], { cwd: origin })
    git(["commit", "--quiet", "-m", "first"], { cwd: origin })
    inside("", "init", "--quiet")
    place.write(".gitignore", "vendor/\n")
    inside("", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--force", origin, "vendor/lib")
    place.write("vendor/lib/built", "by the submodule's own rules")
    place.write("vendor/other", "ignored")
    const store = await place.open()
    const { snapshot } = await store.capture()
    const paths = (await store.changes(EMPTY_TREE, snapshot.id)).map(({ path }) => path)
    expect(paths).toEqual([".gitignore", ".gitmodules", "vendor/lib/.gitignore", "vendor/lib/file"])
    place.write("vendor/lib/file", "broken")
    expect((await store.restore(snapshot.id)).complete).toBe(true)
    expect([place.read("vendor/lib/file"), place.read("vendor/other")]).toEqual(["one", "ignored"])
  })

  test("a repository that was cloned since keeps its .git, and its folder stays with it", async () => {
    const place = await onDisk()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("clone/file", "new")
    git(["init", "--quiet"], { cwd: join(place.root, "clone") })
    await store.restore(snapshot.id)
    expect(place.read("clone/file")).toBeUndefined()
    expect(fs.existsSync(join(place.root, "clone/.git/HEAD"))).toBe(true)
  })
})

describe("scenario 14: the work tree is the home folder or a root", () => {
  test("it is refused before anything is made, and taken when asked for", async () => {
    const place = await onDisk()
    vi.stubEnv("HOME", place.root)
    await expectError(place.open(), "ROOT_REFUSED", { path: place.root })
    await expectError(place.open({ worktree: "/" }), "ROOT_REFUSED", { path: "/" })
    await expectError(place.open({ worktree: `${place.root}/../work/.` }), "ROOT_REFUSED", { path: place.root })
    expect(fs.readdirSync(place.scratch)).toEqual(["work"])
    place.write("a", "x")
    expect((await (await place.open({ allowAnyRoot: true })).capture()).changed).toBe(true)
  })
})

describe("scenario 19: a snapshot of one root, and another root", () => {
  test("restoring into another root is refused, and the other root is not touched", async () => {
    const place = await onDisk()
    place.write("a", "one")
    fs.mkdirSync(join(place.scratch, "other"))
    fs.writeFileSync(join(place.scratch, "other/b"), "mine")
    const here = await place.open()
    const there = await place.open({ worktree: join(place.scratch, "other") })
    const { snapshot } = await here.capture()
    const details = { expected: there.workspace, found: here.workspace }
    await expectError(there.restore(snapshot.id), "WRONG_WORKSPACE", details)
    await expectError(there.restore("latest"), "NOT_FOUND", { rev: "latest" })
    expect(fs.readdirSync(join(place.scratch, "other"))).toEqual(["b"])
  })

  test("a store of a subfolder captures and restores that folder, and never its siblings", async () => {
    const place = await onDisk()
    for (const path of ["sub/a", "sibling/b", "c"]) place.write(path, "one")
    const store = await place.open({ worktree: join(place.root, "sub") })
    const { snapshot } = await store.capture()
    expect((await store.changes(EMPTY_TREE, snapshot.id)).map(({ path }) => path)).toEqual(["a"])
    for (const path of ["sub/a", "sub/new", "sibling/b", "sibling/new", "c", "new"]) place.write(path, "two")
    await store.restore(snapshot.id)
    const texts = ["sub/a", "sub/new", "sibling/b", "sibling/new", "c", "new"].map((path) => place.read(path))
    expect(texts).toEqual(["one", undefined, "two", "two", "two", "two"])
  })

  test("a work tree that moved has a workspace of its own", async () => {
    const place = await onDisk()
    place.write("a", "one")
    const { snapshot } = await (await place.open()).capture()
    fs.renameSync(place.root, `${place.root}-moved`)
    const moved = await place.open({ worktree: `${place.root}-moved` })
    await expect(moved.restore(snapshot.id)).rejects.toMatchObject({ code: "WRONG_WORKSPACE" })
  })
})

describe("scenario 22: no git, no repository, no HEAD, no identity", () => {
  const WORK = `
    const { openStore } = await import(process.argv[1])
    const { writeFileSync, readFileSync } = await import("node:fs")
    const store = await openStore({ worktree: process.argv[2], gitdir: process.argv[3] })
    const { snapshot } = await store.capture()
    writeFileSync(process.argv[2] + "/a", "two")
    const patch = new TextDecoder().decode(await store.patch(snapshot.id))
    const report = await store.restore(snapshot.id)
    await store.close()
    console.log(JSON.stringify({ tree: snapshot.tree, patch, complete: report.complete, a: readFileSync(process.argv[2] + "/a", "utf8") }))`

  function workWithoutGit(place: StoreUnderTest): unknown {
    const dist = fileURLToPath(new URL("../../../dist/index.js", import.meta.url))
    const args = ["--input-type=module", "--eval", WORK, dist, place.root, place.gitdir]
    const output = execFileSync(process.execPath, args, { env: { PATH: join(place.scratch, "none") } })
    return JSON.parse(output.toString())
  }

  test("the built package captures, compares and restores with no git in PATH and no environment", async () => {
    const place = await onDisk()
    place.write("a", "one")
    const done = workWithoutGit(place)
    expect(done).toMatchObject({ complete: true, a: "one", patch: expect.stringContaining("+two") })
  })

  test.each([
    ["an empty .git folder", { ".git/x": undefined }],
    ["a .git folder without HEAD", { ".git/objects/x": "", ".git/refs/x": "", ".git/config": "" }],
    ["a HEAD that names nothing", { ".git/objects/x": "", ".git/refs/x": "", ".git/HEAD": "ref: refs/heads/main\n" }],
    [
      "a broken index",
      { ".git/objects/x": "", ".git/refs/x": "", ".git/HEAD": "ref: refs/heads/main\n", ".git/index": "junk" },
    ],
    [
      "a broken configuration",
      {
        ".git/objects/x": "",
        ".git/refs/x": "",
        ".git/HEAD": "ref: refs/heads/main\n",
        ".git/config": '[core\njunk = "',
      },
    ],
    ["a .git file that leads nowhere", { ".git": "gitdir: ../nowhere\n" }],
    ["a .git file that is junk", { ".git": "junk" }],
  ])("%s keeps nothing from working", async (_, files) => {
    const place = await onDisk()
    for (const [path, text] of Object.entries(files)) if (text !== undefined) place.write(path, text)
    place.write("a", "one")
    const store = await place.open()
    const { snapshot, skipped } = await store.capture()
    expect(skipped).toEqual([])
    expect((await store.changes(EMPTY_TREE, snapshot.id)).map(({ path }) => path)).toEqual(["a"])
    place.write("a", "two")
    expect((await store.restore(snapshot.id)).complete).toBe(true)
    expect(place.read("a")).toBe("one")
  })
})
