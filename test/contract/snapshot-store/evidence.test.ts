import { describe, expect, test } from "vitest"
import type { RestoreOptions } from "../../../src/index.js"
import { EMPTY_TREE, type Oid } from "../../../src/core/oid.js"
import { faultyFileSystem } from "../../support/faulty-file-system.js"
import { overwrite, packsOf, writeSnapshot, writeTree } from "../../support/damage.js"
import { BACKENDS, expectError } from "../../support/store-under-test.js"

describe.each(BACKENDS)("what a restore goes by, on $name", ({ start }) => {
  test("a plan writes nothing that its snapshot does not have at the same path", async () => {
    const place = await start()
    place.write("a", "one")
    place.write("folder/b", "other")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two")
    const plan = await store.plan({ to: snapshot.id })
    const other = (await store.changes(EMPTY_TREE, snapshot.id)).find(({ path }) => path === "folder/b")?.after
    for (const after of [
      { mode: "100644", oid: snapshot.tree },
      { mode: "100644", oid: other?.oid ?? "" },
      { mode: "100755", oid: plan.writes[0]?.after?.oid ?? "" },
      { ...plan.writes[0]?.after, permissions: "no" },
      { ...plan.writes[0]?.after, permissions: 0o4755 },
    ]) {
      const made = { ...plan, writes: [{ ...plan.writes[0], path: "a", after }] }
      await expectError(store.apply(made as typeof plan), "INVALID_ARGUMENT", { argument: "plan" })
    }
    expect(place.read("a")).toBe("two")
  })

  test("a tree object in the place of a file's content is OBJECT_CORRUPT, and nothing is touched", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    const wrong = writeTree(place, [{ mode: "100644", name: "a", oid: snapshot.tree as Oid }])
    const id = writeSnapshot(place, store.workspace, wrong)
    place.write("b", "added")
    await expectError(store.restore(id), "OBJECT_CORRUPT", { oid: snapshot.tree })
    expect([place.read("a"), place.read("b")]).toEqual(["one", "added"])
    expect(place.leftovers()).toEqual([])
  })

  test("a filter that is no list is refused: it does not stand for everything", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two")
    for (const options of [{ paths: "" }, { paths: null }, { globs: 0 }, { globs: null }])
      await expect(store.restore(snapshot.id, options as unknown as RestoreOptions)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      })
    expect(place.read("a")).toBe("two")
  })

  test("a plan that was carried out already has nothing left to do", async () => {
    const place = await start()
    place.write("a", "one")
    place.write("gone", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two")
    place.remove("gone")
    place.write("added", "two")
    const plan = await store.plan({ to: snapshot.id })
    expect((await store.apply(plan)).complete).toBe(true)
    expect(await store.apply(plan)).toEqual({ outcomes: [], complete: true })
  })

  test("a file that got the planned content by hand, and not its bits, is told as a conflict", async () => {
    const place = await start()
    place.write("beside", "x")
    place.write("also", "x")
    place.write("secret", "one", 0o600)
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("secret", "two", 0o644)
    const plan = await store.plan({ to: snapshot.id })
    place.write("secret", "one", 0o644)
    const report = await store.apply(plan)
    expect(report.outcomes).toMatchObject([{ path: "secret", action: "kept", reason: "conflict" }])
    expect(report.complete).toBe(false)
  })

  test("the bits of a folder come back where only ignored files kept it standing", async () => {
    const place = await start()
    place.write(".gitignore", "*.log\n")
    place.write("beside/file", "x")
    place.write("private/secret", "x")
    place.write("private/x.log", "mine")
    place.folder("private", 0o700)
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.remove("private/secret")
    place.folder("private", 0o755)
    const report = await store.restore(snapshot.id)
    expect(report.complete).toBe(true)
    expect(place.read("private/secret")).toBe("x")
    expect(place.fs.lstatSync(`${place.root}/private`).mode & 0o777).toBe(0o700)
    expect(await store.plan({ to: snapshot.id })).toMatchObject({ writes: [], deletes: [] })
  })

  test("a folder that may not be read is kept as that, and everything else is restored", async () => {
    const place = await start()
    place.write("closed/file", "one")
    place.write("open", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("open", "two")
    const faults = Array.from(
      { length: 20 },
      (_, i) => ({ call: i + 1, kind: "openFolder", path: "/closed", how: "fail", errno: "EACCES" }) as const,
    )
    const blind = await place.openOn((inner) => faultyFileSystem(inner, faults))
    const report = await blind.restore(snapshot.id)
    expect(report.outcomes).toMatchObject([
      { path: "closed/file", action: "kept", reason: "unreadable" },
      { path: "open", action: "written" },
    ])
    expect([place.read("closed/file"), place.read("open")]).toEqual(["one", "one"])
  })

  test("a snapshot whose manifest is damaged is not given again as unchanged: the next one is whole", async () => {
    const place = await start()
    place.folder("empty")
    place.write("a", "one")
    const first = await place.open()
    const { snapshot } = await first.capture()
    await first.close()
    const [pack] = packsOf(place) as [string]
    overwrite(place, `${pack}.pack`, (bytes) => bytes.subarray(0, bytes.length - 1))
    const store = await place.open()
    const again = await store.capture()
    expect(again.snapshot.id).not.toBe(snapshot.id)
    place.remove("empty")
    await store.restore(again.snapshot.id)
    expect(place.content()).toHaveProperty("empty")
  })

  test("a mode change of a binary shows as a binary", async () => {
    const place = await start()
    place.write("tool", "\0binary")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("tool", "\0binary", 0o755)
    expect(await store.diff(snapshot.id)).toMatchObject([{ path: "tool", binary: true, additions: 0, deletions: 0 }])
  })

  test("options that are none, and events that there are not, are refused", async () => {
    const place = await start()
    const store = await place.open()
    const wrong = [{ signal: {} }, { onProgress: "x" }, null] as unknown as undefined[]
    for (const options of wrong) {
      await expect(store.capture(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" })
      await expect(store.plan({ to: "latest" }, options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" })
    }
    expect(() => store.on("nothing" as "progress", () => {})).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    )
  })
})
