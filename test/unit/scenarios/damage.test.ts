import fs from "node:fs"
import { describe, expect, test } from "vitest"
import { overwrite, packsOf, writeLoose } from "../../support/damage.js"
import { git, gitIsThere } from "../../support/git.js"
import { onDisk, type StoreUnderTest } from "../../support/store-under-test.js"

describe("scenario 4: an empty or cut file of the store after a power cut", () => {
  /** Two snapshots; the second has only `b` anew. Gives the pack of each, by what was there before. */
  async function twoSnapshots(): Promise<{ place: StoreUnderTest; ids: string[]; refs: string[]; packs: string[] }> {
    const place = await onDisk()
    const store = await place.open()
    place.write("a", "a ".repeat(500))
    place.write("sub/b", "one ".repeat(500))
    const first = await store.capture()
    const [one] = packsOf(place) as [string]
    place.write("sub/b", "two ".repeat(500))
    const second = await store.capture()
    const packs = [one, ...packsOf(place).filter((pack) => pack !== one)]
    await store.close()
    const snapshots = [first.snapshot, second.snapshot]
    return { place, ids: snapshots.map(({ id }) => id), refs: snapshots.map(({ ref }) => ref), packs }
  }

  const text = async (place: StoreUnderTest, rev: string, path: string): Promise<string> =>
    Buffer.from((await (await place.open()).readFile(rev, path)) ?? []).toString()

  const DAMAGES: readonly [string, (bytes: Buffer) => Uint8Array][] = [
    ["empty", () => new Uint8Array()],
    ["cut in the middle", (bytes) => bytes.subarray(0, bytes.length >> 1)],
    ["cut by a byte", (bytes) => bytes.subarray(0, -1)],
    ["zeros", (bytes) => new Uint8Array(bytes.length)],
  ]

  describe.each(DAMAGES)("%s", (_, damage) => {
    test("a ref: the other snapshot works, and the next capture does, too", async () => {
      const { place, ids, refs } = await twoSnapshots()
      overwrite(place, `${place.gitdir}/${refs[1]}`, (bytes) => damage(bytes.subarray(0, 40)))
      const store = await place.open()
      expect((await store.list()).map(({ id }) => id)).toEqual([ids[0]])
      const { snapshot, changed } = await store.capture()
      expect(changed).toBe(true)
      expect((await store.list()).map(({ id }) => id)).toEqual([snapshot.id, ids[0]])
      expect(await text(place, snapshot.id, "sub/b")).toBe("two ".repeat(500))
      expect(await text(place, ids[0] as string, "sub/b")).toBe("one ".repeat(500))
    })

    test.each([".pack", ".idx"])(
      "the newest %s: the older snapshot works, and the next capture is whole",
      async (end) => {
        const { place, ids, packs } = await twoSnapshots()
        overwrite(place, `${packs[1]}${end}`, damage)
        const store = await place.open()
        expect((await store.list()).map(({ id }) => id)).toEqual([ids[0]])
        const { snapshot, changed } = await store.capture()
        expect(changed).toBe(true)
        expect(await text(place, snapshot.id, "a")).toBe("a ".repeat(500))
        expect(await text(place, snapshot.id, "sub/b")).toBe("two ".repeat(500))
        expect((await (await place.open()).restore(ids[0] as string)).complete).toBe(true)
        expect(place.read("sub/b")).toBe("one ".repeat(500))
      },
    )

    test.each([".pack", ".idx"])("the oldest %s: what it held is written again by the next capture", async (end) => {
      const { place, ids, packs } = await twoSnapshots()
      overwrite(place, `${packs[0]}${end}`, damage)
      const store = await place.open()
      expect((await store.list()).map(({ id }) => id)).toEqual([ids[1]])
      await expect(store.readFile(ids[1] as string, "a")).rejects.toMatchObject({ code: "OBJECT_MISSING" })
      const { snapshot, changed } = await store.capture()
      expect(changed).toBe(true)
      // The newer snapshot is whole again with it.
      for (const id of [snapshot.id, ids[1] as string]) {
        expect(await text(place, id, "a")).toBe("a ".repeat(500))
        expect(await text(place, id, "sub/b")).toBe("two ".repeat(500))
      }
      expect((await (await place.open()).capture()).changed).toBe(false)
    })
  })

  test("both files of a pack gone: the next capture writes everything again", async () => {
    const { place, packs } = await twoSnapshots()
    for (const pack of packs) for (const end of [".pack", ".idx"]) fs.rmSync(pack + end)
    const store = await place.open()
    expect(await store.list()).toEqual([])
    const { snapshot } = await store.capture()
    expect(await text(place, snapshot.id, "a")).toBe("a ".repeat(500))
    expect((await store.list()).map(({ id }) => id)).toEqual([snapshot.id])
  })

  test("a store that is damaged while it is open is noticed by what reads it next", async () => {
    const { place, ids, packs } = await twoSnapshots()
    const store = await place.open()
    expect(await store.list()).toHaveLength(2)
    for (const pack of packs) overwrite(place, `${pack}.pack`, () => new Uint8Array())
    const error: unknown = await store.restore(ids[0] as string).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: "SnapshotError", code: expect.stringMatching(/^OBJECT_(MISSING|CORRUPT)$/) })
    expect(place.read("sub/b")).toBe("two ".repeat(500))
    const { snapshot } = await store.capture({ label: "again" })
    expect(await text(place, snapshot.id, "a")).toBe("a ".repeat(500))
  })

  test("a loose object that is empty or cut counts as missing, and is written again", async () => {
    for (const damage of [(): Uint8Array => new Uint8Array(), (bytes: Buffer): Uint8Array => bytes.subarray(0, 10)]) {
      const place = await onDisk()
      const content = "x".repeat(100)
      place.write("a", content)
      const oid = writeLoose(place, "blob", Buffer.from(content))
      overwrite(place, `${place.gitdir}/objects/${oid.slice(0, 2)}/${oid.slice(2)}`, damage)
      fs.writeFileSync(`${place.gitdir}/config`, "[core]\n\tbare = true\n")
      fs.writeFileSync(`${place.gitdir}/HEAD`, "ref: refs/heads/main\n")
      const { snapshot } = await (await place.open()).capture()
      expect(await text(place, snapshot.id, "a")).toBe(content)
    }
  })

  test.runIf(gitIsThere())("after the repair native git finds the new snapshot whole", async () => {
    const { place, packs } = await twoSnapshots()
    for (const end of [".pack", ".idx"]) fs.rmSync(packs[0] + end)
    const { snapshot } = await (await place.open()).capture()
    const fsck = git(["--git-dir", place.gitdir, "rev-list", "--objects", snapshot.id], { anyStatus: true })
    expect(fsck).toMatchObject({ status: 0, stderr: "" })
  })
})
