/*
 * Gitdirs that OpenCode made, with native git in their place: opened, captured into, restored from and adopted as they
 * are. Each kind of index that a configured Git may leave there goes the same way.
 */
import fs from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { openStore, type OpenOptions, type SnapshotStore } from "../../src/index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { adoptRootTrees } from "../../src/store/adopt.js"
import { layoutOf } from "../../src/store/gitdir.js"
import { refStore } from "../../src/store/refs.js"
import { git, gitIsThere, type GitOutput } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/** What a kind of gitdir has of its own. */
interface Kind {
  readonly name: string
  /** Configuration from the start. */
  readonly config?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Before the first hash is made. */
  readonly begin?: (place: Place) => void
  /** When all hashes are made. */
  readonly finish?: (place: Place) => void
  /** What the index has to show for the kind to be what its name says. */
  readonly shows: (index: Buffer) => boolean
  /** More large files that the index tracks. */
  readonly alsoTracked?: readonly string[]
  readonly backend?: "native"
  /** This git cannot work on the index itself. */
  readonly gitRefuses?: true
}

const KINDS: readonly Kind[] = [
  { name: "an index of version 2", shows: versionIs(2) },
  {
    name: "an index of version 3, with entries that git add -N and skip-worktree left",
    finish({ write, run }) {
      write("intended", "x")
      run("add", "-N", "intended")
      run("update-index", "--skip-worktree", "src/a.txt")
    },
    shows: versionIs(3),
  },
  { name: "an index of version 4", config: { "index.version": "4" }, shows: versionIs(4) },
  {
    name: "an index as feature.manyFiles makes it, with an untracked cache",
    config: { "feature.manyFiles": "true", "core.untrackedCache": "true" },
    finish({ run }) {
      run("update-index", "--untracked-cache")
      run("status")
    },
    shows: (index) => versionIs(4)(index) && index.includes("UNTR") && index.includes("TREE"),
  },
  {
    name: "an index with end-of-index and offset tables",
    config: { "index.threads": "2" },
    env: { GIT_TEST_INDEX_THREADS: "2" },
    shows: (index) => index.includes("EOIE") && index.includes("IEOT"),
  },
  {
    name: "a split index",
    config: { "splitIndex.maxPercentChange": "100" },
    finish({ run, write }) {
      run("update-index", "--split-index")
      write("src/late.bin", LARGE)
      run("add", "--", "src/late.bin")
    },
    alsoTracked: ["src/late.bin"],
    shows: (index) => index.includes("link") && !index.includes("large.bin"),
  },
  {
    name: "a sparse index",
    begin({ write }) {
      write("out/large.bin", LARGE)
      write("out/deep/small", "small")
    },
    finish({ run, write }) {
      run("commit", "-q", "-m", "for the sparse checkout")
      run("sparse-checkout", "set", "--cone", "--sparse-index", "src")
      write("out/large.bin", `${LARGE}!`)
      write("out/deep/small", "small")
    },
    alsoTracked: ["out/large.bin"],
    shows: (index) => index.includes("sdir") && !index.includes("out/large.bin"),
  },
  {
    name: "an index without a checksum",
    finish({ gitdir }) {
      const path = join(gitdir, "index")
      fs.writeFileSync(path, Buffer.concat([fs.readFileSync(path).subarray(0, -20), Buffer.alloc(20)]))
    },
    shows: (index) => index.subarray(-20).every((byte) => byte === 0),
    gitRefuses: true,
  },
  {
    name: "a stale index.lock",
    finish: ({ gitdir }) => fs.writeFileSync(join(gitdir, "index.lock"), "left by a killed git"),
    shows: versionIs(2),
  },
  {
    name: "the user's own repository as an alternate",
    begin({ worktree, gitdir, write }) {
      git(["init", "-q"], { cwd: worktree })
      write("committed.txt", "only the user's repository holds this\n")
      git(["add", "committed.txt"], { cwd: worktree })
      git(["commit", "-q", "-m", "start"], { cwd: worktree })
      fs.writeFileSync(join(gitdir, "objects/info/alternates"), `${join(worktree, ".git/objects")}\n`)
    },
    shows: versionIs(2),
  },
]

