import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { createSnapshot } from "../../src/opencode/index.js"
import { CALLS_BACKENDS, startCalls } from "../support/snapshot-calls.js"

const ABSENT = "0123456789012345678901234567890123456789"
const DAY_MS = 24 * 60 * 60 * 1000

/** Lets the clock stand at a time of the test's own; files, sockets and timers go on. */
function setClock(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: ms })
  onTestFinished(() => void vi.useRealTimers())
}

describe.each(CALLS_BACKENDS)("the snapshots of OpenCode, %s", (backend) => {
  it("a hash stays the same while nothing changes, and comes back with what it names", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const first = await calls.track()
    expect(first).toMatch(/^[0-9a-f]{40}$/)
    expect(await calls.track()).toBe(first)
    place.write("a", "two")
    const second = await calls.track()
    expect(second).not.toBe(first)
    place.write("a", "one")
    expect(await calls.track()).toBe(first)
    expect(place.told).toEqual([])
  })

  it("a capture that fails gives undefined and the error, never an older hash, and the next one goes on", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const first = await calls.track()
    renameSync(join(place.gitdir, "objects"), join(place.scratch, "objects"))
    writeFileSync(join(place.gitdir, "objects"), "")
    place.write("a", "two")
    expect(await calls.track()).toBeUndefined()
    expect(place.told.map(({ call }) => call)).toEqual(["track"])
    rmSync(join(place.gitdir, "objects"))
    renameSync(join(place.scratch, "objects"), join(place.gitdir, "objects"))
    const second = await calls.track()
    expect(second).toMatch(/^[0-9a-f]{40}$/)
    expect(second).not.toBe(first)
  })

  it("switched off, no call gives or touches anything", async () => {
    const place = await startCalls(backend)
    const calls = place.create({ enabled: false, directory: join(place.root, "missing") })
    await calls.init()
    expect(await calls.track()).toBeUndefined()
    expect(await calls.patch(ABSENT)).toEqual({ hash: ABSENT, files: [] })
    await calls.restore(ABSENT)
    await calls.revert([{ hash: ABSENT, files: [join(place.root, "a")] }])
    expect(await calls.diff(ABSENT)).toBe("")
    expect(await calls.diffFull(ABSENT, ABSENT)).toEqual([])
    await calls.cleanup()
    await calls.close()
    expect(await calls.track()).toBeUndefined()
    expect(existsSync(join(place.scratch, "snapshot"))).toBe(false)
    expect(place.told).toEqual([])
  })

  it("a hash that does not exist differs in nothing, and is no failure to ask for", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const hash = (await calls.track()) as string
    place.write("a", "two")
    for (const absent of [ABSENT, "", "latest", "HEAD", "../x", hash.slice(0, 12)]) {
      expect(await calls.patch(absent)).toEqual({ hash: absent, files: [] })
      expect(await calls.diff(absent)).toBe("")
      expect(await calls.diffFull(absent, hash)).toEqual([])
      expect(await calls.diffFull(hash, absent)).toEqual([])
    }
    expect(place.told).toEqual([])
  })

  it("a damaged tree differs in nothing, and that is told", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const hash = (await calls.track()) as string
    await calls.close()
    // A loose object of the same name, and no pack: nothing else holds it.
    rmSync(join(place.gitdir, "objects", "pack"), { recursive: true })
    mkdirSync(join(place.gitdir, "objects", hash.slice(0, 2)), { recursive: true })
    writeFileSync(join(place.gitdir, "objects", hash.slice(0, 2), hash.slice(2)), "damaged")
    const later = place.create()
    expect(await later.patch(hash)).toEqual({ hash, files: [] })
    expect(await later.diff(hash)).toBe("")
    expect(await later.diffFull(hash, hash)).toEqual([])
    expect(place.told.map(({ call, code }) => `${call} ${code}`)).toEqual([
      "patch OBJECT_CORRUPT",
      "diff OBJECT_CORRUPT",
      "diffFull OBJECT_CORRUPT",
    ])
  })

  it("a patch names what was added, changed and deleted by absolute paths, odd names included", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    for (const path of ["same", "changed", "gone", "in/deep/changed"]) place.write(path, "one")
    const hash = (await calls.track()) as string
    const odd = ["back\\slash", "line\nend", 'quo"te', "tab\t", " lead", "né 日本.txt", ":(top)x", "-rf", "*"]
    for (const path of ["changed", "in/deep/changed", "added", ...odd]) place.write(path, "two")
    place.remove("gone")
    const patch = await calls.patch(hash)
    expect(patch.hash).toBe(hash)
    expect([...patch.files].sort()).toEqual(
      ["added", "changed", "gone", "in/deep/changed", ...odd].map((path) => `${place.root}/${path}`).sort(),
    )
    await calls.revert([patch])
    expect(await calls.track()).toBe(hash)
    expect(place.told).toEqual([])
  })

  it("a file that a rule names by now is in no patch and no diff, unless it is gone", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    for (const path of ["build/out", "build/gone", "a"]) place.write(path, "one")
    const before = (await calls.track()) as string
    place.write(".gitignore", "build\n")
    place.remove("build/gone")
    const after = (await calls.track()) as string
    const named = [".gitignore", "build/gone"]
    expect((await calls.patch(before)).files).toEqual(named.map((path) => `${place.root}/${path}`))
    expect((await calls.diffFull(before, after)).map(({ file }) => file)).toEqual(named)
    expect(await calls.diff(before)).not.toContain("build/out")
    expect(place.told).toEqual([])
  })

  it("a restore brings back what was changed and deleted, with its permissions, and keeps what was added", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    for (const path of ["changed", "gone", "secret"]) place.write(path, "one")
    chmodSync(join(place.root, "secret"), 0o600)
    symlinkSync("changed", join(place.root, "link"))
    const hash = (await calls.track()) as string
    place.write("changed", "two")
    place.write("added", "two")
    for (const path of ["gone", "secret", "link"]) place.remove(path)
    await calls.restore(hash)
    expect(["changed", "gone", "secret", "added"].map(place.read)).toEqual(["one", "one", "one", "two"])
    expect(lstatSync(join(place.root, "secret")).mode & 0o777).toBe(0o600)
    expect(lstatSync(join(place.root, "link")).isSymbolicLink()).toBe(true)
    expect(place.told).toEqual([])
  })

  it("a restore tells which paths it could not bring back, and brings back the others", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    for (const path of ["a", "b"]) place.write(path, "one")
    const hash = (await calls.track()) as string
    place.remove("a")
    place.write("a/mine", "two")
    place.write("b", "two")
    await calls.restore(hash)
    expect([place.read("a/mine"), place.read("b")]).toEqual(["two", "one"])
    expect(place.told).toMatchObject([
      { call: "restore", code: "RESTORE_INCOMPLETE", error: { details: { paths: [{ path: "a" }] } } },
    ])
  })

  it("a restore puts a folder back where an added file or link stands, and keeps all else that was added", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    for (const path of ["d/x", "d/deep/y", "e/f/z"]) place.write(path, "one")
    chmodSync(join(place.root, "d/x"), 0o600)
    const hash = (await calls.track()) as string
    place.remove("d")
    place.remove("e/f")
    place.write("d", "mine")
    symlinkSync("../d", join(place.root, "e/f"))
    place.write("e/added", "two")
    await calls.restore(hash)
    expect(["d/x", "d/deep/y", "e/f/z", "e/added"].map(place.read)).toEqual(["one", "one", "one", "two"])
    expect(lstatSync(join(place.root, "d/x")).mode & 0o777).toBe(0o600)
    expect(place.told).toEqual([])
    const store = await place.openStore()
    const [safety] = await store.list({ kind: "safety" })
    expect(Buffer.from((await store.readFile(safety?.id as string, "d")) as Uint8Array).toString()).toBe("mine")
  })

  it("a restore leaves what stands in the way and no safety snapshot holds, or a rule named then, and tells so", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    for (const path of ["d/x", "e/x"]) place.write(path, "one")
    place.write(".gitignore", "/e\n!/e/\n")
    const hash = (await calls.track()) as string
    for (const path of ["d", "e"]) place.remove(path)
    place.write("d", Buffer.alloc(3 << 20))
    place.write("e", "named by a rule then")
    await calls.restore(hash)
    expect([lstatSync(join(place.root, "d")).size, place.read("e")]).toEqual([3 << 20, "named by a rule then"])
    expect(place.told).toMatchObject([
      {
        call: "restore",
        code: "RESTORE_INCOMPLETE",
        error: { details: { paths: [{ path: "d/x" }, { path: "e/x" }] } },
      },
    ])
  })

  it("a restore leaves an added file that stands in the way of nothing but lost content or an empty folder", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    // Two captures, so that the content is in a pack of its own.
    place.write("lost", "to be lost")
    await calls.track()
    const packs = readdirSync(join(place.gitdir, "objects/pack"))
    place.remove("lost")
    place.write("d/x", "to be lost")
    mkdirSync(join(place.root, "empty"))
    const hash = (await calls.track()) as string
    await calls.close()
    for (const path of ["d", "empty"]) place.remove(path)
    for (const path of ["d", "empty"]) place.write(path, "mine")
    for (const name of packs) rmSync(join(place.gitdir, "objects/pack", name))
    await place.create().restore(hash)
    expect(["d", "empty"].map(place.read)).toEqual(["mine", "mine"])
    expect(place.told.map(({ code }) => code)).toContain("OBJECT_MISSING")
  })

  it("a restore to a hash that does not exist touches nothing and tells so", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    await calls.track()
    for (const hash of [ABSENT, "latest"]) await calls.restore(hash)
    expect(place.read("a")).toBe("one")
    expect(place.told.map(({ call, code }) => `${call} ${code}`)).toEqual(["restore NOT_FOUND", "restore NOT_FOUND"])
  })

  it("diffFull gives whole texts, counts and states, and for binaries empty texts", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i}\n`)
    place.write("text", lines.join(""))
    place.write("gone", "one\ntwo\n")
    place.write("binary", Buffer.from([0, 1, 2]))
    place.write("turned", "text\n")
    const from = (await calls.track()) as string
    place.write("text", lines.with(20, "changed\n").join(""))
    place.write("added", "né\n")
    place.write("binary", Buffer.from([0, 3]))
    for (const path of ["gone", "turned"]) place.remove(path)
    symlinkSync("elsewhere", join(place.root, "turned"))
    const to = (await calls.track()) as string
    const diffs = await calls.diffFull(from, to)
    expect(diffs.map((one) => ({ ...one, patch: undefined }))).toEqual([
      { file: "added", before: "", after: "né\n", additions: 1, deletions: 0, status: "added" },
      { file: "binary", before: "", after: "", additions: 0, deletions: 0, status: "modified" },
      { file: "gone", before: "one\ntwo\n", after: "", additions: 0, deletions: 2, status: "deleted" },
      {
        file: "text",
        before: lines.join(""),
        after: lines.with(20, "changed\n").join(""),
        additions: 1,
        deletions: 1,
        status: "modified",
      },
      { file: "turned", before: "text\n", after: "elsewhere", additions: 1, deletions: 1, status: "modified" },
    ])
    const patches = new Map(diffs.map(({ file, patch }) => [file, patch]))
    expect(patches.get("binary")).toBe("")
    expect(patches.get("text")).toContain("@@ -1,40 +1,40 @@")
    expect(await calls.diffFull(from, from)).toEqual([])
  })

  it("calls that are made at once run in their order", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const first = (await calls.track()) as string
    place.write("a", "two")
    const [second, , third, patch] = await Promise.all([
      calls.track(),
      calls.restore(first),
      calls.track(),
      calls.patch(first),
    ])
    expect(second).not.toBe(first)
    expect(third).toBe(first)
    expect(patch.files).toEqual([])
  })

  it("what an agent's session does comes back as it was: track, patch, revert, restore", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("src/a", "one")
    place.write("src/b", "one")
    const start = (await calls.track()) as string
    place.write("src/a", "two")
    place.write("src/new", "two")
    const step1 = await calls.patch(start)
    const middle = (await calls.track()) as string
    place.write("src/a", "three")
    place.remove("src/b")
    const step2 = await calls.patch(middle)
    const reverting = (await calls.track()) as string
    await calls.revert([step1, step2])
    expect(await calls.track()).toBe(start)
    expect(await calls.diff(reverting)).toContain("+one")
    await calls.restore(reverting)
    // What the tree does not have stays, as OpenCode has it.
    expect(["src/a", "src/new", "src/b"].map(place.read)).toEqual(["three", "two", "one"])
    expect(place.told).toEqual([])
  })
})

describe("a folder inside the work tree", () => {
  const names = [
    "pa ck",
    " lead and trail ",
    "[a]",
    "{a,b}",
    "{..,b}",
    "a*b?",
    "!x",
    "(a|b)",
    "@(a)",
    "né 日本 e\u0301",
    "new\nline",
    "back\\slash",
    ".hidden",
    "..a",
    "%20,=;&<>`",
    "__proto__",
  ]
  it.each(names)("limits every call to itself, whatever it is called: %j", async (name) => {
    const place = await startCalls()
    const [inside, beside] = [`${name}/in/.dot`, `${name}x/file`]
    const elsewhere = ["a/file", "b/file", "x/file", "top", "packages/other", beside]
    for (const path of [inside, `${name}/file`, `${name}/old`, ...elsewhere]) place.write(path, "one")
    place.write(`${name}/.gitignore`, "ignored\n")
    place.write(`${name}/ignored`, "one")
    const calls = place.create({ directory: join(place.root, name), worktree: place.root })
    const hash = (await calls.track()) as string
    for (const path of [inside, ...elsewhere, `${name}/ignored`, `${name}/new`, "new"]) place.write(path, "two")
    place.remove(`${name}/old`)
    const changed = [`${name}/in/.dot`, `${name}/new`, `${name}/old`]
    const patch = await calls.patch(hash)
    expect(patch.files).toEqual(changed.map((path) => `${place.root}/${path}`))
    const after = (await calls.track()) as string
    expect((await calls.diffFull(hash, after)).map(({ file }) => file)).toEqual(changed)
    expect((await calls.diff(hash)).match(/^diff --git/gm)).toHaveLength(3)
    await calls.revert([patch])
    expect(await calls.track()).toBe(hash)
    place.write(`${name}/file`, "three")
    await calls.restore(hash)
    expect(place.read(`${name}/file`)).toBe("one")
    expect([...elsewhere, `${name}/ignored`, "new"].map(place.read)).toEqual(
      [...elsewhere, "ignored", "new"].map(() => "two"),
    )
    expect(place.told).toEqual([])
  })

  it("takes nothing of the rest from a tree that holds all of it", async () => {
    const place = await startCalls()
    for (const path of ["sub/a", "top"]) place.write(path, "one")
    const whole = (await place.create().track()) as string
    for (const path of ["sub/a", "top"]) place.write(path, "two")
    const calls = place.create({ directory: join(place.root, "sub"), worktree: place.root })
    expect((await calls.patch(whole)).files).toEqual([`${place.root}/sub/a`])
    expect(await calls.diff(whole)).not.toContain("top")
    await calls.restore(whole)
    expect([place.read("sub/a"), place.read("top")]).toEqual(["one", "two"])
    expect(place.told).toEqual([])
  })

  it("may be given by a link, and so may the work tree: patches name files as they were given", async () => {
    const place = await startCalls()
    place.write("sub/a", "one")
    symlinkSync(place.root, join(place.scratch, "link"))
    const calls = place.create({ worktree: join(place.scratch, "link"), directory: join(place.root, "sub") })
    const hash = (await calls.track()) as string
    place.write("sub/a", "two")
    const patch = await calls.patch(hash)
    expect(patch.files).toEqual([join(place.scratch, "link", "sub/a")])
    await calls.revert([patch])
    expect(place.read("sub/a")).toBe("one")
    place.write("sub/a", "two")
    await calls.revert([{ hash, files: [join(place.root, "sub/a")] }])
    expect(place.read("sub/a")).toBe("one")
  })

  it("has to be in the work tree, and that is told at each call", async () => {
    const place = await startCalls()
    mkdirSync(join(place.scratch, "work-2"))
    const calls = place.create({ worktree: place.root, directory: join(place.scratch, "work-2") })
    expect(await calls.track()).toBeUndefined()
    expect(await calls.diff(ABSENT)).toBe("")
    expect(place.told).toMatchObject([
      { call: "track", code: "INVALID_ARGUMENT", error: { details: { argument: "directory" } } },
      { call: "diff", code: "INVALID_ARGUMENT" },
    ])
    expect(existsSync(place.gitdir)).toBe(false)
  })
})

