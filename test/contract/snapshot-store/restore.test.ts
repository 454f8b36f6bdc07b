import { describe, expect, test } from "vitest"
import type { Outcome, Progress, RestorePlan } from "../../../src/index.js"
import type { FileSystem } from "../../../src/core/file-system.js"
import { EMPTY_TREE, type Oid } from "../../../src/core/oid.js"
import { flipped, overwrite, packsOf, writeLoose, writeSnapshot, writeTree } from "../../support/damage.js"
import { faultyFileSystem, type Fault } from "../../support/faulty-file-system.js"
import { BACKENDS, expectError } from "../../support/store-under-test.js"

describe.each(BACKENDS)("plan, apply and restore on $name", ({ start }) => {
  test("a restore gives files, links, bits and empty folders back exactly, and says what it did to each path", async () => {
    const place = await start()
    place.write("deleted", "one")
    place.write("modified", "one", 0o600)
    place.write("script", "#!/bin/sh\n", 0o755)
    place.write("same", "same")
    place.write("sub/deep/file", "one")
    place.link("link", "same")
    place.folder("empty", 0o700)
    const store = await place.open()
    const { snapshot } = await store.capture()
    const then = place.content()
    place.remove("deleted")
    place.write("modified", "two", 0o644)
    place.write("script", "#!/bin/sh\n", 0o644)
    place.remove("sub")
    place.remove("link")
    place.link("link", "elsewhere")
    place.remove("empty")
    place.write("added", "new")
    place.write("newfolder/added", "new")
    const report = await store.restore(snapshot.id)
    expect(place.content()).toEqual(then)
    expect(report.complete).toBe(true)
    expect(report.outcomes.map(({ path, action }) => [path, action])).toEqual([
      ["added", "deleted"],
      ["deleted", "written"],
      ["empty", "written"],
      ["link", "written"],
      ["modified", "written"],
      ["newfolder/added", "deleted"],
      ["script", "written"],
      ["sub/deep/file", "written"],
    ])
    for (const { ours, theirs, path } of report.outcomes) expect(ours ?? theirs, path).toMatch(/^[0-9a-f]{40}$/)
    expect(place.leftovers()).toEqual([])
  })

  test("before a restore touches anything, a safety snapshot holds what was there, and leads back", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const store = await place.open()
    const first = await store.capture()
    place.write("a.txt", "never captured")
    place.write("added", "never captured either", 0o600)
    place.folder("empty")
    const before = place.content()
    const { undo } = await store.restore(first.snapshot.id)
    expect(undo).toMatchObject({ kind: "safety", previous: first.snapshot.id, complete: true })
    expect(await store.list()).toEqual([first.snapshot])
    expect(await store.list({ kind: "safety" })).toEqual([undo])
    await store.restore(undo?.id ?? "")
    expect(place.content()).toEqual(before)
  })

  test("a restore of what is there already does nothing and makes no safety snapshot", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    expect(await store.restore(snapshot.id)).toEqual({ outcomes: [], complete: true })
    expect(await store.list({ kind: "all" })).toEqual([snapshot])
    expect(await store.restore(snapshot.id, { paths: ["none"] })).toEqual({ outcomes: [], complete: true })
  })

  test("plan says what a restore would do, touches neither work tree nor store, and apply does that", async () => {
    const place = await start()
    place.write("a.txt", "one")
    place.write("gone", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a.txt", "two")
    place.remove("gone")
    place.write("added", "new")
    const [work, stored] = [place.content(), place.stored()]
    const plan = await store.plan({ to: "latest" })
    expect([place.content(), place.stored()]).toEqual([work, stored])
    expect(plan).toMatchObject({ target: { to: "latest" }, tree: snapshot.tree, keeps: [] })
    expect(plan.writes.map(({ path, before }) => [path, before === undefined])).toEqual([
      ["a.txt", false],
      ["gone", true],
    ])
    expect(plan.deletes.map(({ path }) => path)).toEqual(["added"])
    // A plan is plain JSON.
    const report = await store.apply(JSON.parse(JSON.stringify(plan)) as RestorePlan)
    expect(report.undo?.tree).toBe(plan.base)
    expect(report.outcomes.map(({ path, action }) => [path, action])).toEqual([
      ["a.txt", "written"],
      ["added", "deleted"],
      ["gone", "written"],
    ])
    expect((await store.changes(snapshot.id)).length).toBe(0)
  })

  test("apply keeps every path that is no longer what the plan saw, and does the rest", async () => {
    const place = await start()
    for (const path of ["a", "b", "c", "d"]) place.write(path, "one")
    const store = await place.open()
    await store.capture()
    for (const path of ["a", "b", "new", "other"]) place.write(path, "two")
    place.remove("c")
    place.remove("d")
    const plan = await store.plan({ to: "latest" })
    place.write("a", "three")
    place.write("c", "three")
    place.write("new", "three")
    const report = await store.apply(plan)
    const kept = report.outcomes.filter(({ action }) => action === "kept")
    expect(kept.map(({ path, reason }) => [path, reason])).toEqual([
      ["a", "conflict"],
      ["c", "conflict"],
      ["new", "conflict"],
    ])
    expect(report.complete).toBe(false)
    const texts = ["a", "b", "c", "d", "new", "other"].map((path) => place.read(path))
    expect(texts).toEqual(["three", "one", "three", "one", "three", undefined])
  })

  test("a plan with nothing to do is applied as nothing", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    expect(await store.apply(await store.plan({ to: snapshot.id }))).toEqual({ outcomes: [], complete: true })
    expect(await store.list({ kind: "all" })).toHaveLength(1)
  })

  test("paths and globs limit a restore to what they name", async () => {
    const place = await start()
    for (const path of ["src/a.ts", "src/b.js", "top"]) place.write(path, "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    for (const path of ["src/a.ts", "src/b.js", "top", "src/new.ts", "new"]) place.write(path, "two")
    const texts = (): unknown[] => ["src/a.ts", "src/b.js", "top", "src/new.ts", "new"].map((path) => place.read(path))
    await store.restore(snapshot.id, { globs: ["**/*.ts"] })
    expect(texts()).toEqual(["one", "two", "two", undefined, "two"])
    await store.restore(snapshot.id, { paths: ["src", "new"] })
    expect(texts()).toEqual(["one", "one", "two", undefined, undefined])
    await expectError(store.restore(snapshot.id, { paths: ["../x"] }), "INVALID_ARGUMENT", { argument: "paths" })
    await expectError(store.plan({ to: "latest" }, { globs: [""] }), "INVALID_ARGUMENT", { argument: "globs" })
  })

  test("what was added since is kept, and told, with added: keep", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    await store.capture()
    place.write("a", "two")
    place.write("added", "new")
    const report = await store.restore("latest", { added: "keep" })
    expect(report.outcomes.map(({ path, action, reason }) => [path, action, reason])).toEqual([
      ["a", "written", undefined],
      ["added", "kept", "added"],
    ])
    expect(report.complete).toBe(true)
    expect(place.read("added")).toBe("new")
    await expectError(store.restore("latest", { added: "maybe" as never }), "INVALID_ARGUMENT", { argument: "added" })
  })

  test("a bare tree is no evidence, so nothing is deleted for it", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two")
    place.write("added", "new")
    const report = await store.restore(snapshot.tree)
    expect(place.read("a")).toBe("one")
    expect(report.outcomes).toContainEqual(expect.objectContaining({ path: "added", action: "kept", reason: "added" }))
  })

  test("what is ignored now or was then, was skipped, or is special is kept, each with its reason", async () => {
    const place = await start()
    place.write(".gitignore", "then.log\n")
    place.write("now.log", "one")
    place.write("large", "123456789")
    place.write("plain", "one")
    const store = await place.open({ newFileLimitBytes: 8 * 2 })
    place.write("large", "1".repeat(17))
    const { snapshot } = await store.capture()
    place.write(".gitignore", "now.log\nadded.log\n")
    place.write("then.log", "two")
    place.write("now.log", "two")
    place.write("added.log", "two")
    place.write("large", "small")
    const report = await store.restore(snapshot.id)
    const told = Object.fromEntries(report.outcomes.map(({ path, action, reason }) => [path, `${action} ${reason}`]))
    expect(told).toEqual({
      ".gitignore": "written undefined",
      large: "kept was-skipped",
      "now.log": "kept ignored",
      "then.log": "kept was-ignored",
    })
    expect(["then.log", "now.log", "added.log", "large"].map((path) => place.read(path))).toEqual([
      "two",
      "two",
      "two",
      "small",
    ])
  })

  test("a file now that the system refuses to read is kept as unreadable, and never overwritten", async () => {
    const place = await start()
    place.write("secret", "one")
    place.write("good", "one")
    const { snapshot } = await (await place.open()).capture()
    place.write("secret", "two")
    place.write("good", "two")
    const refused = { call: 1, kind: "open", path: "/secret", how: "fail", errno: "EACCES" } as const
    const store = await place.openOn((inner) => faultyFileSystem(inner, [refused]))
    const report = await store.restore(snapshot.id)
    expect(report.outcomes.map(({ path, action, reason }) => [path, action, reason])).toEqual([
      ["good", "written", undefined],
      ["secret", "kept", "unreadable"],
    ])
    expect(place.read("secret")).toBe("two")
  })

  test("a file, a folder and a link take each other's place, both ways", async () => {
    const place = await start()
    place.write("file-folder", "one")
    place.write("folder-file/in/deep", "one")
    place.write("folder-link/in", "one")
    place.link("link-folder", "nowhere")
    place.write("file-link", "one")
    place.link("link-file", "nowhere")
    const store = await place.open()
    const { snapshot } = await store.capture()
    const then = place.content()
    for (const path of ["file-folder", "folder-file", "folder-link", "link-folder", "file-link", "link-file"])
      place.remove(path)
    place.write("file-folder/in/deep", "two")
    place.write("folder-file", "two")
    place.link("folder-link", "file-folder")
    place.write("link-folder/in", "two")
    place.link("file-link", "folder-file")
    place.write("link-file", "two")
    const now = place.content()
    const { undo, complete } = await store.restore(snapshot.id)
    expect(complete).toBe(true)
    expect(place.content()).toEqual(then)
    expect((await store.restore(undo?.id ?? "")).complete).toBe(true)
    expect(place.content()).toEqual(now)
  })

  test("a folder that holds something kept stays, and what was to take its place is told as kept", async () => {
    const place = await start()
    place.write("spot", "a file")
    const store = await place.open({ exclude: ["*.log"] })
    const { snapshot } = await store.capture()
    place.remove("spot")
    place.write("spot/kept.log", "x")
    place.write("spot/added", "x")
    const report = await store.restore(snapshot.id)
    expect(report.outcomes.find(({ path }) => path === "spot")).toMatchObject({ action: "kept", reason: "ignored" })
    expect(place.read("spot/kept.log")).toBe("x")
  })

  test("folders that a restore empties go, unless the target has them", async () => {
    const place = await start()
    place.folder("empty")
    place.write("full/file", "x")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("empty/added", "x")
    place.write("full/added/deep/file", "x")
    place.write("new/deep/added", "x")
    place.folder("new-empty/deep")
    const report = await store.restore(snapshot.id)
    expect(report.complete).toBe(true)
    expect(Object.keys(place.content())).toEqual(["empty", "full", "full/file"])
  })

  test("a snapshot of another workspace is refused for restore and plan, and can be read", async () => {
    const place = await start()
    place.write("a", "one")
    place.fs.mkdirSync(`${place.scratch}/other`)
    const one = await place.open({ workspace: "one" })
    const two = await place.open({ workspace: "two", worktree: `${place.scratch}/other` })
    const { snapshot } = await one.capture()
    const details = { expected: "two", found: "one" }
    await expectError(two.restore(snapshot.id), "WRONG_WORKSPACE", details)
    await expectError(two.plan({ to: snapshot.ref }), "WRONG_WORKSPACE", details)
    await expectError(two.apply(await one.plan({ to: snapshot.id })), "WRONG_WORKSPACE", details)
    expect(place.fs.readdirSync(`${place.scratch}/other`)).toEqual([])
    expect((await two.changes(snapshot.id)).map(({ path }) => path)).toEqual(["a"])
    expect(await two.readFile(snapshot.id, "a")).toEqual(new Uint8Array(Buffer.from("one")))
  })

  test("a tree from elsewhere that names .git, climbs or hides is PATH_UNSAFE, and nothing is written", async () => {
    const place = await start()
    const store = await place.open()
    const blob = writeLoose(place, "blob", Buffer.from("evil"))
    const file = (name: string): { mode: "100644"; name: string; oid: Oid } => ({ mode: "100644", name, oid: blob })
    for (const name of [".git", ".GIT", "git~1", "..", ".git ", `.treeshot-${"0".repeat(32)}`]) {
      const tree = writeTree(place, [file(name), file("good")])
      const id = writeSnapshot(place, store.workspace, tree, {
        nonce: Buffer.from(name).toString("hex").padEnd(16, "0").slice(0, 16),
      })
      await expectError(store.restore(id), "PATH_UNSAFE", { path: name })
      await expectError(store.plan({ to: id }), "PATH_UNSAFE", { path: name })
      expect(place.content()).toEqual({})
      // The other paths can be had by their names.
      expect((await store.restore(id, { paths: ["good"], added: "keep" })).complete).toBe(true)
      expect(place.read("good")).toBe("evil")
      place.remove("good")
    }
    const nested = writeTree(place, [{ mode: "40000", name: ".git", oid: writeTree(place, [file("config")]) }])
    await expectError(store.restore(nested), "PATH_UNSAFE", { path: ".git/config" })
  })

  test("what is no plan of this store is INVALID_ARGUMENT, and changes nothing", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two")
    const plan = await store.plan({ to: snapshot.id })
    const [write] = plan.writes
    if (write?.before === undefined || write.after === undefined) throw new Error("the plan writes a file")
    const bad: unknown[] = [
      null,
      undefined,
      "latest",
      {},
      { ...plan, writes: undefined },
      { ...plan, writes: [null] },
      { ...plan, keeps: [null] },
      { ...plan, target: undefined },
      { ...plan, target: { to: 7 } },
      { ...plan, tree: EMPTY_TREE },
      { ...plan, writes: [{ ...write, path: "../outside" }] },
      { ...plan, writes: [{ ...write, path: "/etc/passwd" }] },
      { ...plan, writes: [{ ...write, path: "" }] },
      { ...plan, writes: [{ ...write, path: "a/" }] },
      { ...plan, writes: [{ path: "a", before: write.before }] },
      { ...plan, writes: [{ ...write, after: { ...write.after, oid: "../../x" } }] },
      { ...plan, writes: [{ ...write, after: { ...write.after, mode: "160000" } }] },
      { ...plan, writes: [{ ...write, after: null }] },
      { ...plan, deletes: [{ path: "a" }] },
    ]
    for (const made of bad) {
      const error: unknown = await store.apply(made as RestorePlan).catch((reason: unknown) => reason)
      expect(error, JSON.stringify(made)).toMatchObject({ name: "SnapshotError", code: "INVALID_ARGUMENT" })
    }
    const unsafe = { ...plan, writes: [{ ...write, path: ".git/hooks/x" }] }
    await expectError(store.apply(unsafe), "PATH_UNSAFE", { path: ".git/hooks/x" })
    for (const target of [null, "latest", {}, { to: "" }])
      await expect(store.plan(target as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" })
    expect(place.read("a")).toBe("two")
    expect(await store.list({ kind: "all" })).toHaveLength(1)
  })

  test("a plan whose revision means another snapshot by now is refused", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    await store.capture()
    place.write("a", "two")
    const plan = await store.plan({ to: "latest" })
    await store.capture()
    await expectError(store.apply(plan), "INVALID_ARGUMENT", { argument: "plan" })
    expect(place.read("a")).toBe("two")
  })

  test("a plan whose contents are not those of the target's tree is refused", async () => {
    const place = await start()
    place.write("a", "one")
    place.write("b", "other")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two")
    const plan = await store.plan({ to: snapshot.id })
    expect(plan.writes).toHaveLength(1)
    const missing = {
      ...plan,
      writes: plan.writes.map((write) => ({ ...write, after: { mode: "100644", oid: "1".repeat(40) } as const })),
    }
    await expect(store.apply(missing)).rejects.toMatchObject({ name: "SnapshotError" })
    expect(place.read("a")).toBe("two")
    expect(place.leftovers()).toEqual([])
  })

  test("an object that is missing or damaged fails the restore with its code, and nothing was touched", async () => {
    const place = await start()
    place.write("a", "x".repeat(1000))
    const first = await place.open()
    const { snapshot } = await first.capture()
    await first.close()
    place.write("a", "two")
    place.write("added", "new")
    const before = place.content()
    const [pack] = packsOf(place) as [string]
    overwrite(place, `${pack}.pack`, (bytes) => flipped(bytes, 20))
    const store = await place.open()
    const error: unknown = await store.restore(snapshot.id).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "OBJECT_CORRUPT", details: { oid: expect.stringMatching(/^[0-9a-f]{40}$/) } })
    expect(place.content()).toEqual(before)
    const tree = writeTree(place, [{ mode: "100644", name: "a", oid: "1".repeat(40) as Oid }])
    const gone = writeSnapshot(place, store.workspace, tree, { createdMs: 1 })
    await expectError(store.restore(gone), "OBJECT_MISSING", { oid: "1".repeat(40) })
    expect(place.content()).toEqual(before)
    expect(place.leftovers()).toEqual([])
  })

  test("an abort in the middle takes everything back, and rejects with the signal's reason", async () => {
    const place = await start()
    for (let i = 0; i < 10; i++) place.write(`file-${i}`, "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    for (let i = 0; i < 10; i++) place.write(`file-${i}`, "two")
    place.remove("file-9")
    place.write("added", "new")
    const before = place.content()
    const reason = new Error("enough")
    for (const phase of ["scan", "stage", "write", "delete"]) {
      const controller = new AbortController()
      const onProgress = (progress: Progress): void => void (progress.phase === phase && controller.abort(reason))
      const restored = store.restore(snapshot.id, { signal: controller.signal, onProgress })
      // The last delete is the end of the work: there is nothing left to abort.
      if (phase !== "delete") await expect(restored, phase).rejects.toBe(reason)
      else expect((await restored).complete).toBe(true)
      if (phase !== "delete") expect(place.content(), phase).toEqual(before)
      expect(place.leftovers()).toEqual([])
    }
    await expect(store.plan({ to: "latest" }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(store.restore("latest", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test("progress tells of staging and writing, each with its total", async () => {
    const place = await start()
    for (let i = 0; i < 4; i++) place.write(`file-${i}`, "one")
    const store = await place.open()
    await store.capture()
    for (let i = 0; i < 4; i++) place.write(`file-${i}`, "two")
    const told: Progress[] = []
    await store.restore("latest", { onProgress: (progress) => void told.push(progress) })
    for (const phase of ["stage", "write"])
      expect(told.filter((one) => one.phase === phase)).toEqual([1, 2, 3, 4].map((done) => ({ phase, done, total: 4 })))
  })

  test("a file that something holds open for a moment is replaced and deleted when it is let go", async () => {
    const place = await start()
    place.write("folder/held", "one")
    const { snapshot } = await (await place.open()).capture()
    place.write("folder/held", "two")
    place.write("folder/added", "new")
    const store = await place.openOn((inner) => faultyFileSystem(inner, busyFor(3, inner)))
    expect(await store.restore(snapshot.id)).toMatchObject({ complete: true })
    expect([place.read("folder/held"), place.read("folder/added")]).toEqual(["one", undefined])
    expect(Object.keys(place.content()).filter((path) => path.includes(".treeshot-"))).toEqual([])
  })

  test("a failure of one path is its outcome, nothing is deleted then, and complete is false", async () => {
    const place = await start()
    place.write("folder/bad", "one")
    place.write("good", "one")
    const { snapshot } = await (await place.open()).capture()
    place.write("folder/bad", "two")
    place.write("good", "two")
    place.write("added", "new")
    const store = await place.openOn((inner) => faultyFileSystem(inner, busyFor(TRIES, inner)))
    const report = await store.restore(snapshot.id)
    const of = (path: string): Outcome | undefined => report.outcomes.find((outcome) => outcome.path === path)
    expect(of("folder/bad")).toMatchObject({ action: "failed", reason: "EBUSY" })
    expect(of("good")).toMatchObject({ action: "written" })
    expect(of("added")).toMatchObject({ action: "kept", reason: "write-failed" })
    expect(report.complete).toBe(false)
    expect(["folder/bad", "good", "added"].map((path) => place.read(path))).toEqual(["two", "one", "new"])
    expect(Object.keys(place.content()).filter((path) => path.includes(".treeshot-"))).toEqual([])
  })

  test("a full disk is NO_SPACE before anything is touched", async () => {
    const place = await start()
    place.write("a", "one")
    place.write("b", "one")
    const { snapshot } = await (await place.open()).capture()
    place.write("a", "two")
    place.write("b", "two")
    const before = place.content()
    const full = { call: 2, kind: "file.write", path: "/.treeshot-", how: "short", errno: "ENOSPC" } as const
    const store = await place.openOn((inner) => faultyFileSystem(inner, [full]))
    await expect(store.restore(snapshot.id)).rejects.toMatchObject({ code: "NO_SPACE", details: { errno: "ENOSPC" } })
    expect(place.content()).toEqual(before)
    expect(place.leftovers()).toEqual([])
  })

  test("what a restore wrote stays tracked: the next capture takes it, whatever its size", async () => {
    const place = await start()
    place.write("grew", "1234")
    const store = await place.open({ newFileLimitBytes: 8 })
    await store.capture()
    place.write("grew", "0123456789")
    const { snapshot } = await store.capture()
    place.remove("grew")
    await store.capture()
    await store.restore(snapshot.id)
    const after = await store.capture()
    expect([after.snapshot.tree, after.skipped]).toEqual([snapshot.tree, []])
  })

  test("restores and captures of one store may overlap, and the tree is one of the targets in the end", async () => {
    const place = await start()
    for (let i = 0; i < 5; i++) place.write(`file-${i}`, "one")
    const store = await place.open()
    const one = await store.capture()
    const contents = [place.content()]
    for (let i = 0; i < 5; i++) place.write(`file-${i}`, "two")
    const two = await store.capture()
    contents.push(place.content())
    const targets = [one, two, one, two].map(({ snapshot }) => snapshot.id)
    const reports = await Promise.all([
      ...targets.map((id) => store.restore(id)),
      store.capture({ label: "between" }).then(() => ({ complete: true })),
    ])
    expect(reports.map(({ complete }) => complete)).toEqual([true, true, true, true, true])
    expect(place.content()).toEqual(contents[1])
    expect(place.leftovers()).toEqual([])
  })
})

/** The first file that is moved aside cannot be for so many calls. */
function busyFor(calls: number, { traits }: FileSystem): Fault[] {
  // On Linux folders go by their handles.
  const path = traits.folderHandles ? "/.treeshot-" : "/folder/"
  return Array.from({ length: calls }, (_, i) => ({ call: i + 1, kind: "rename", path, how: "fail", errno: "EBUSY" }))
}

/** So often is tried what something holds open. */
const TRIES = 7