/** What other tools may have said in the store's configuration is nothing to the git that stores what a capture reads. */
const BY_NATIVE_GIT: readonly Kind[] = KINDS.filter(({ name }) => /split|alternate|manyFiles/.test(name)).map(
  (kind) => ({
    ...kind,
    name: `the native backend and ${kind.name}`,
    backend: "native",
  }),
)

describe.runIf(gitIsThere())("A gitdir that OpenCode made, with", () => {
  it.each([...KINDS, ...BY_NATIVE_GIT])("$name, opens as it is and stays usable for git", async (kind) => {
    const place = await makePlace(kind)
    const { worktree, gitdir, run, write } = place
    const [first, second] = makeHashes(place, kind)
    kind.finish?.(place)
    expect(kind.shows(fs.readFileSync(join(gitdir, "index"))), "the index is of this kind").toBe(true)
    write("new-large.bin", LARGE)
    const ignored = fs.readFileSync(join(worktree, "made.log"))
    const before = filesOf(gitdir)

    const store = await opened(place, { backend: kind.backend ?? "pure" })
    const result = await store.capture()
    expect(result.skipped).toEqual([{ path: "new-large.bin", reason: "too-large" }])
    expect(result.snapshot.tree).toBe(treeByGit(place, ["new-large.bin"]))
    for (const path of ["large.bin", ...(kind.alsoTracked ?? [])])
      expect(Buffer.from((await store.readFile("latest", path)) ?? []).toString(), path).toContain(LARGE)

    // Old hashes are compared …
    const told = run("diff-tree", "-r", "--no-renames", "--name-status", first, second).text
    const changes = await store.changes(first, second)
    expect(changes.map(({ status, path }) => `${status.charAt(0).toUpperCase()}\t${path}\n`).join("")).toBe(told)
    expect((await store.diff(first, second)).map(({ path }) => path)).toEqual(changes.map(({ path }) => path))
    expect(treeOfPatch(place, first, await store.patch(first, second))).toBe(second)
    // … and restored, and nothing that they cannot tell of goes.
    const report = await store.restore(first, { added: "keep" })
    expect(report.complete).toBe(true)
    expect(treeOfPaths(place, first)).toBe(first)
    expect((await store.changes(first)).every(({ status }) => status === "added")).toBe(true)
    expect(fs.readFileSync(join(worktree, "made.log"))).toEqual(ignored)
    expect(fs.readFileSync(join(worktree, "new-large.bin"), "utf8")).toBe(LARGE)
    expect(fs.readFileSync(join(worktree, "added-later"), "utf8")).toBe("added\n")

    expect(await adopt(gitdir)).toBe(kind.name === "a sparse index" ? 1 : 2)
    expect(await adopt(gitdir)).toBe(0)
    const after = filesOf(gitdir)
    for (const [path, bytes] of before) expect(after.get(path)?.equals(bytes), path).toBe(true)
    const added = [...after.keys()].filter((path) => !before.has(path))
    expect(
      added.filter(
        (path) => !/^(?:objects\/pack|stat-cache|restores|refs\/(?:snapshots|baseline|adopted))\//.test(path),
      ),
    ).toEqual([])

    if (kind.gitRefuses) fs.rmSync(join(gitdir, "index"))
    run("fsck", "--strict", "--no-dangling")
    run("reflog", "expire", "--expire=now", "--all")
    run("gc", "--quiet", "--prune=now")
    for (const oid of [first, second, result.snapshot.id, report.undo?.id as string])
      expect(run("rev-list", "--objects", "--quiet", oid, "--").status).toBe(0)
    expect(run("cat-file", "-t", first).text).toBe("tree\n")
    expect(run("show", "--format=%T", "--no-patch", result.snapshot.ref).text).toBe(`${result.snapshot.tree}\n`)
    expect(await store.changes(first, second)).toEqual(changes)
    expect((await store.restore(result.snapshot.id)).complete).toBe(true)
    expect(treeByGit(place, ["new-large.bin"])).toBe(result.snapshot.tree)
  })

  it("an index that is damaged is captured into all the same, with no file tracked by it", async () => {
    for (const damage of [
      (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2),
      (bytes: Buffer): Buffer => Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]),
      (): Buffer => Buffer.alloc(0),
    ]) {
      const place = await makePlace({})
      const [first] = makeHashes(place, {})
      const path = join(place.gitdir, "index")
      const damaged = damage(fs.readFileSync(path))
      fs.writeFileSync(path, damaged)
      const store = await opened(place)
      expect((await store.capture()).skipped).toEqual([{ path: "large.bin", reason: "too-large" }])
      // What the compared tree holds is tracked for the comparison, so the file does not look deleted.
      expect((await store.changes(first)).map((change) => change.path)).not.toContain("large.bin")
      expect(fs.readFileSync(path).equals(damaged)).toBe(true)
    }
  })

  it("old hashes deletes nothing on restore, whatever is asked: a bare tree is no evidence", async () => {
    const place = await makePlace({})
    const { worktree, write } = place
    write("was.txt", "captured by the old tool\n")
    const [first] = makeHashes(place, {})
    // Ignored by now, so that no snapshot will hold it.
    write(".gitignore", "*.log\nwas.txt\n")
    write("was.txt", "only here\n")
    write("new-large.bin", LARGE)
    const store = await opened(place)
    const report = await store.restore(first)
    const outcomes = new Map(report.outcomes.map((outcome) => [outcome.path, outcome]))
    expect(outcomes.get("added-later")).toMatchObject({ action: "kept", reason: "added" })
    expect(outcomes.get("was.txt")).toMatchObject({ action: "kept", reason: "ignored" })
    expect(report.outcomes.filter(({ action }) => action === "deleted")).toEqual([])
    for (const [path, text] of [
      ["was.txt", "only here\n"],
      ["made.log", "made\n"],
      ["new-large.bin", LARGE],
      ["added-later", "added\n"],
      ["src/a.txt", "a\n"],
    ] as const)
      expect(fs.readFileSync(join(worktree, path), "utf8"), path).toBe(text)
  })

  it("garbage in it is maintained without loss: every hash, the index and what git itself counts on stay", async () => {
    const place = await makePlace({})
    const { gitdir, run, write } = place
    const [first, second] = makeHashes(place, {})
    write("staged.txt", "only in the index\n")
    run("add", "staged.txt")
    const garbage = git(["hash-object", "-w", "--stdin"], { cwd: gitdir, input: "garbage" }).text.trim()
    for (const path of filesOf(join(gitdir, "objects")).keys())
      fs.utimesSync(join(gitdir, "objects", path), 1_700_000_000, 1_700_000_000)
    const kept = filesOf(gitdir)
    const store = await opened(place)
    const { snapshot } = await store.capture()
    expect(await store.maintain()).toMatchObject({ adopted: 2, objectsRemoved: 1 })
    expect(await store.maintain()).toMatchObject({ adopted: 0, objectsRemoved: 0 })
    const left = filesOf(gitdir)
    for (const [path, bytes] of kept) {
      const isGarbage = path === join("objects", garbage.slice(0, 2), garbage.slice(2))
      expect(left.get(path)?.equals(bytes) ?? false, path).toBe(!isGarbage)
    }
    run("fsck", "--strict", "--no-dangling")
    run("rev-list", "--objects", "--quiet", first, second, snapshot.id)
    expect((await store.restore(first)).complete).toBe(true)
  })

  it("an old tree that has lost an object is maintained: it gets no ref, and git goes on collecting, too", async () => {
    for (const lost of ["src", "src/a.txt"]) {
      const place = await makePlace({})
      const { gitdir, run, write } = place
      const [first, second] = makeHashes(place, {})
      const oid = run("rev-parse", `${first}:${lost}`).text.trim()
      write("src/a.txt", "another\n")
      run("add", "-A")
      run("write-tree")
      fs.rmSync(join(gitdir, "objects", oid.slice(0, 2), oid.slice(2)))
      const store = await opened(place)
      await store.capture()
      await store.maintain()
      await store.prune({ keepWithinMs: 7 * 24 * 60 * 60 * 1000 })
      expect(run("for-each-ref", "--format=%(objectname)", "refs/adopted").text).not.toContain(first)
      run("gc", "-q", "--prune=7.days")
      expect(run("cat-file", "-t", first).text).toBe("tree\n")
      expect(run("cat-file", "-t", second).text).toBe("tree\n")
    }
  })

  it("a nested repository as a gitlink restores what is beside it and leaves the repository alone", async () => {
    const place = await makePlace({})
    const { worktree, write } = place
    write("nested/inner.txt", "inner\n")
    git(["init", "-q"], { cwd: join(worktree, "nested") })
    git(["add", "."], { cwd: join(worktree, "nested") })
    git(["commit", "-q", "-m", "start"], { cwd: join(worktree, "nested") })
    const [first] = makeHashes(place, {})
    const { run } = place
    expect(run("ls-tree", first, "nested").text).toMatch(/^160000 commit /)
    write("nested/inner.txt", "changed\n")
    const nested = filesOf(join(worktree, "nested"))
    const store = await opened(place)
    expect((await store.restore(first)).outcomes.map(({ path }) => path)).not.toContain("nested")
    expect(filesOf(join(worktree, "nested"))).toEqual(nested)
    expect(fs.readFileSync(join(worktree, "src/a.txt"), "utf8")).toBe("a\n")
  })

  it("files that its index tracks keeps them tracked from then on by its snapshots, and asks the index no more", async () => {
    const place = await makePlace({})
    makeHashes(place, {})
    const store = await opened(place)
    expect((await store.capture()).skipped).toEqual([])
    place.write("new-large.bin", LARGE)
    place.run("add", "new-large.bin")
    place.run("rm", "-q", "--cached", "large.bin")
    place.write("large.bin", LARGE.repeat(3))
    expect((await store.capture()).skipped).toEqual([{ path: "new-large.bin", reason: "too-large" }])
    expect((await store.readFile("latest", "large.bin"))?.length).toBe(LARGE.length * 3)
  })

  it("files that its index tracks shows them in a look at the work tree before the first capture", async () => {
    const place = await makePlace({})
    const { run, write } = place
    const empty = run("hash-object", "-t", "tree", "-w", "--stdin").text.trim()
    makeHashes(place, {})
    write("new-large.bin", LARGE)
    const store = await opened(place)
    const paths = (await store.changes(empty)).map(({ path }) => path)
    expect(paths).toContain("large.bin")
    expect(paths).not.toContain("new-large.bin")
  })
})