describe("opening", () => {
  it("refuses options of the wrong form at once", () => {
    const wrong: [object | undefined, string][] = [
      [undefined, "options"],
      [{}, "directory"],
      [{ directory: "" }, "directory"],
      [{ directory: 1 }, "directory"],
      [{ directory: "a\0b" }, "directory"],
      [{ directory: "/a", worktree: "" }, "worktree"],
      [{ directory: "/a", gitdir: "" }, "gitdir"],
      [{ directory: "/a", keepDays: 0 }, "keepDays"],
      [{ directory: "/a", keepDays: Number.NaN }, "keepDays"],
    ]
    for (const [options, argument] of wrong)
      expect(() => createSnapshot(options as never)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", details: { argument } }),
      )
  })

  it("a folder that is not there is told, and found by the next call once it is", async () => {
    const place = await startCalls()
    const directory = join(place.root, "later")
    const calls = place.create({ directory })
    expect(await calls.track()).toBeUndefined()
    expect(place.told).toMatchObject([
      { call: "track", code: "WORKTREE_MISSING", error: { details: { path: directory } } },
    ])
    place.write("later/a", "one")
    expect(await calls.track()).toMatch(/^[0-9a-f]{40}$/)
    expect(place.told).toHaveLength(1)
  })

  it("a file is no folder to take snapshots of", async () => {
    const place = await startCalls()
    place.write("a", "one")
    expect(await place.create({ directory: join(place.root, "a") }).track()).toBeUndefined()
    expect(place.told).toMatchObject([{ code: "WORKTREE_MISSING" }])
  })

  it("the root of the system is refused", async () => {
    const place = await startCalls()
    expect(await place.create({ directory: place.root, worktree: "/" }).track()).toBeUndefined()
    expect(place.told).toMatchObject([{ call: "track", code: "ROOT_REFUSED" }])
  })

  it("what onError throws is dropped, and without it failures go by", async () => {
    const place = await startCalls()
    const throwing = place.create({
      directory: join(place.root, "missing"),
      onError: () => {
        throw new Error("from the listener")
      },
    })
    expect(await throwing.track()).toBeUndefined()
    const silent = createSnapshot({ directory: join(place.root, "missing"), gitdir: place.gitdir })
    expect(await silent.track()).toBeUndefined()
    await silent.close()
  })

  it("closing ends what was called, may come twice, and what was ended and later calls tell of CLOSED", async () => {
    const place = await startCalls()
    const calls = place.create()
    place.write("a", "one")
    const hash = (await calls.track()) as string
    place.write("a", "two")
    const tracked = calls.track()
    await Promise.all([calls.close(), calls.close()])
    expect(await tracked).toBeUndefined()
    expect(await calls.track()).toBeUndefined()
    expect((await calls.patch(hash)).files).toEqual([])
    await calls.cleanup()
    expect(place.told.map(({ call, code }) => `${call} ${code}`)).toEqual([
      "track CLOSED",
      "track CLOSED",
      "patch CLOSED",
      "cleanup CLOSED",
    ])
    await place.create()[Symbol.asyncDispose]()
  })
})

