import { describe, expect, test } from "vitest"
import type { SnapshotStore } from "../../../src/index.js"
import { flipped, overwrite, packsOf } from "../../support/damage.js"
import { faultyFileSystem } from "../../support/faulty-file-system.js"
import { BACKENDS, expectError, type StoreUnderTest } from "../../support/store-under-test.js"

const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

describe.each(BACKENDS)("changes, diff, patch and readFile on $name", ({ start }) => {
  /** Two snapshots with one change of each kind. */
  async function twoSnapshots(): Promise<{ place: StoreUnderTest; store: SnapshotStore; one: string; two: string }> {
    const place = await start()
    place.write("deleted", "gone\n")
    place.write("mode", "same\n")
    place.write("modified", "first\nsecond\nthird\n")
    place.write("same", "same\n")
    place.write("sub/turns", "a file\n")
    place.write("binary", new Uint8Array([0, 1, 2]))
    place.link("link", "here")
    const store = await place.open()
    const one = (await store.capture()).snapshot.id
    place.remove("deleted")
    place.write("mode", "same\n", 0o755)
    place.write("modified", "first\n2nd\nthird\nfourth")
    place.remove("sub/turns")
    place.link("sub/turns", "a link")
    place.write("binary", new Uint8Array([0, 1, 3]))
    place.remove("link")
    place.link("link", "there")
    place.write("added", "new\n")
    const two = (await store.capture()).snapshot.id
    return { place, store, one, two }
  }

  test("changes tells each path that differs once, sorted, with its status and both versions", async () => {
    const { store, one, two } = await twoSnapshots()
    const changes = await store.changes(one, two)
    expect(changes.map(({ path, status }) => [path, status])).toEqual([
      ["added", "added"],
      ["binary", "modified"],
      ["deleted", "deleted"],
      ["link", "modified"],
      ["mode", "modified"],
      ["modified", "modified"],
      ["sub/turns", "typechange"],
    ])
    const [added, , deleted, link, mode, modified, turns] = changes
    expect(added).not.toHaveProperty("before")
    expect(deleted).not.toHaveProperty("after")
    expect([link?.before?.mode, link?.after?.mode]).toEqual(["120000", "120000"])
    expect(mode).toMatchObject({ before: { mode: "100644" }, after: { mode: "100755", oid: mode?.before?.oid } })
    expect(modified?.before?.oid).not.toBe(modified?.after?.oid)
    expect([turns?.before?.mode, turns?.after?.mode]).toEqual(["100644", "120000"])
    const back = await store.changes(two, one)
    expect(back.map(({ path, before, after }) => ({ path, before: after, after: before }))).toEqual(
      changes.map(({ path, before, after }) => ({ path, before, after })),
    )
    expect(await store.changes(one, one)).toEqual([])
  })

  test("the work tree is what a revision is compared with unless another is given, and it need not be captured", async () => {
    const { place, store, one, two } = await twoSnapshots()
    expect(await store.changes(one)).toEqual(await store.changes(one, two))
    expect(await store.changes(one, "worktree")).toEqual(await store.changes(one, two))
    expect(await store.diff(one)).toEqual(await store.diff(one, two))
    expect(await store.patch(one)).toEqual(await store.patch(one, two))
    const before = place.stored()
    place.write("same", "different\n")
    expect((await store.changes(two)).map(({ path }) => path)).toEqual(["same"])
    expect(place.stored()).toEqual(before)
  })

  test("diff counts lines, tells binaries, and has the patch of each file", async () => {
    const { store, one, two } = await twoSnapshots()
    const diffs = await store.diff(one, two)
    const counts = diffs.map(({ path, additions, deletions, binary }) => [path, additions, deletions, binary])
    expect(counts).toEqual([
      ["added", 1, 0, false],
      ["binary", 0, 0, true],
      ["deleted", 0, 1, false],
      ["link", 1, 1, false],
      ["mode", 0, 0, false],
      ["modified", 2, 1, false],
      ["sub/turns", 1, 1, false],
    ])
    expect(diffs.map(({ path, status, before, after }) => ({ path, status, before, after }))).toEqual(
      (await store.changes(one, two)).map(({ path, status, before, after }) => ({ path, status, before, after })),
    )
    const modified = diffs.find(({ path }) => path === "modified")?.patch.split("\n") ?? []
    expect(modified).toEqual([
      "diff --git a/modified b/modified",
      expect.stringMatching(/^index [0-9a-f]{40}\.\.[0-9a-f]{40} 100644$/),
      "--- a/modified",
      "+++ b/modified",
      "@@ -1,3 +1,4 @@",
      " first",
      "-second",
      "+2nd",
      " third",
      "+fourth",
      "\\ No newline at end of file",
      "",
    ])
    expect(diffs.find(({ path }) => path === "mode")?.patch).toMatch(/old mode 100644\nnew mode 100755\n/)
  })

  test("patch is the patches of all files in one, with bytes that are no UTF-8 exact and binaries whole", async () => {
    const { store, one, two, place } = await twoSnapshots()
    const patch = Buffer.from(await store.patch(one, two)).toString("latin1")
    const order = [...patch.matchAll(/^diff --git a\/(\S+) /gm)].map(([, path]) => path)
    expect([...new Set(order)]).toEqual(["added", "binary", "deleted", "link", "mode", "modified", "sub/turns"])
    expect(patch).toContain("GIT binary patch\n")
    place.write("modified", Buffer.from("caf\xe9\n", "latin1"))
    const latin = Buffer.from(await store.patch(two, "worktree", { paths: ["modified"] }))
    expect(latin.toString("latin1")).toContain("\n+caf\xe9\n")
    const [shown] = await store.diff(two, "worktree", { paths: ["modified"] })
    expect(shown?.patch).toContain("\n+caf\ufffd\n")
    expect(await store.patch(two, two)).toEqual(new Uint8Array())
  })

  test("context is the number of lines around a change", async () => {
    const place = await start()
    const lines = Array.from({ length: 20 }, (_, i) => `line ${i}\n`)
    place.write("a.txt", lines.join(""))
    const store = await place.open()
    await store.capture()
    place.write("a.txt", lines.with(10, "changed\n").join(""))
    const hunk = async (context?: number): Promise<string | undefined> => {
      const [diff] = await store.diff("latest", "worktree", context === undefined ? {} : { context })
      return /^@@ (.*) @@/m.exec(diff?.patch ?? "")?.[1]
    }
    expect(await hunk()).toBe("-8,7 +8,7")
    expect(await hunk(0)).toBe("-11 +11")
    expect(await hunk(1)).toBe("-10,3 +10,3")
    expect(await hunk(100)).toBe("-1,20 +1,20")
    for (const context of [-1, 0.5, Number.NaN])
      await expectError(store.diff("latest", "worktree", { context }), "INVALID_ARGUMENT", { argument: "context" })
  })

  test("paths are literal files and folders, globs are patterns, and a path counts when either names it", async () => {
    const place = await start()
    const paths = ["a*b", "ab", "sub/x.ts", "sub/deep/y.ts", "sub/z.js", "subway", "top.ts"]
    for (const path of paths) place.write(path, "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    const filtered = async (options: Parameters<typeof store.changes>[2]): Promise<string[]> =>
      (await store.changes(EMPTY_TREE, snapshot.id, options)).map(({ path }) => path)
    expect(await filtered({ paths: ["a*b"] })).toEqual(["a*b"])
    expect(await filtered({ paths: ["sub"] })).toEqual(["sub/deep/y.ts", "sub/x.ts", "sub/z.js"])
    expect(await filtered({ paths: ["./sub/deep/"] })).toEqual(["sub/deep/y.ts"])
    expect(await filtered({ globs: ["a*b"] })).toEqual(["a*b", "ab"])
    expect(await filtered({ globs: ["**/*.ts"] })).toEqual(["sub/deep/y.ts", "sub/x.ts", "top.ts"])
    expect(await filtered({ globs: ["*.ts"] })).toEqual(["top.ts"])
    expect(await filtered({ paths: ["ab"], globs: ["sub/*.js"] })).toEqual(["ab", "sub/z.js"])
    expect(await filtered({ paths: [], globs: [] })).toEqual([])
    expect(await filtered({ paths: ["none"] })).toEqual([])
    for (const path of ["/etc", "../up", "sub/../ab", "a//b", ""])
      await expectError(filtered({ paths: [path] }), "INVALID_ARGUMENT", { argument: "paths" })
    await expectError(filtered({ globs: "x" as never }), "INVALID_ARGUMENT", { argument: "globs" })
  })

  test("a filter matches the paths of both sides", async () => {
    const { store, one, two } = await twoSnapshots()
    const globs = ["{added,deleted}"]
    expect((await store.changes(one, two, { globs })).map(({ status }) => status)).toEqual(["added", "deleted"])
    expect((await store.diff(one, two, { globs })).map(({ path }) => path)).toEqual(["added", "deleted"])
  })

  test("what a look at the work tree has to skip is not told as deleted", async () => {
    const place = await start()
    place.write("secret", "x")
    place.write("good", "x")
    await (await place.open()).capture()
    place.remove("good")
    const refused = { call: 1, kind: "open", path: "/secret", how: "fail", errno: "EACCES" } as const
    const store = await place.openOn((inner) => faultyFileSystem(inner, [refused]))
    expect((await store.changes("latest")).map(({ path, status }) => [path, status])).toEqual([["good", "deleted"]])
  })

  test("what a store with include does not capture is not told as deleted", async () => {
    const place = await start()
    place.write("src/a", "x")
    place.write("notes", "x")
    await (await place.open()).capture()
    const store = await place.open({ include: ["src/**"] })
    expect(await store.changes("latest")).toEqual([])
  })

  test("a large file that the snapshot has is compared, though new ones of its size are left out", async () => {
    const place = await start()
    place.write("large", "123456789")
    const { snapshot } = await (await place.open()).capture()
    const store = await place.open({ newFileLimitBytes: 4 })
    expect(await store.changes(snapshot.id)).toEqual([])
    place.write("large", "abcdefghi")
    expect((await store.changes(snapshot.id)).map(({ status }) => status)).toEqual(["modified"])
  })

  test("an abort ends a comparison with the signal's reason", async () => {
    const { store, one, two } = await twoSnapshots()
    const reason = new Error("enough")
    const signal = AbortSignal.abort(reason)
    await expect(store.diff(one, two, { signal })).rejects.toBe(reason)
    await expect(store.patch(one, "worktree", { signal })).rejects.toBe(reason)
  })

  test("readFile gives the bytes of a file and the text of a link, then and now whatever became of them", async () => {
    const { place, store, one, two } = await twoSnapshots()
    const text = async (rev: string, path: string): Promise<string | undefined> => {
      const bytes = await store.readFile(rev, path)
      return bytes === undefined ? undefined : Buffer.from(bytes).toString()
    }
    place.write("modified", "third\n")
    expect(await text(one, "modified")).toBe("first\nsecond\nthird\n")
    expect(await text(two, "modified")).toBe("first\n2nd\nthird\nfourth")
    expect(await text("latest~1", "./sub/turns")).toBe("a file\n")
    expect(await text("latest", "sub/turns")).toBe("a link")
    expect(await store.readFile(one, "binary")).toEqual(new Uint8Array([0, 1, 2]))
    for (const path of ["none", "sub/none", "modified/below", "link/below", "none/deeper/still"])
      expect(await text(two, path), path).toBeUndefined()
  })

  test("readFile of a folder is IS_FOLDER, of a path that is none INVALID_ARGUMENT", async () => {
    const { store, two } = await twoSnapshots()
    for (const path of ["sub", "sub/", "."]) await expectError(store.readFile(two, path), "IS_FOLDER", { path })
    for (const path of ["", "/modified", "../modified", "sub/../modified", "a\0b", 7 as never])
      await expectError(store.readFile(two, path), "INVALID_ARGUMENT", { argument: "path" })
  })

  test("the bytes that readFile gives are the caller's own", async () => {
    const { store, one } = await twoSnapshots()
    const bytes = (await store.readFile(one, "link")) as Uint8Array
    bytes.fill(0)
    expect(Buffer.from((await store.readFile(one, "link")) ?? []).toString()).toBe("here")
  })

  test("a comparison that meets a damaged object fails with its code, and one that does not need it works", async () => {
    const place = await start()
    place.write("a.txt", "x".repeat(1000))
    const first = await (await place.open()).capture()
    place.write("b.txt", "new")
    const second = await (await place.open()).capture()
    for (const pack of packsOf(place)) overwrite(place, `${pack}.pack`, (bytes) => flipped(bytes, 20))
    const store = await place.open()
    const [change] = await store.changes(first.snapshot.id, second.snapshot.id)
    expect(change?.path).toBe("b.txt")
    const oid = change?.after?.oid ?? ""
    await expectError(store.diff(first.snapshot.id, second.snapshot.id), "OBJECT_CORRUPT", { oid })
    await expectError(store.patch(first.snapshot.id, second.snapshot.id), "OBJECT_CORRUPT", { oid })
  })
})