const LARGE = "more than the limit lets in\n".repeat(100)
const LIMIT_BYTES = 1000

describe.runIf(gitIsThere())("An index whose cache names trees that went with an alternate", () => {
  it("bars no collection", async () => {
    const place = await makePlace({})
    const { worktree, gitdir, run, write } = place
    const own = (...args: string[]): GitOutput => git(["-C", worktree, ...args])
    own("init", "--quiet")
    for (const path of ["d/x", "d/e/x"]) write(path, "x\n")
    own("add", "--all")
    own("commit", "--quiet", "-m", "one")
    fs.mkdirSync(join(gitdir, "objects/info"), { recursive: true })
    fs.writeFileSync(join(gitdir, "objects/info/alternates"), `${worktree}/.git/objects\n`)
    write("a", "2\n")
    run("add", "--all")
    run("write-tree")
    for (const path of ["d/x", "d/e/x"]) write(path, "y\n")
    own("commit", "--quiet", "--all", "--amend", "-m", "two")
    own("reflog", "expire", "--expire=now", "--all")
    own("gc", "--quiet", "--prune=now")
    const store = await opened(place)
    await store.capture()
    await expect(store.maintain()).resolves.toMatchObject({ objectsRemoved: 0 })
  })
})

interface Place {
  readonly worktree: string
  readonly gitdir: string
  /** Runs git as OpenCode does, on this gitdir and work tree. */
  readonly run: (...args: string[]) => GitOutput
  readonly write: (path: string, text: string) => void
}