describe("cleaning up", () => {
  it("init touches nothing and does not keep the process alive; a minute later the first one runs, then one an hour", async () => {
    const place = await startCalls()
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
    const before = timers()
    const real = place.create()
    void real.init()
    expect(timers()).toBe(before)
    await real.close()

    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    onTestFinished(() => void vi.useRealTimers())
    const calls = place.create()
    await place.create({ enabled: false }).init()
    expect(vi.getTimerCount()).toBe(0)
    const runs: number[] = []
    calls.cleanup = async () => void runs.push(vi.getTimerCount())
    await calls.init()
    await calls.init()
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(59_000)
    expect(runs).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(runs).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2 * 60 * 60 * 1000)
    expect(runs).toHaveLength(3)
    await calls.close()
    expect(vi.getTimerCount()).toBe(0)
    await calls.init()
    expect(vi.getTimerCount()).toBe(0)
    expect(existsSync(place.gitdir)).toBe(false)
  })

  it("makes no gitdir where there is none", async () => {
    const place = await startCalls()
    await place.create().cleanup()
    expect(existsSync(place.gitdir)).toBe(false)
    expect(place.told).toEqual([])
  })

  it("keeps for seven days what was asked for, even when it was stored long before", async () => {
    const place = await startCalls()
    const start = Date.now()
    const calls = place.create()
    place.write("a", "never asked for again")
    const forgotten = (await calls.track()) as string
    place.write("a", "one")
    const first = (await calls.track()) as string
    setClock(start + 20 * DAY_MS)
    expect(await calls.track()).toBe(first)
    place.write("a", "two")
    const second = (await calls.track()) as string
    setClock(start + 27 * DAY_MS)
    await calls.cleanup()
    expect((await calls.diffFull(first, second)).map(({ file }) => file)).toEqual(["a"])
    expect(await place.create().diffFull(forgotten, second)).toEqual([])
    setClock(start + 28 * DAY_MS)
    place.write("a", "three")
    await calls.track()
    await calls.cleanup()
    expect(await place.create().diffFull(first, second)).toEqual([])
    expect(place.told).toEqual([])
  })

  it("keeps what it was told to keep though many captures come, which nothing else lets go", async () => {
    const place = await startCalls()
    const start = Date.now()
    const calls = place.create({ keepDays: 30, durability: "process" })
    setClock(start - 20 * DAY_MS)
    const old: string[] = []
    for (let i = 0; i < 3; i++) {
      place.write("a", `old ${i}`)
      old.push((await calls.track()) as string)
    }
    setClock(start)
    for (let i = 0; i < 55; i++) {
      place.write("a", `new ${i}`)
      await calls.track()
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    await calls.cleanup()
    for (const hash of old.slice(1)) expect(await place.create().diffFull(old[0] as string, hash)).toHaveLength(1)
    expect(place.told).toEqual([])
  })

  it("keeps as many days as it is told", async () => {
    const place = await startCalls()
    const start = Date.now()
    const calls = place.create({ keepDays: 2 })
    place.write("a", "one")
    const first = (await calls.track()) as string
    place.write("a", "two")
    const second = (await calls.track()) as string
    setClock(start + 2 * DAY_MS)
    await calls.cleanup()
    expect(await calls.diffFull(first, second)).toHaveLength(1)
    setClock(start + 3 * DAY_MS)
    await calls.cleanup()
    expect(await place.create().diffFull(first, second)).toEqual([])
    expect(place.told).toEqual([])
  })
})
