import { describe, expect, test } from "vitest"
import type { PlannedChange, RestorePlan } from "../../../src/index.js"
import { BACKENDS, expectError } from "../../support/store-under-test.js"

describe.each(BACKENDS)("undo, redo and revert on $name", ({ start }) => {
  test("undo and redo lead back and forth, any number of times, in other processes, too", async () => {
    const place = await start()
    place.write("changed", "one", 0o600)
    place.write("folder/gone", "one")
    place.link("link", "changed")
    place.folder("empty", 0o700)
    let store = await place.open()
    const { snapshot } = await store.capture()
    const then = place.content()
    place.write("changed", "never captured", 0o644)
    place.remove("folder")
    place.write("folder", "a file now")
    place.remove("link")
    place.write("added/deep", "new", 0o755)
    place.remove("empty")
    const unsaved = place.content()
    await store.restore(snapshot.id)
    for (let i = 0; i < 3; i++) {
      expect((await store.undo()).complete).toBe(true)
      expect(place.content()).toEqual(unsaved)
      if (i === 1) {
        await store.close()
        store = await place.open()
      }
      expect((await store.redo()).complete).toBe(true)
      expect(place.content()).toEqual(then)
    }
    expect(place.leftovers()).toEqual([])
  })

  test("undo goes back one restore after the other, and redo forward again; another restore ends what could be redone", async () => {
    const place = await start()
    const store = await place.open()
    const ids: string[] = []
    for (const text of ["one", "two", "three"]) {
      place.write("a", text)
      ids.push((await store.capture()).snapshot.id)
    }
    await store.restore(ids[0] ?? "")
    await store.restore(ids[1] ?? "")
    const seen: (string | undefined)[] = []
    const step = async (call: () => Promise<unknown>): Promise<void> => {
      await call()
      seen.push(place.read("a"))
    }
    await step(() => store.undo())
    await step(() => store.undo())
    await expectError(store.undo(), "NOTHING_TO_UNDO", { wanted: "undo" })
    await step(() => store.redo())
    await step(() => store.redo())
    await expectError(store.redo(), "NOTHING_TO_UNDO", { wanted: "redo" })
    await step(() => store.undo())
    await step(() => store.restore(ids[2] ?? ""))
    await expectError(store.redo(), "NOTHING_TO_UNDO", { wanted: "redo" })
    await step(() => store.undo())
    expect(seen).toEqual(["one", "three", "one", "two", "one", "three", "one"])
  })

  test("bits that were changed since stay where a step does not change them, and undo gives them back", async () => {
    const place = await start()
    place.write("folder/file", "one", 0o644)
    const store = await place.open()
    const from = (await store.capture()).snapshot.id
    place.write("folder/file", "two", 0o644)
    place.folder("folder", 0o750)
    const to = (await store.capture()).snapshot.id
    place.folder("folder", 0o700)
    place.write("folder/file", "two", 0o600)
    const edited = place.content()
    expect((await store.revert(from, to)).outcomes).toContainEqual(
      expect.objectContaining({ path: "folder", action: "kept", reason: "conflict" }),
    )
    expect(place.content()).toMatchObject({ "folder/file": 'file 600 "one"', folder: "folder 700" })
    await store.undo()
    expect(place.content()).toEqual(edited)
  })

  test("an empty folder that was made in the place of a file since is kept", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.remove("a")
    const planned = await store.plan({ to: snapshot.id })
    place.folder("a", 0o755)
    const report = await store.apply(planned)
    expect(report.outcomes).toEqual([expect.objectContaining({ path: "a", action: "kept", reason: "conflict" })])
    expect(place.content()).toEqual({ a: "folder 755" })
  })

  test("an undo that can do nothing says so, and the next one is about the restore before", async () => {
    const place = await start()
    const store = await place.open()
    const ids: string[] = []
    for (const text of ["one", "two", "three"]) {
      place.write("a", text)
      place.write("b", text)
      ids.push((await store.capture()).snapshot.id)
    }
    await store.restore(ids[0] ?? "", { paths: ["a"] })
    await store.restore(ids[1] ?? "", { paths: ["b"] })
    place.write("b", "edited")
    expect(await store.undo()).toMatchObject({
      complete: false,
      outcomes: [{ path: "b", action: "kept", reason: "conflict" }],
    })
    expect(await store.undo()).toMatchObject({ complete: true, outcomes: [{ path: "a", action: "written" }] })
    expect([place.read("a"), place.read("b")]).toEqual(["three", "edited"])
  })

  test("captures that find what undo left end no redo, however many undos there were", async () => {
    const place = await start()
    const store = await place.open()
    const ids: string[] = []
    for (const text of ["one", "two", "three"]) {
      place.write("a", text)
      ids.push((await store.capture()).snapshot.id)
    }
    await store.restore(ids[1] ?? "")
    await store.restore(ids[0] ?? "")
    await store.undo()
    await store.undo()
    await store.capture({ label: "nothing else" })
    await store.redo()
    expect(place.read("a")).toBe("two")
    await store.redo()
    expect(place.read("a")).toBe("one")
  })

  test("a revert that was done has nothing to do again, merged or not", async () => {
    const place = await start()
    const lines = (first: string, last: string): string => `${first}\n2\n3\n4\n5\n${last}\n`
    place.write("merged", lines("1", "6"))
    place.write("plain", "one")
    place.folder("folder", 0o755)
    const store = await place.open()
    const from = (await store.capture()).snapshot.id
    place.write("merged", lines("1", "step"))
    place.write("plain", "two")
    place.folder("folder", 0o700)
    const to = (await store.capture()).snapshot.id
    place.write("merged", lines("mine", "step"))
    await store.revert(from, to)
    const reverted = place.content()
    const safeties = await store.list({ kind: "safety" })
    expect(await store.revert(from, to)).toEqual({ complete: true, outcomes: [] })
    expect(place.content()).toEqual(reverted)
    expect(await store.list({ kind: "safety" })).toEqual(safeties)
  })

  test("an executable bit is taken back from a file that was edited since, and an edited bit stays", async () => {
    const place = await start()
    place.write("script", "one\n", 0o644)
    place.write("private", "1\n2\n3\n4\n", 0o600)
    const store = await place.open()
    const from = (await store.capture()).snapshot.id
    place.write("script", "one\n", 0o755)
    place.write("private", "1\n2\n3\nstep\n", 0o644)
    const to = (await store.capture()).snapshot.id
    place.write("script", "edited\n", 0o755)
    place.write("private", "mine\n2\n3\nstep\n", 0o644)
    expect(await store.revert(from, to)).toMatchObject({ complete: true })
    expect(place.content()).toEqual({
      private: 'file 600 "mine\\n2\\n3\\n4\\n"',
      script: 'file 644 "edited\\n"',
    })
  })

  test("a file that was renamed and cannot go back stays where it is", async () => {
    const place = await start()
    place.write("d/f", "content")
    const store = await place.open()
    const from = (await store.capture()).snapshot.id
    place.remove("d")
    place.write("e/f", "content")
    const to = (await store.capture()).snapshot.id
    place.write("d", "in the way")
    const report = await store.revert(from, to)
    expect(report.complete).toBe(false)
    expect([place.read("d"), place.read("e/f")]).toEqual(["in the way", "content"])
  })

  test("a plan that somebody changed into another one is refused, and nothing is touched", async () => {
    const place = await start()
    const lines = (first: string, last: string): string => `${first}\n2\n3\n4\n5\n${last}\n`
    for (const path of ["a", "b"]) place.write(path, lines(path, "6"))
    place.write("stays", "one")
    const store = await place.open()
    const from = (await store.capture()).snapshot.id
    for (const path of ["a", "b"]) place.write(path, lines(path, "step"))
    place.write("added", "step")
    const to = (await store.capture()).snapshot.id
    for (const path of ["a", "b"]) place.write(path, lines(`my ${path}`, "step"))
    const before = place.content()
    const revert = await store.plan({ revert: { from, to } })
    const restore = await store.plan({ to: from })
    const [first, second] = revert.writes
    const [gone] = restore.deletes
    const version = { mode: "100644", oid: first?.before?.oid ?? "" } as const
    const wrong: RestorePlan[] = [
      {
        ...revert,
        writes: [
          { ...first, after: second?.after },
          { ...second, after: first?.after },
        ] as PlannedChange[],
      },
      { ...revert, writes: [{ ...first, after: { ...first?.after, mode: "120000" } }] as PlannedChange[] },
      { ...restore, deletes: [...restore.deletes, { path: "stays", before: version }] },
      { ...restore, deletes: [{ ...gone, after: version } as PlannedChange] },
      {
        ...restore,
        writes: [{ ...restore.writes[0], after: { ...restore.writes[0]?.after, permissions: 0o777 } } as PlannedChange],
      },
    ]
    for (const plan of wrong) await expectError(store.apply(plan), "INVALID_ARGUMENT", { argument: "plan" })
    expect(place.content()).toEqual(before)
  })

  test("an undo keeps a file that is ignored by now, and says so", async () => {
    const place = await start()
    place.write("back", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.remove("back")
    await store.restore(snapshot.id)
    place.write(".gitignore", "back")
    const planned = await store.plan({ undo: true })
    expect(planned).toMatchObject({ deletes: [], keeps: [{ path: "back", reason: "ignored" }] })
    const report = await store.undo()
    expect(report.outcomes).toEqual([{ path: "back", action: "kept", reason: "ignored" }])
    expect(place.read("back")).toBe("one")
  })

  test("a capture that finds other changes ends what could be redone; one that finds none does not", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two")
    await store.restore(snapshot.id)
    await store.undo()
    await store.capture({ label: "nothing else" })
    await store.redo()
    await store.undo()
    place.write("b", "new")
    await store.capture()
    await expectError(store.redo(), "NOTHING_TO_UNDO", { wanted: "redo" })
    await store.undo().catch(() => {})
    expect([place.read("a"), place.read("b")]).toEqual(["two", "new"])
  })

  test("what was edited since a restore is kept by its undo, and told with both versions", async () => {
    const place = await start()
    place.write("a", "one")
    place.write("b", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("a", "two")
    place.write("b", "two")
    await store.restore(snapshot.id)
    place.write("a", "mine")
    const made = await store.plan({ undo: true })
    expect(made.keeps).toMatchObject([{ path: "a", reason: "conflict" }])
    const report = await store.undo()
    expect([place.read("a"), place.read("b")]).toEqual(["mine", "two"])
    expect(report.outcomes).toMatchObject([
      { path: "a", action: "kept", reason: "conflict", ours: expect.any(String), theirs: expect.any(String) },
      { path: "b", action: "written" },
    ])
  })

  test("revert takes back what changed from one snapshot to another, and nothing else", async () => {
    const place = await start()
    place.write("changed", "one")
    place.write("removed", "one", 0o755)
    place.write("before", "one")
    const store = await place.open()
    const from = await store.capture()
    place.write("changed", "step")
    place.remove("removed")
    place.write("added", "step")
    const to = await store.capture()
    place.write("before", "later")
    place.write("later", "new")
    const made = await store.plan({ revert: { from: from.snapshot.id, to: to.snapshot.id } })
    expect(made.writes.map(({ path }) => path)).toEqual(["changed", "removed"])
    expect(made.deletes.map(({ path }) => path)).toEqual(["added"])
    const later = place.content()
    const report = await store.apply(JSON.parse(JSON.stringify(made)))
    expect(report.complete).toBe(true)
    const read = ["changed", "removed", "added", "before", "later"].map((path) => place.read(path))
    expect(read).toEqual(["one", "one", undefined, "later", "new"])
    await store.undo()
    expect(place.content()).toEqual(later)
  })

  test("revert merges text that was edited elsewhere in the file, and keeps what was edited in the same place", async () => {
    const place = await start()
    const lines = (first: string, last: string): string => `${first}\n2\n3\n4\n5\n6\r\n${last}`
    place.write("merged", lines("one", "seven"))
    place.write("clash", lines("one", "seven"))
    place.write("binary", "\0one")
    place.write("gone", "one")
    const store = await place.open()
    const from = await store.capture()
    for (const path of ["merged", "clash"]) place.write(path, lines("STEP", "seven"))
    place.write("binary", "\0step\n2\n3\n4\n5")
    place.write("gone", "step")
    const to = await store.capture()
    place.write("merged", lines("STEP", "LATER"))
    place.write("clash", lines("LATER", "seven"))
    place.write("binary", "\0step\n2\n3\n4\n5\nlater")
    place.remove("gone")
    const edited = place.content()
    const target = { revert: { from: from.snapshot.id, to: to.snapshot.id } }
    expect((await store.plan(target, { merge: false })).writes).toEqual([])
    const made = await store.plan(target)
    expect(made.writes).toMatchObject([{ path: "merged", merged: true }])
    expect(place.content()).toEqual(edited)
    const report = await store.apply(made)
    expect(report.outcomes.map(({ path, action }) => [path, action])).toEqual([
      ["binary", "kept"],
      ["clash", "kept"],
      ["gone", "kept"],
      ["merged", "merged"],
    ])
    expect(place.read("merged")).toBe(lines("one", "LATER"))
    await store.undo()
    expect(place.content()).toEqual(edited)
    await store.redo()
    expect(place.read("merged")).toBe(lines("one", "LATER"))
  })

  test("a plan of an undo or a revert that was made up, or is out of date, changes nothing", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const first = await store.capture()
    place.write("a", "two")
    const second = await store.capture()
    await store.restore(first.snapshot.id)
    const undo = await store.plan({ undo: true })
    const before = place.content()
    const other = {
      ...undo,
      writes: undo.writes.map((step) => ({ ...step, after: { ...step.after, oid: "1".repeat(40) } })),
    }
    await expectError(store.apply(other as typeof undo), "INVALID_ARGUMENT", { argument: "plan" })
    const revert = await store.plan({ revert: { from: second.snapshot.id, to: first.snapshot.id } })
    const forged = revert.writes.map((step) => ({
      ...step,
      after: { mode: "100644" as const, oid: "1".repeat(40) },
      merged: true as const,
    }))
    await expectError(store.apply({ ...revert, writes: forged }), "INVALID_ARGUMENT", { argument: "plan" })
    expect(place.content()).toEqual(before)
    await store.undo()
    await expectError(store.apply(undo), "NOTHING_TO_UNDO", { wanted: "undo" })
    for (const target of [{}, { undo: false }, { revert: "latest" }, undefined])
      await expectError(store.plan(target as never), "INVALID_ARGUMENT", { argument: "target" })
  })

  test("two stores that restore one work tree at once take turns", async () => {
    const place = await start()
    place.write("a", "one")
    const [one, other] = [await place.open(), await place.open()]
    const first = await one.capture()
    place.write("a", "two")
    const second = await one.capture()
    const reports = await Promise.all([one.restore(first.snapshot.id), other.restore(second.snapshot.id)])
    expect(reports.map(({ complete }) => complete)).toEqual([true, true])
    expect(["one", "two"]).toContain(place.read("a"))
    expect(place.leftovers()).toEqual([])
  })
})