/** A gitdir as OpenCode begins it, and a work tree. */
async function makePlace(kind: Partial<Kind>): Promise<Place> {
  const folder = await temporaryFolder()
  const [worktree, gitdir] = [join(folder, "project"), join(folder, "snapshot")]
  fs.mkdirSync(worktree)
  git(["init", "-q"], { env: { GIT_DIR: gitdir, GIT_WORK_TREE: worktree } })
  const config = {
    "core.autocrlf": "false",
    "core.longpaths": "true",
    "core.symlinks": "true",
    "core.fsmonitor": "false",
    ...kind.config,
  }
  const run = (...args: string[]): GitOutput =>
    git(["--git-dir", gitdir, "--work-tree", worktree, ...args], { cwd: worktree, env: kind.env ?? {} })
  for (const [name, value] of Object.entries(config)) run("config", name, value)
  const write = (path: string, text: string): void => {
    fs.mkdirSync(dirname(join(worktree, path)), { recursive: true })
    fs.writeFileSync(join(worktree, path), text)
  }
  return { worktree, gitdir, run, write }
}

/** Two hashes as OpenCode's `track` gives them, with a large file among what they hold, and a work tree that went on. */
function makeHashes(place: Place, kind: Partial<Kind>): [first: string, second: string] {
  const { worktree, run, write } = place
  const track = (): string => {
    run("add", "--all", "--sparse", ".")
    return run("write-tree").text.trim()
  }
  kind.begin?.(place)
  for (const name of ["a", "b", "c"]) write(`src/${name}.txt`, `${name}\n`)
  write("large.bin", LARGE)
  write("run.sh", "#!/bin/sh\n")
  fs.chmodSync(join(worktree, "run.sh"), 0o755)
  fs.symlinkSync("src/a.txt", join(worktree, "link"))
  write("crlf.txt", "one\r\ntwo\r\n")
  write(".gitignore", "*.log\n")
  write("made.log", "made\n")
  const first = track()
  write("src/a.txt", "a, changed\n")
  fs.rmSync(join(worktree, "src/b.txt"))
  write("src/new.txt", "new\n")
  const second = track()
  write("added-later", "added\n")
  return [first, second]
}

