import { describe, expect, test, vi } from "vitest"
import type { OpenOptions } from "../../../src/index.js"
import { BACKENDS, expectError } from "../../support/store-under-test.js"

const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

describe.each(BACKENDS)("opening on $name", ({ start }) => {
  test("a new store is a gitdir with mode 0700, of the real path of the work tree", async () => {
    const place = await start()
    place.fs.symlinkSync(place.root, `${place.scratch}/link`)
    const gitdir = `${place.scratch}/new/deeper/store`
    const store = await place.open({ worktree: `${place.scratch}/link/`, gitdir })
    expect(store).toMatchObject({ worktree: place.root, gitdir })
    expect(place.fs.lstatSync(gitdir).mode & 0o777).toBe(0o700)
    expect(place.fs.readdirSync(gitdir)).toEqual(expect.arrayContaining(["HEAD", "config", "objects", "refs"]))
  })

  test("opening twice gives one store, and what one captures the other lists", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const [one, other] = await Promise.all([place.open(), place.open()])
    expect(other.workspace).toBe(one.workspace)
    const { snapshot } = await one.capture()
    expect(await other.list()).toEqual([snapshot])
    place.write("a.txt", "two")
    const { snapshot: next } = await other.capture()
    expect(next.previous).toBe(snapshot.id)
    expect(await one.readFile("latest", "a.txt")).toEqual(new Uint8Array(Buffer.from("two")))
  })

  test("the default store lies in the user's data folder, one for each work tree", async () => {
    const place = await start()
    place.folder("sub")
    vi.stubEnv("XDG_DATA_HOME", `${place.scratch}/data`)
    const open = (worktree: string): ReturnType<typeof place.open> =>
      place.open({ worktree, gitdir: undefined } as unknown as Partial<OpenOptions>)
    const [outer, again, inner] = [
      await open(place.root),
      await open(`${place.root}/.`),
      await open(`${place.root}/sub`),
    ]
    expect(outer.gitdir.startsWith(`${place.scratch}/data/treeshot/`)).toBe(true)
    expect(again.gitdir).toBe(outer.gitdir)
    expect(inner.gitdir).not.toBe(outer.gitdir)
    expect(place.fs.lstatSync(outer.gitdir).mode & 0o777).toBe(0o700)
  })

  test("several workspaces share a store, and each lists and calls latest its own", async () => {
    const place = await start()
    place.write("a.txt", "x")
    place.fs.mkdirSync(`${place.scratch}/other`)
    const one = await place.open({ workspace: "one" })
    const two = await place.open({ workspace: "two", worktree: `${place.scratch}/other` })
    const first = await one.capture()
    const second = await two.capture()
    expect(second.snapshot).not.toHaveProperty("previous")
    expect(await one.list({ kind: "all" })).toEqual([first.snapshot])
    expect(await two.resolve("latest")).toEqual(second.snapshot)
    expect(await two.resolve(first.snapshot.id)).toEqual(first.snapshot)
  })

  test("a workspace without a name gets one of the allowed form, the same each time", async () => {
    const place = await start()
    place.fs.mkdirSync(`${place.scratch}/Ünïcode & Spaces ${"x".repeat(100)}`)
    for (const worktree of [place.root, `${place.scratch}/Ünïcode & Spaces ${"x".repeat(100)}`]) {
      const { workspace } = await place.open({ worktree })
      expect(workspace).toMatch(/^[a-z0-9-]{1,64}$/)
      expect((await place.open({ worktree })).workspace).toBe(workspace)
    }
  })

  test("a missing work tree, a file and a dangling link are WORKTREE_MISSING, and no store is made", async () => {
    const place = await start()
    place.write("file", "x")
    place.link("dangling", "nowhere")
    for (const name of ["none", "file", "file/below", "dangling"]) {
      const worktree = `${place.root}/${name}`
      await expectError(place.open({ worktree }), "WORKTREE_MISSING", { path: worktree })
    }
    expect(place.fs.readdirSync(place.scratch)).toEqual(["work"])
  })

  test("the root and the home folder are refused, also behind a link, unless allowAnyRoot says so", async () => {
    const place = await start()
    vi.stubEnv("HOME", place.root)
    place.fs.symlinkSync(place.root, `${place.scratch}/link`)
    await expectError(place.open({ worktree: "/" }), "ROOT_REFUSED", { path: "/" })
    await expectError(place.open(), "ROOT_REFUSED", { path: place.root })
    await expectError(place.open({ worktree: `${place.scratch}/link` }), "ROOT_REFUSED", { path: place.root })
    expect(place.fs.readdirSync(place.scratch).map(String).toSorted()).toEqual(["link", "work"])
    expect((await place.open({ allowAnyRoot: true })).worktree).toBe(place.root)
    place.folder("project")
    expect((await place.open({ worktree: `${place.root}/project` })).worktree).toBe(`${place.root}/project`)
  })

  test("a gitdir that is a file, holds something else or holds the work tree is GITDIR_INVALID and stays as it is", async () => {
    const place = await start()
    place.fs.writeFileSync(`${place.scratch}/file`, "x")
    place.fs.mkdirSync(`${place.scratch}/full`)
    place.fs.writeFileSync(`${place.scratch}/full/letter`, "x")
    const gitdirs = [`${place.scratch}/file`, `${place.scratch}/full`, place.scratch, place.root]
    for (const gitdir of gitdirs) await expectError(place.open({ gitdir }), "GITDIR_INVALID", { path: gitdir })
    expect(place.fs.readdirSync(`${place.scratch}/full`)).toEqual(["letter"])
    expect(place.fs.readdirSync(place.root)).toEqual([])
  })

  test("the user's own .git is refused as a store, by any path and for any folder in the repository", async () => {
    const place = await start()
    for (const name of ["HEAD", "config"]) place.write(`.git/${name}`, name === "HEAD" ? "ref: refs/heads/main\n" : "")
    place.folder(".git/objects")
    place.folder(".git/refs")
    place.folder("sub")
    place.fs.symlinkSync(`${place.root}/.git`, `${place.scratch}/link`)
    const before = place.fs.readdirSync(`${place.root}/.git`)
    const own = `${place.root}/.git`
    for (const gitdir of [own, `${own}/`, `${place.scratch}/link`])
      await expectError(place.open({ gitdir }), "GITDIR_INVALID", { path: own })
    await expectError(place.open({ gitdir: own, worktree: `${place.root}/sub` }), "GITDIR_INVALID", { path: own })
    await expectError(place.open({ gitdir: `${own}/treeshot` }), "GITDIR_INVALID", { path: `${own}/treeshot` })
    expect(place.fs.readdirSync(own)).toEqual(before)
  })

  test("a store inside the work tree is left out of captures and survives a restore", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const gitdir = `${place.root}/folder/store`
    const store = await place.open({ gitdir })
    const first = await store.capture()
    expect(first.skipped).toEqual([])
    expect((await store.changes(EMPTY_TREE, "latest")).map(({ path }) => path)).toEqual(["a.txt"])
    expect((await store.capture()).changed).toBe(false)
    place.write("a.txt", "two")
    place.write("folder/b.txt", "new")
    await store.capture()
    expect((await store.restore(first.snapshot.id)).complete).toBe(true)
    expect(place.read("a.txt")).toBe("one")
    expect(place.read("folder/b.txt")).toBeUndefined()
    expect(await store.list()).toHaveLength(2)
  })

  test("a store of a later version, of SHA-256 or with another ref storage is FORMAT_UNSUPPORTED", async () => {
    const place = await start()
    await place.open()
    const config = String(place.fs.readFileSync(`${place.gitdir}/config`, "utf8"))
    const put = (text: string): void => place.fs.writeFileSync(`${place.gitdir}/config`, text)
    put(config.replace("version = 1", "version = 2"))
    await expectError(place.open(), "FORMAT_UNSUPPORTED", { path: place.gitdir, format: "treeshot version 2" })
    put(`${config}[extensions]\n\tobjectFormat = sha256\n`)
    await expectError(place.open(), "FORMAT_UNSUPPORTED", { path: place.gitdir, format: "sha256 object names" })
    put(`${config}[extensions]\n\trefStorage = reftable\n`)
    await expectError(place.open(), "FORMAT_UNSUPPORTED", { path: place.gitdir, format: "refs stored as reftable" })
    put(config)
    await place.open()
  })

  test.each<[argument: string, options: Record<string, unknown>]>([
    ["worktree", { worktree: "" }],
    ["worktree", { worktree: 7 }],
    ["gitdir", { gitdir: "" }],
    ["gitdir", { gitdir: 7 }],
    ["workspace", { workspace: "Upper" }],
    ["workspace", { workspace: "" }],
    ["workspace", { workspace: "a/b" }],
    ["workspace", { workspace: "x".repeat(65) }],
    ["newFileLimitBytes", { newFileLimitBytes: -1 }],
    ["newFileLimitBytes", { newFileLimitBytes: 1.5 }],
    ["durability", { durability: "forever" }],
    ["include", { include: [] }],
    ["include", { include: "src" }],
    ["include", { include: [7] }],
    ["exclude", { exclude: "src" }],
    ["exclude", { exclude: [7] }],
  ])("a bad %s is refused before anything is made: %j", async (argument, options) => {
    const place = await start()
    await expectError(place.open(options as Partial<OpenOptions>), "INVALID_ARGUMENT", { argument })
    expect(place.fs.readdirSync(place.scratch)).toEqual(["work"])
  })

  test("include captures only what its globs name, and restores leave the rest alone", async () => {
    const place = await start()
    for (const path of ["src/a.ts", "src/deep/b.ts", "src/c.js", "notes.md"]) place.write(path, "one")
    const store = await place.open({ include: ["src/**/*.ts", "none/*"] })
    const { snapshot, skipped } = await store.capture()
    expect(skipped).toEqual([])
    expect((await store.changes(EMPTY_TREE, snapshot.id)).map(({ path }) => path)).toEqual([
      "src/a.ts",
      "src/deep/b.ts",
    ])
    for (const path of ["src/a.ts", "src/c.js", "notes.md", "src/new.ts", "new.md"]) place.write(path, "two")
    expect((await store.changes(snapshot.id)).map(({ path }) => path)).toEqual(["src/a.ts", "src/new.ts"])
    expect((await store.restore(snapshot.id)).complete).toBe(true)
    expect(["src/a.ts", "src/c.js", "notes.md", "src/new.ts", "new.md"].map((path) => place.read(path))).toEqual([
      "one",
      "two",
      "two",
      undefined,
      "two",
    ])
  })

  test("a snapshot of everything, restored by a store with include, changes only what include names", async () => {
    const place = await start()
    for (const path of ["src/a.ts", "notes.md"]) place.write(path, "one")
    const { snapshot } = await (await place.open()).capture()
    for (const path of ["src/a.ts", "notes.md", "src/b.ts", "b.md"]) place.write(path, "two")
    await (await place.open({ include: ["src/**"] })).restore(snapshot.id)
    expect(["src/a.ts", "notes.md", "src/b.ts", "b.md"].map((path) => place.read(path))).toEqual([
      "one",
      "two",
      undefined,
      "two",
    ])
  })

  test("a snapshot with include, restored by a store of everything, deletes nothing that include did not name", async () => {
    const place = await start()
    for (const path of ["src/a.ts", "notes.md"]) place.write(path, "one")
    const { snapshot } = await (await place.open({ include: ["src/**"] })).capture()
    for (const path of ["src/a.ts", "notes.md", "src/b.ts"]) place.write(path, "two")
    await (await place.open()).restore(snapshot.id)
    expect(["src/a.ts", "notes.md", "src/b.ts"].map((path) => place.read(path))).toEqual(["one", "two", undefined])
  })

  test("a capture with include does not untrack the rest", async () => {
    const place = await start()
    place.write("src/a.ts", "x")
    place.write("grown.bin", "1234")
    const all = await place.open({ newFileLimitBytes: 8 })
    await all.capture()
    await (await place.open({ newFileLimitBytes: 8, include: ["src/**"] })).capture()
    place.write("grown.bin", "123456789")
    expect((await all.capture()).skipped).toEqual([])
  })

  test("exclude leaves out what its patterns name, as an ignore file would, and stronger than one", async () => {
    const place = await start()
    place.write(".gitignore", "!keep.log\n")
    for (const path of ["a.log", "keep.log", "sub/b.log", "sub/b.txt", "top.txt"]) place.write(path, "x")
    const store = await place.open({ exclude: ["*.log", "/top.txt"] })
    const { snapshot, skipped } = await store.capture()
    expect(skipped).toEqual([])
    expect((await store.changes(EMPTY_TREE, snapshot.id)).map(({ path }) => path)).toEqual([".gitignore", "sub/b.txt"])
    await store.restore(snapshot.id)
    expect(place.read("a.log")).toBe("x")
  })

  test("a snapshot taken with exclude says so, and a restore without it keeps what was left out", async () => {
    const place = await start()
    place.write("a.log", "x")
    place.write("a.txt", "x")
    const { snapshot } = await (await place.open({ exclude: ["*.log"] })).capture()
    const report = await (await place.open()).restore(snapshot.id)
    expect(report.outcomes).toEqual([expect.objectContaining({ path: "a.log", action: "kept", reason: "was-ignored" })])
    expect(place.read("a.log")).toBe("x")
  })

  test("durability process leaves a marker, and the next power-durable capture takes it away", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const { snapshot } = await (await place.open({ durability: "process" })).capture()
    const markers = (): string[] => place.fs.readdirSync(`${place.gitdir}/unsynced`).map(String)
    expect(markers()).toHaveLength(1)
    place.write("a.txt", "two")
    const store = await place.open({ durability: "power" })
    expect(await store.readFile(snapshot.id, "a.txt")).toEqual(new Uint8Array(Buffer.from("one")))
    await store.capture()
    expect(markers()).toEqual([])
  })
})
