import fs from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { readGitIndex } from "../../src/core/git-index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { foreignRoots, isForeign } from "../../src/store/foreign.js"
import { layoutOf, prepareGitdir } from "../../src/store/gitdir.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { git, gitIsThere, type GitOutput } from "../support/git.js"
import { GITDIR, newMemory, storeOn, WORKTREE } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const platform = await nodePlatform({})

test("a gitdir without the mark of a store is foreign, and one with it is not", async () => {
  const gitdir = join(await temporaryFolder(), "store")
  await prepareGitdir(platform.fileSystem, gitdir)
  expect(await isForeign(platform.fileSystem, layoutOf(gitdir))).toBe(false)
  fs.writeFileSync(join(gitdir, "config"), "[core]\n\tbare = false\n")
  expect(await isForeign(platform.fileSystem, layoutOf(gitdir))).toBe(true)
  fs.rmSync(join(gitdir, "config"))
  expect(await isForeign(platform.fileSystem, layoutOf(gitdir))).toBe(true)
})

test("a capture fails when the system fails to read the index of its gitdir, and goes on when it may not read it", async () => {
  const memory = newMemory()
  memory.disk.fs.mkdirSync(WORKTREE, { recursive: true })
  memory.disk.fs.writeFileSync(`${WORKTREE}/large`, "more than the limit")
  const capture = async (errno: string): Promise<unknown> => {
    const faults = [{ call: 1, kind: "readFile", path: `${GITDIR}/index`, how: "fail", errno }] as const
    const faulty = faultyFileSystem(memory.fileSystem, faults)
    const store = await storeOn(faulty, { newFileLimitBytes: 5 })
    onTestFinished(() => store.close())
    const { skipped } = await store.capture()
    expect(faulty.struck).toBe(true)
    return skipped
  }
  await expect(capture("EIO")).rejects.toMatchObject({ code: "IO_FAILED", details: { errno: "EIO" } })
  expect(await capture("EACCES")).toEqual([{ path: "large", reason: "too-large" }])
})

