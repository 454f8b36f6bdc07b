import { describe, expect, test } from "vitest"
import type { CaptureResult, RestorePlan, RestoreReport, Snapshot, SnapshotStore } from "../../../src/index.js"
import { codeOf, serve, wire, type ServedStore } from "../../support/served-store.js"
import { BACKENDS, type StoreUnderTest } from "../../support/store-under-test.js"

describe.each(BACKENDS)("the API over $name", ({ start }) => {
  interface Place extends ServedStore {
    readonly place: StoreUnderTest
    readonly store: SnapshotStore
  }

  async function served(): Promise<Place> {
    const place = await start()
    place.write("a.txt", "one\n")
    place.write("sub/b.txt", "b\n")
    const store = await place.open()
    return { place, store, ...(await serve(store)) }
  }

  test("captures, and gives what was captured, as the store's own calls do", async () => {
    const { place, store, ask } = await served()
    const first = await ask("POST", "/api/snapshots", { body: { label: "ünë", metadata: { by: "test" } } })
    expect(first.status).toBe(200)
    const { snapshot, changed } = first.json as CaptureResult
    expect({ label: snapshot.label, metadata: snapshot.metadata, changed }).toEqual({
      label: "ünë",
      metadata: { by: "test" },
      changed: true,
    })
    place.write("a.txt", "two\n")
    const second = (await ask("POST", "/api/snapshots")).json as CaptureResult
    expect((await ask("GET", "/api/snapshots")).json).toEqual(wire(await store.list()))
    expect((await ask("GET", "/api/snapshots?limit=1&kind=all")).json).toEqual(wire([second.snapshot]))
    const until = encodeURIComponent(String(snapshot.createdAt))
    expect((await ask("GET", `/api/snapshots?until=${until}`)).json).toEqual(wire([snapshot]))
    for (const rev of [snapshot.id, "latest~1", encodeURIComponent(snapshot.ref)])
      expect((await ask("GET", `/api/snapshots/${rev}`)).json).toEqual(wire(snapshot))
    expect((await ask("GET", "/api/snapshots/latest/summary")).json).toEqual({
      filesChanged: 1,
      bytesChanged: 4,
      against: snapshot.id,
    })
  })

  test("pins, takes the pin off, and forgets", async () => {
    const { store, ask } = await served()
    const { id } = (await store.capture()).snapshot
    const isPinned = async (): Promise<boolean> => (await store.resolve(id)).pinned
    expect((await ask("PUT", `/api/snapshots/${id}/pin`)).status).toBe(204)
    expect(await isPinned()).toBe(true)
    expect((await ask("DELETE", `/api/snapshots/${id}/pin`)).status).toBe(204)
    expect(await isPinned()).toBe(false)
    expect((await ask("DELETE", `/api/snapshots/${id}`)).status).toBe(204)
    expect(await store.list()).toEqual([])
  })

  test("compares snapshots with each other and with the work tree, all of it or some paths", async () => {
    const { place, store, ask } = await served()
    const { id } = (await store.capture()).snapshot
    place.write("a.txt", "two\n")
    place.write("sub/new ü.txt", "new\n")
    await store.capture()
    place.remove("sub/b.txt")
    expect((await ask("GET", `/api/changes?from=${id}&to=latest`)).json).toEqual(
      wire(await store.changes(id, "latest")),
    )
    expect((await ask("GET", `/api/changes?from=${id}`)).json).toEqual(wire(await store.changes(id)))
    const some = { paths: ["a.txt", "sub/new ü.txt"], globs: ["**/b.*"] }
    const query = `path=a.txt&path=${encodeURIComponent("sub/new ü.txt")}&glob=${encodeURIComponent("**/b.*")}`
    const diff = wire(await store.diff(id, undefined, { ...some, context: 1 }))
    expect(diff).toHaveLength(3)
    expect((await ask("GET", `/api/diff?from=${id}&${query}&context=1`)).json).toEqual(diff)
    expect((await ask("POST", "/api/diff", { body: { from: id, ...some, context: 1 } })).json).toEqual(diff)
    expect((await ask("GET", `/api/diff?from=${id}&to=latest&path=a.txt`)).json).toHaveLength(1)
    const patch = await ask("GET", `/api/patch?from=${id}&to=latest`)
    expect(patch.headers["content-type"]).toBe("text/x-diff")
    expect(patch.bytes).toEqual(Buffer.from(await store.patch(id, "latest")))
  })

  test("gives the bytes of a file as they are, and what is not there is not found", async () => {
    const { place, store, ask } = await served()
    place.write("binary", new Uint8Array([0, 255, 13, 10, 60]))
    await store.capture()
    const file = await ask("GET", "/api/file?rev=latest&path=binary")
    expect([...file.bytes]).toEqual([0, 255, 13, 10, 60])
    expect(file.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "x-content-type-options": "nosniff",
    })
    const missing = await ask("GET", "/api/file?rev=latest&path=none")
    expect([missing.status, codeOf(missing)]).toEqual([404, "NOT_FOUND"])
    const folder = await ask("GET", "/api/file?rev=latest&path=sub")
    expect([folder.status, codeOf(folder)]).toEqual([400, "IS_FOLDER"])
  })

  test("plans, applies, restores, reverts, undoes and redoes", async () => {
    const { place, store, ask } = await served()
    const { id } = (await store.capture()).snapshot
    place.write("a.txt", "two\n")
    place.write("sub/b.txt", "changed\n")
    const two = (await store.capture()).snapshot.id

    const plan = await ask("POST", "/api/plan", { body: { target: { to: id }, options: { paths: ["a.txt"] } } })
    expect(plan.json).toEqual(wire(await store.plan({ to: id }, { paths: ["a.txt"] })))
    expect((plan.json as RestorePlan).writes.map(({ path }) => path)).toEqual(["a.txt"])
    const applied = (await ask("POST", "/api/apply", { body: { plan: plan.json } })).json as RestoreReport
    expect(applied).toMatchObject({ complete: true, outcomes: [{ path: "a.txt", action: "written" }] })
    expect([place.read("a.txt"), place.read("sub/b.txt")]).toEqual(["one\n", "changed\n"])

    const undone = await ask("POST", "/api/undo", { body: {} })
    expect(undone.json).toMatchObject({ complete: true })
    expect(place.read("a.txt")).toBe("two\n")
    expect((await ask("POST", "/api/redo")).json).toMatchObject({ complete: true })
    expect(place.read("a.txt")).toBe("one\n")

    const restored = await ask("POST", "/api/restore", { body: { rev: two, options: { added: "keep" } } })
    expect(restored.json).toMatchObject({ complete: true })
    expect(place.read("a.txt")).toBe("two\n")
    const reverted = await ask("POST", "/api/revert", { body: { from: id, to: two, options: { merge: false } } })
    expect(reverted.json).toMatchObject({ complete: true })
    expect([place.read("a.txt"), place.read("sub/b.txt")]).toEqual(["one\n", "b\n"])
  })

  test("prunes, verifies, maintains and tells the status", async () => {
    const { place, store, ask } = await served()
    const ids: string[] = []
    for (const text of ["1", "2", "3"]) {
      place.write("a.txt", text)
      ids.push((await store.capture()).snapshot.id)
    }
    const policy = { keepLast: 1 }
    const dry = await ask("POST", "/api/prune", { body: { policy, dryRun: true } })
    expect(dry.json).toMatchObject({ removed: [{ id: ids[1] }, { id: ids[0] }], kept: [{ id: ids[2] }] })
    expect(await store.list()).toHaveLength(3)
    expect((await ask("POST", "/api/prune", { body: { policy } })).status).toBe(200)
    expect(await store.list()).toHaveLength(1)
    expect((await ask("POST", "/api/maintain", { body: {} })).json).toMatchObject({ packsRemoved: expect.any(Number) })
    expect((await ask("POST", "/api/verify", { body: { repair: true } })).json).toMatchObject({
      ok: true,
      problems: [],
    })
    expect((await ask("GET", "/api/status")).json).toEqual(wire(await store.status()))
    expect((await ask("GET", "/api/health")).json).toEqual({ ok: true, pid: process.pid, worktree: store.worktree })
  })

  test("every failure of a call has its status, its code, a sentence and its details", async () => {
    const { place, store, ask } = await served()
    const { tree, id } = (await store.capture()).snapshot
    place.write("a.txt", "edited\n")
    const before = place.content()
    const cases: [string, string, unknown, number, string, unknown][] = [
      ["GET", "/api/snapshots/none", undefined, 404, "NOT_FOUND", { rev: "none" }],
      ["GET", `/api/snapshots/${tree}`, undefined, 400, "NOT_A_SNAPSHOT", { rev: tree }],
      ["GET", "/api/diff?from=none", undefined, 404, "NOT_FOUND", { rev: "none" }],
      ["POST", "/api/restore", { rev: "latest~9" }, 404, "NOT_FOUND", { rev: "latest~9" }],
      ["POST", "/api/undo", {}, 409, "NOTHING_TO_UNDO", { wanted: "undo" }],
      ["POST", "/api/prune", { policy: {} }, 400, "INVALID_ARGUMENT", { argument: "policy" }],
      ["POST", "/api/snapshots", { label: "x".repeat(5000) }, 400, "INVALID_ARGUMENT", { argument: "label" }],
      ["DELETE", "/api/snapshots/none", undefined, 404, "NOT_FOUND", { rev: "none" }],
    ]
    for (const [method, path, body, status, code, details] of cases) {
      const answer = await ask(method, path, body === undefined ? {} : { body })
      expect({ path, status: answer.status, json: answer.json }).toEqual({
        path,
        status,
        json: { error: { code, message: expect.stringMatching(/^\S[^]*\.$/), details } },
      })
    }
    expect(place.content()).toEqual(before)
    expect((await store.list({ kind: "all" })).map((one: Snapshot) => one.id)).toEqual([id])
  })
})
