import { describe, expect, test } from "vitest"
import { BACKENDS, expectError } from "../../support/store-under-test.js"

describe.each(BACKENDS)("summary on $name", ({ start }) => {
  test("a first snapshot counts all of its files and links, with their bytes", async () => {
    const place = await start()
    place.write("a", "12345")
    place.write("sub/same", "12345")
    place.write("sub/empty", "")
    place.link("link", "sub/same")
    const store = await place.open()
    const { id } = (await store.capture()).snapshot
    expect(await store.summary(id)).toEqual({ filesChanged: 4, bytesChanged: 18 })
    expect(await store.summary("latest")).toEqual({ filesChanged: 4, bytesChanged: 18 })
  })

  test("a later one counts what changed against the one before: of new and modified files the bytes, of deleted ones none", async () => {
    const place = await start()
    place.write("gone", "gone")
    place.write("mode", "123")
    place.write("modified", "old")
    place.write("same", "same")
    const store = await place.open()
    const one = (await store.capture()).snapshot.id
    place.remove("gone")
    place.write("mode", "123", 0o755)
    place.write("modified", "newer")
    place.write("added/one", "1")
    const two = (await store.capture()).snapshot.id
    expect(await store.summary(two)).toEqual({ filesChanged: 4, bytesChanged: 9, against: one })
    const { undo } = await store.restore(one)
    expect(await store.summary(undo?.id ?? "")).toEqual({ filesChanged: 0, bytesChanged: 0, against: two })
  })

  test("when the one before is gone, it counts against the newest that is older; when none is, all files", async () => {
    const place = await start()
    const store = await place.open()
    const ids: string[] = []
    for (const text of ["1", "22", "333"]) {
      place.write(text, text)
      ids.push((await store.capture()).snapshot.id)
    }
    const [one, two, three] = ids as [string, string, string]
    await store.forget(two)
    expect(await store.summary(three)).toEqual({ filesChanged: 2, bytesChanged: 5, against: one })
    await store.forget(one)
    expect(await store.summary(three)).toEqual({ filesChanged: 3, bytesChanged: 6 })
  })

  test("long contents, and those that maintenance stores as deltas, have the size that they have", async () => {
    const place = await start()
    const store = await place.open({ newFileLimitBytes: 8_000_000 })
    const long = new Uint8Array(3_000_000).map((_, i) => (i * 7919) >> 5)
    const lines = Array.from({ length: 2_000 }, (_, i) => `line ${i} ${(i * 7919) % 1000}\n`).join("")
    const ids: string[] = []
    for (let i = 0; i < 4; i++) {
      place.write("long", long.fill(i, 0, 9))
      place.write("text", `${lines}${"x".repeat(i)}`)
      ids.push((await store.capture()).snapshot.id)
    }
    const before = await Promise.all(ids.map((id) => store.summary(id)))
    expect(before.map(({ bytesChanged }) => bytesChanged)).toEqual(ids.map((_, i) => long.length + lines.length + i))
    await store.maintain()
    await store.close()
    const again = await place.open()
    expect(await Promise.all(ids.map((id) => again.summary(id)))).toEqual(before)
  })

  test("a tree is no snapshot, and what is not there is not found", async () => {
    const place = await start()
    place.write("a", "1")
    const store = await place.open()
    const { tree } = (await store.capture()).snapshot
    await expectError(store.summary(tree), "NOT_A_SNAPSHOT", { rev: tree })
    await expectError(store.summary("none"), "NOT_FOUND", { rev: "none" })
    await expectError(store.summary(""), "INVALID_ARGUMENT", { argument: "rev" })
  })
})