async function opened({ worktree, gitdir }: Place, options: Partial<OpenOptions> = {}): Promise<SnapshotStore> {
  const store = await openStore({ worktree, gitdir, newFileLimitBytes: LIMIT_BYTES, ...options })
  onTestFinished(() => store.close())
  return store
}

async function adopt(gitdir: string): Promise<number> {
  const platform = await nodePlatform({})
  const layout = layoutOf(gitdir)
  return adoptRootTrees(platform, layout, refStore(platform.fileSystem, gitdir, layout.temporary))
}

/** The tree that git makes of the work tree; what it stores goes elsewhere, and so does its index. */
function treeByGit(place: Place, excluded: readonly string[]): string {
  return aside(place, (run) => {
    run("add", "--all", "--force", "--sparse", ".", ":(exclude)*.log", ...excluded.map((path) => `:(exclude)${path}`))
  })
}

/** The tree of what stands in the work tree under the paths of `tree`. */
function treeOfPaths(place: Place, tree: string): string {
  return aside(place, (run) => {
    run("read-tree", tree)
    run("add", "--update", "--sparse", ".")
  })
}

/** The tree that `patch` makes of `tree`. */
function treeOfPatch(place: Place, tree: string, patch: Uint8Array): string {
  return aside(place, (run, scratch) => {
    fs.writeFileSync(join(scratch, "patch"), patch)
    run("read-tree", tree)
    run("apply", "--cached", "--whitespace=nowarn", join(scratch, "patch"))
  })
}

function aside(
  { worktree, gitdir }: Place,
  step: (run: (...args: string[]) => GitOutput, scratch: string) => void,
): string {
  const scratch = fs.mkdtempSync(join(dirname(worktree), "scratch-"))
  const env = {
    GIT_DIR: gitdir,
    GIT_WORK_TREE: worktree,
    GIT_INDEX_FILE: join(scratch, "index"),
    GIT_OBJECT_DIRECTORY: join(scratch, "objects"),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: join(gitdir, "objects"),
  }
  fs.mkdirSync(env.GIT_OBJECT_DIRECTORY)
  const plain = ["-c", "core.sparseCheckout=false", "-c", "index.sparse=false"]
  const run = (...args: string[]): GitOutput => git([...plain, ...args], { cwd: worktree, env })
  step(run, scratch)
  const tree = run("write-tree").text.trim()
  fs.rmSync(scratch, { recursive: true })
  return tree
}

function versionIs(version: number): (index: Buffer) => boolean {
  return (index) => index.readUInt32BE(4) === version
}

/** Every file below `folder` with its bytes. */
function filesOf(folder: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const item of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(item.parentPath, item.name)
    if (item.isFile()) files.set(relative(folder, path), fs.readFileSync(path))
  }
  return files
}