describe.runIf(gitIsThere())("The roots of a foreign gitdir", () => {
  test("reach all that git itself counts as reached: refs, reflogs, indexes, heads, of linked work trees, too", async () => {
    const place = await busyRepository()
    const reached = reachedFrom(place, await roots(place.gitdir))
    const byGit = place.run("rev-list", "--objects", "--no-object-names", "--all", "--reflog", "--indexed-objects").text
    expect(byGit.split("\n").length).toBeGreaterThan(20)
    expect(missing(byGit, reached)).toEqual([])
    place.run("reflog", "expire", "--expire=now", "--all")
    const heads = ["ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "rebase-merge/autostash"]
    for (const [at, name] of heads.entries()) {
      const oid = place.run("commit-tree", "-m", `behind ${name} ${at}`, "HEAD^{tree}").text.trim()
      fs.mkdirSync(dirname(join(place.gitdir, name)), { recursive: true })
      fs.writeFileSync(join(place.gitdir, name), `${oid}\t\tbranch 'x' of y\n`)
      expect(await roots(place.gitdir), name).toContain(oid)
    }
  })

  test("hold every stage of a merge, those of settled ones, and the trees that git last wrote, and no gitlink", async () => {
    const place = await repository()
    const blobs = [1, 2, 3].map((stage) => place.blob(`stage ${stage}`))
    const stages = blobs.map((oid, at) => `100644 ${oid} ${at + 1}\tmerged\n`).join("")
    const gitlink = place.run("commit-tree", "-m", "x", "4b825dc642cb6eb9a060e54bf8d69288fbee4904").text.trim()
    git(["update-index", "--index-info"], {
      cwd: place.top,
      input: `${stages}160000 ${gitlink} 0\tsub\n`,
    })
    const unsettled = await roots(place.gitdir)
    expect(unsettled).toEqual(expect.arrayContaining(blobs))
    expect(unsettled).not.toContain(gitlink)
    fs.writeFileSync(join(place.top, "merged"), "settled")
    place.run("add", "merged")
    expect(await roots(place.gitdir)).toEqual(expect.arrayContaining(blobs))
    place.run("rm", "-q", "--cached", "sub")
    const tree = place.run("write-tree").text.trim()
    expect(await roots(place.gitdir)).toContain(tree)
    const index = fs.readFileSync(join(place.gitdir, "index"))
    const { extensionOids } = await readGitIndex(platform.hasher, index, "index")
    expect(extensionOids.toSorted()).toEqual([tree, ...blobs].sort())
  })

  test("hold both oids of each line of a reflog, and leave out what no object is stored for", async () => {
    const place = await repository()
    fs.writeFileSync(join(place.top, "intended"), "x")
    place.run("add", "-N", "intended")
    fs.rmSync(join(place.gitdir, "objects/e6"), { recursive: true })
    const gone = "1234567890123456789012345678901234567890"
    fs.mkdirSync(join(place.gitdir, "logs/refs/heads"), { recursive: true })
    fs.writeFileSync(
      join(place.gitdir, "logs/refs/heads/old"),
      `${"0".repeat(40)} ${gone} A <a@b> 1700000000 +0000\tcommit\n${gone} 12345`,
    )
    expect(await roots(place.gitdir)).toEqual([])
    const [before, after] = [place.blob("before"), place.blob("after")]
    const line = `${before} ${after} A <a@b> 1700000000 +0000\tcommit: \n`
    fs.appendFileSync(join(place.gitdir, "logs/refs/heads/old"), `\n${line}`)
    expect((await roots(place.gitdir)).toSorted()).toEqual([before, after].toSorted())
  })

  test.each([
    ["index", "DIRC, but no index", "FORMAT_UNSUPPORTED"],
    ["HEAD", "", "REF_INVALID"],
    ["refs/heads/main", "", "REF_INVALID"],
    ["refs/heads/deep/er", "\0\0\0", "REF_INVALID"],
    ["packed-refs", "12345 refs/heads/x\n", "REF_INVALID"],
    ["worktrees/one/index", "x", "FORMAT_UNSUPPORTED"],
    ["worktrees/one/HEAD", "12345\n", "REF_INVALID"],
  ])("cannot be told when %s is damaged", async (path, content, code) => {
    const { gitdir } = await repository()
    fs.mkdirSync(dirname(join(gitdir, path)), { recursive: true })
    fs.writeFileSync(join(gitdir, path), content)
    await expect(roots(gitdir)).rejects.toMatchObject({ code })
  })

  test("cannot be told when the system fails to read any file that may name one", async () => {
    const place = await busyRepository()
    const watched = faultyFileSystem(platform.fileSystem)
    await roots(place.gitdir, watched)
    const reads = watched.calls.filter(
      ({ kind, path }) => ["list", "readFile"].includes(kind) && !path.includes("/objects"),
    )
    expect(reads.length).toBeGreaterThan(20)
    for (const { kind, path } of reads) {
      const faulty = faultyFileSystem(platform.fileSystem, [{ call: 1, kind, path, how: "fail" }])
      await expect(roots(place.gitdir, faulty), path).rejects.toMatchObject({ code: "IO_FAILED" })
    }
  })

  test("pass over a ref's lock and a symbolic ref", async () => {
    const place = await repository()
    place.run("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    fs.mkdirSync(join(place.gitdir, "refs/heads"), { recursive: true })
    fs.writeFileSync(join(place.gitdir, "refs/heads/main.lock"), "")
    expect(await roots(place.gitdir)).toEqual([])
  })
})

interface Repository {
  readonly top: string
  readonly gitdir: string
  readonly run: (...args: string[]) => GitOutput
  readonly blob: (text: string) => string
}

async function repository(): Promise<Repository> {
  const top = join(await temporaryFolder(), "top")
  git(["init", "-q", "-b", "main", top])
  const run = (...args: string[]): GitOutput => git(args, { cwd: top })
  const blob = (text: string): string => git(["hash-object", "-w", "--stdin"], { cwd: top, input: text }).text.trim()
  return { top, gitdir: join(top, ".git"), run, blob }
}

/** With branches, a stash, tags, packed refs, amended commits, staged files, a split index and a linked work tree. */
async function busyRepository(): Promise<Repository> {
  const place = await repository()
  const { top, run } = place
  const commit = (name: string, folder = top): void => {
    fs.writeFileSync(join(folder, name), name)
    git(["add", name], { cwd: folder })
    git(["commit", "-q", "-m", name], { cwd: folder })
  }
  commit("one")
  commit("two")
  run("tag", "-a", "-m", "tag", "v1")
  run("branch", "other", "HEAD~1")
  run("pack-refs", "--all")
  commit("three")
  run("commit", "-q", "--amend", "-m", "three again")
  fs.writeFileSync(join(top, "one"), "stashed")
  run("stash", "-q")
  const linked = join(dirname(top), "linked")
  run("worktree", "add", "-q", "--detach", linked)
  commit("in the linked one", linked)
  fs.writeFileSync(join(linked, "staged there"), "staged there")
  git(["add", "."], { cwd: linked })
  run("update-index", "--split-index")
  fs.writeFileSync(join(top, "staged"), "staged")
  run("add", "staged")
  return place
}

async function roots(gitdir: string, fileSystem = platform.fileSystem): Promise<string[]> {
  const layout = layoutOf(gitdir)
  const ports = { ...platform, fileSystem }
  const objects = objectDatabase({ ...platform, objectsFolder: layout.objects })
  onTestFinished(() => objects.close())
  const { named, cached } = await foreignRoots({ ...ports, objects }, layout)
  return [...new Set([...named, ...cached])]
}

/** All that git reaches from `oids`. */
function reachedFrom(place: Repository, oids: readonly string[]): Set<string> {
  const args = ["rev-list", "--objects", "--no-object-names", "--stdin"]
  const { text } = git(args, { cwd: place.top, input: oids.join("\n") })
  return new Set(text.split("\n"))
}

function missing(listed: string, reached: ReadonlySet<string>): string[] {
  return listed.split("\n").filter((oid) => !reached.has(oid))
}
