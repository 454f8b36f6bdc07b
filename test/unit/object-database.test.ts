import fs from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import zlib from "node:zlib"
import { createFsFromVolume, Volume } from "memfs"
import { beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { concat, utf8 } from "../../src/core/bytes.js"
import type { FileSystemClient } from "../../src/core/file-system-client.js"
import { joinLoose, type GitObject } from "../../src/core/object.js"
import { EMPTY_TREE, type Oid } from "../../src/core/oid.js"
import type { PackedEntry } from "../../src/core/unpacker.js"
import { clientFileSystem } from "../../src/platform/client-file-system.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { nodeUnpacker } from "../../src/platform/node/node-unpacker.js"
import { objectDatabase, type ObjectDatabase, type ObjectDatabaseOptions } from "../../src/store/object-database.js"
import { craftPack, encodeDelta, type CraftedEntry } from "../support/crafted-pack.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { git, gitIsThere } from "../support/git.js"
import { gitObjects, historyRepository, noise, packsOf } from "../support/git-objects.js"
import { temporaryFolder } from "../support/temporary-folder.js"

let original = ""
beforeAll(() => {
  const folder = fs.mkdtempSync(join(tmpdir(), "treeshot-test-"))
  if (gitIsThere()) original = historyRepository(folder)
  return () => fs.rmSync(folder, { recursive: true })
})

const ABSENT = "0123456789".repeat(4) as Oid

describe.runIf(gitIsThere())("every object is read as git reads it", () => {
  const layouts: Readonly<Record<string, (repository: string) => void>> = {
    "as fast-import leaves them": () => {},
    "packed anew with offset deltas": (cwd) => git(["repack", "-adfq", "--depth=50"], { cwd }),
    "packed with ref deltas": (cwd) => repackByHand(cwd, ["--no-reuse-delta", "--depth=50"], []),
    "packed with 64-bit offsets": (cwd) =>
      repackByHand(cwd, ["--no-reuse-delta", "--delta-base-offset"], ["--index-version=2,0x40"]),
    loose: unpack,
    "half loose, half in two packs": (cwd) => {
      git(["repack", "-adfq"], { cwd })
      git(["unpack-objects", "-q"], { cwd: emptied(cwd), input: fs.readFileSync(join(cwd, "aside.pack")) })
      git(["pack-objects", "-q", join(cwd, "objects/pack/pack")], { cwd, input: oidsOf(cwd, 0, 2) })
      git(["pack-objects", "-q", join(cwd, "objects/pack/pack")], { cwd, input: oidsOf(cwd, 1, 3) })
      git(["prune-packed", "-q"], { cwd })
    },
  }

  it.each(Object.entries(layouts))("%s, on node:fs and on memfs", async (name, arrange) => {
    const repository = await history()
    arrange(repository)
    if (name === "packed with ref deltas") expect(verifyPack(repository)).toMatch(/chain length = 1\d/)
    const expected = gitObjects(repository)
    expect(expected.size).toBeGreaterThan(240)
    await expectAll(openNode(join(repository, "objects")), expected)
    await expectAll(openMemory(inMemory(repository)), expected)
  })

  it("with chains of deltas that are read from their far end on", async () => {
    const repository = await history()
    git(["repack", "-adfq", "--depth=250", "--window=100"], { cwd: repository })
    const [, deepest] = /^(\w{40}) blob +\d+ \d+ \d+ 4\d /m.exec(verifyPack(repository)) ?? []
    const database = openNode(join(repository, "objects"))
    const expected = gitObjects(repository).get(deepest as Oid) as GitObject
    expectSame(await database.read(deepest as Oid), expected)
    expectSame(await database.read(deepest as Oid), expected)
  })

  it("through packs that are symbolic links, and a linked folder of packs", async () => {
    const folder = await temporaryFolder()
    const repository = await history(folder)
    const expected = gitObjects(repository)
    const packs = join(repository, "objects/pack")
    fs.renameSync(packs, join(folder, "elsewhere"))
    fs.mkdirSync(packs)
    for (const name of fs.readdirSync(join(folder, "elsewhere")))
      fs.symlinkSync(join(folder, "elsewhere", name), join(packs, name))
    await expectAll(openNode(join(repository, "objects")), expected)
    fs.rmSync(packs, { recursive: true })
    fs.symlinkSync(join(folder, "elsewhere"), packs)
    await expectAll(openNode(join(repository, "objects")), expected)
  })

  it("with more packs than may be open at once", async () => {
    const folder = await temporaryFolder()
    const expected = new Map<Oid, GitObject>()
    for (let i = 0; i < 150; i++) {
      const bytes = utf8(`content ${i}`)
      const entry = await wholeBlob(bytes)
      await writePack(folder, `pack-${i}`, [entry])
      expected.set(entry.oid, { type: "blob", bytes })
    }
    const open = countedOpenFiles()
    const database = openWith({ fileSystem: open.fileSystem, objectsFolder: folder })
    for (const [oid, object] of expected) expectSame(await database.read(oid), object)
    expect(open.most()).toBe(65)
    expect(open.now()).toBeLessThanOrEqual(64)
    await database.close()
    expect(open.now()).toBe(0)
  })
})

describe.runIf(gitIsThere())("alternates", () => {
  it("are followed as deep as git follows them, over absolute, relative and quoted lines, past comments and circles", async () => {
    const folder = await temporaryFolder()
    const names = ["r0", "r1", "r2", "r3 ü", 'r4"\\', "r5", "r6", "r7", "r8"]
    const oids = names.map((name) => {
      const cwd = join(folder, name)
      git(["init", "-q", "--bare", cwd])
      return git(["hash-object", "-w", "--stdin"], { cwd, input: `in ${name}` }).text.trim() as Oid
    })
    const lines = names.map((name, i) =>
      i === 3
        ? `"${folder}/r3 \\303\\274/objects"`
        : i % 2 === 0
          ? `../../${name}/objects`
          : `${folder}/${name}/objects`,
    )
    for (const [i, name] of names.entries()) {
      const content = `# a comment\n\n/nowhere/objects\n${lines[i + 1] ?? ""}\n${lines[Math.max(0, i - 1)]}\n`
      fs.writeFileSync(join(folder, name, "objects/info/alternates"), content)
    }
    const database = openNode(join(folder, "r0/objects"))
    for (const oid of oids) {
      const known = git(["cat-file", "-e", oid], { cwd: join(folder, "r0"), anyStatus: true }).status === 0
      expect(await database.has(oid)).toBe(known)
      expect((await database.read(oid)) !== undefined).toBe(known)
    }
    expect(await database.present(oids)).toEqual(new Set(oids.slice(0, 7)))
  })

  it("that cannot be listed do not keep the own objects from being read, and fail what is nowhere else", async () => {
    const folder = await temporaryFolder()
    const own = historyRepository(folder, 3)
    const other = join(folder, "other.git")
    git(["init", "-q", "--bare", other])
    fs.writeFileSync(join(own, "objects/info/alternates"), `${other}/objects\n`)
    const faults = Array.from({ length: 20 }, (_, i) => ({
      call: i + 1,
      kind: "list" as const,
      path: "other.git/objects/pack",
      how: "fail" as const,
      errno: "EACCES",
    }))
    const fileSystem = faultyFileSystem(nodeFileSystem(), faults)
    const database = openWith({ fileSystem, objectsFolder: join(own, "objects") })
    for (const [oid, expected] of gitObjects(own)) expectSame(await database.read(oid), expected)
    await expect(database.read(ABSENT)).rejects.toMatchObject({ code: "IO_FAILED", details: { errno: "EACCES" } })
  })
})

describe.runIf(gitIsThere())("what is stored", () => {
  it("is told for one oid and for many, loose, packed and absent", async () => {
    const repository = await history()
    const loose = git(["hash-object", "-w", "--stdin"], { cwd: repository, input: "loose" }).text.trim() as Oid
    const emptied = git(["hash-object", "-w", "--stdin"], { cwd: repository, input: "emptied" }).text.trim() as Oid
    const path = join(repository, "objects", emptied.slice(0, 2), emptied.slice(2))
    fs.chmodSync(path, 0o644)
    fs.truncateSync(path)
    const all = [...gitObjects(await history()).keys(), loose]
    const database = openNode(join(repository, "objects"))
    expect(await database.present([...all, emptied, ABSENT])).toEqual(new Set(all))
    expect(await database.present([loose])).toEqual(new Set([loose]))
    expect(await database.present([all[0] as Oid])).toEqual(new Set([all[0]]))
    for (const oid of [loose, all[0] as Oid]) expect(await database.has(oid)).toBe(true)
    for (const oid of [emptied, ABSENT]) expect(await database.has(oid)).toBe(false)
  })

  it("is told by every prefix, as git tells it", async () => {
    const repository = await history()
    git(["hash-object", "-w", "--stdin"], { cwd: repository, input: "loose" })
    const oids = [...gitObjects(repository).keys()].toSorted()
    const database = openNode(join(repository, "objects"))
    for (const oid of oids.slice(0, 30))
      for (const length of [1, 2, 3, 7, 40]) {
        const prefix = oid.slice(0, length)
        expect(await database.withPrefix(prefix)).toEqual(oids.filter((each) => each.startsWith(prefix)))
      }
    for (const prefix of ["", "g", "AB", `${oids[0]}0`, "../.."]) expect(await database.withPrefix(prefix)).toEqual([])
  })

  it("is found when another process adds it later, loose or packed", async () => {
    const repository = await history()
    const database = openNode(join(repository, "objects"))
    const add = (text: string): Oid =>
      git(["hash-object", "-w", "--stdin"], { cwd: repository, input: text }).text.trim() as Oid
    expect(await database.read(ABSENT)).toBeUndefined()
    const first = add("first")
    expect(await database.has(first)).toBe(true)
    const second = add("second")
    git(["pack-objects", "-q", join(repository, "objects/pack/pack")], { cwd: repository, input: `${second}\n` })
    git(["prune-packed", "-q"], { cwd: repository })
    expectSame(await database.read(second), { type: "blob", bytes: utf8("second") })
  })

  it("is found where another process has packed it meanwhile, though the old packs were open", async () => {
    const repository = await history()
    const expected = gitObjects(repository)
    const database = openNode(join(repository, "objects"))
    await expectAll(database, expected)
    git(["repack", "-adfq", "--depth=3"], { cwd: repository })
    await expectAll(database, expected)
    fs.rmSync(join(repository, "objects/pack"), { recursive: true })
    await database.rescan()
    expect((await database.present(expected.keys())).size).toBe(0)
  })

  it("is found again when its pack is replaced by another of the same name", async () => {
    const folder = await temporaryFolder()
    const database = openNode(folder)
    const entries = await Promise.all(["one", "two", "three"].map((text) => wholeBlob(utf8(text))))
    await writePack(folder, "pack-same", entries.slice(0, 2))
    expectSame(await database.read((entries[0] as CraftedEntry).oid), { type: "blob", bytes: utf8("one") })
    for (const name of fs.readdirSync(join(folder, "pack"))) fs.rmSync(join(folder, "pack", name))
    await writePack(folder, "pack-same", entries.toReversed())
    for (const [i, text] of ["one", "two", "three"].entries())
      expectSame(await database.read((entries[i] as CraftedEntry).oid), { type: "blob", bytes: utf8(text) })
  })

  it("always includes the empty tree for a reader, stored only when it is", async () => {
    const database = openNode(await temporaryFolder())
    expect(await database.read(EMPTY_TREE)).toEqual({ type: "tree", bytes: new Uint8Array(0) })
    expect(await database.has(EMPTY_TREE)).toBe(false)
    const other = openNode("/nowhere/at/all")
    expect(await other.read(ABSENT)).toBeUndefined()
    expect(await other.withPrefix("01")).toEqual([])
  })

  it("belongs to the caller: bytes that it changes are not seen by the next one", async () => {
    const repository = await history()
    git(["repack", "-adfq", "--depth=50"], { cwd: repository })
    const expected = gitObjects(repository)
    const database = openNode(join(repository, "objects"))
    for (let i = 0; i < 3; i++)
      for (const [oid, { bytes }] of expected) {
        const object = await database.read(oid)
        expect(Buffer.from(bytes).equals(object?.bytes as Uint8Array)).toBe(true)
        object?.bytes.fill(0)
      }
  })

  it("is not given once the database is closed", async () => {
    const database = openNode(await temporaryFolder())
    await database.close()
    await database.close()
    await expect(database.read(ABSENT)).rejects.toMatchObject({ code: "CLOSED" })
    await expect(database.present([ABSENT])).rejects.toMatchObject({ code: "CLOSED" })
  })
})

describe("damage", () => {
  it("of a pack's end, start, size or index sets it aside, and its objects count as missing", async () => {
    const entry = await wholeBlob(utf8("content"))
    const { pack, index } = await craftPack([entry])
    const other = await craftPack([await wholeBlob(utf8("another"))])
    const broken: Record<string, readonly [pack: Uint8Array, index: Uint8Array]> = {
      "cut off": [pack.subarray(0, -1), index],
      "cut to nothing": [new Uint8Array(0), index],
      "longer than it was": [concat([pack, new Uint8Array(20)]), index],
      "a wrong trailer": [pack.with(pack.length - 1, (pack.at(-1) as number) ^ 1), index],
      "another magic": [pack.with(0, 0x51), index],
      "another version": [pack.with(7, 3), index],
      "another count": [pack.with(11, 2), index],
      "an emptied index": [pack, new Uint8Array(0)],
      "a changed index": [pack, index.with(index.length - 45, 0x7f)],
      "the index of another pack": [pack, other.index],
    }
    for (const [what, [packBytes, indexBytes]] of Object.entries(broken)) {
      const folder = await temporaryFolder()
      putPack(folder, "pack-x", packBytes, indexBytes)
      const database = openNode(folder)
      expect(await database.has(entry.oid), what).toBe(false)
      expect(await database.read(entry.oid), what).toBeUndefined()
      expect(await database.withPrefix(entry.oid.slice(0, 4)), what).toEqual([])
      expect(database.setAside(), what).toEqual([join(folder, "pack/pack-x")])
      putPack(folder, "pack-x", pack, index)
      expect(await database.has(entry.oid), what).toBe(true)
      expect(database.setAside(), what).toEqual([])
    }
  })

  it("of any single byte of a pack or a loose object never gives anything but the truth or an error", async () => {
    const texts = ["first content ".repeat(9), "second content ".repeat(9)].map(utf8)
    const [base, other] = (await Promise.all(texts.map(wholeBlob))) as [CraftedEntry, CraftedEntry]
    const result = concat([texts[0] as Uint8Array, utf8("!")])
    const delta = encodeDelta(126, 127, [{ copy: [0, 126] }, { insert: utf8("!") }])
    const child = await blobEntry(result, { type: "ref-delta", sizeBytes: delta.length, base: base.oid }, delta)
    const entries = [base, other, child]
    const truth = new Map([base, other].map((each, i) => [each.oid, texts[i] as Uint8Array]))
    truth.set(child.oid, result)
    const { pack, index } = await craftPack(entries)
    const volume = createFsFromVolume(new Volume())
    volume.mkdirSync("/objects/pack", { recursive: true })
    volume.writeFileSync("/objects/pack/pack-x.idx", index)
    let unreadable = 0
    for (let at = 0; at < pack.length; at++) {
      volume.writeFileSync("/objects/pack/pack-x.pack", pack.with(at, (pack[at] as number) ^ (1 << (at % 8))))
      const database = openMemory(volume)
      for (const [oid, expected] of truth) {
        const object = await database.read(oid).catch((error: unknown) => {
          expect(error).toMatchObject({ code: "OBJECT_CORRUPT", details: { oid } })
          unreadable++
          return undefined
        })
        if (object !== undefined) expectSame(object, { type: "blob", bytes: expected })
      }
    }
    expect(unreadable).toBeGreaterThan(pack.length / 2)
    const content = zlib.deflateSync(joinLoose("blob", texts[0] as Uint8Array))
    const folder = `/loose/${base.oid.slice(0, 2)}`
    volume.mkdirSync(folder, { recursive: true })
    for (let at = 0; at < content.length; at++) {
      for (const bytes of [content.subarray(0, at), content.with(at, (content[at] as number) ^ (1 << (at % 8)))]) {
        volume.writeFileSync(`${folder}/${base.oid.slice(2)}`, bytes)
        const database = openMemory(volume, "/loose")
        const object = await database.read(base.oid).catch((error: unknown) => {
          expect(error).toMatchObject({ code: "OBJECT_CORRUPT" })
          return undefined
        })
        if (object !== undefined) expectSame(object, { type: "blob", bytes: texts[0] as Uint8Array })
      }
    }
  })

  it("of one copy is passed over for a good one in another pack, loose, or in an alternate", async () => {
    const bytes = utf8("good content".repeat(40))
    const good = await wholeBlob(bytes)
    const bad = { ...good, content: utf8("bad content!".repeat(40)) }
    const places: Record<string, (folder: string) => Promise<void>> = {
      "an older pack": async (folder) => {
        await writePack(folder, "pack-old", [good])
        fs.utimesSync(join(folder, "pack/pack-old.pack"), 1, 1)
      },
      "a newer pack": async (folder) => {
        await writePack(folder, "pack-new", [good])
        fs.utimesSync(join(folder, "pack/pack-new.pack"), 2_000_000_000, 2_000_000_000)
      },
      "a loose object": async (folder) => writeLoose(folder, good.oid, joinLoose("blob", bytes)),
      "an alternate": async (folder) => {
        await writePack(`${folder}/other`, "pack-alternate", [good])
        fs.mkdirSync(join(folder, "info"))
        fs.writeFileSync(join(folder, "info/alternates"), "other\n")
      },
    }
    for (const [what, place] of Object.entries(places)) {
      const folder = await temporaryFolder()
      await writePack(folder, "pack-bad", [bad])
      const database = openNode(folder)
      expect(await database.has(good.oid)).toBe(true)
      await expect(database.read(good.oid), what).rejects.toMatchObject({ code: "OBJECT_CORRUPT" })
      expect(await database.has(good.oid), what).toBe(false)
      await place(folder)
      expect(await database.has(good.oid), what).toBe(true)
      expectSame(await database.read(good.oid), { type: "blob", bytes })
      expectSame(await openNode(folder).read(good.oid), { type: "blob", bytes })
    }
  })

  it("everywhere is an error with the oid, the cause, and what to do", async () => {
    const folder = await temporaryFolder()
    const good = await wholeBlob(utf8("content"))
    await writePack(folder, "pack-1", [{ ...good, content: utf8("another") }])
    writeLoose(folder, good.oid, utf8("no header"))
    const error: unknown = await openNode(folder)
      .read(good.oid)
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: "OBJECT_CORRUPT", details: { oid: good.oid } })
    expect(String(error)).toContain("Capture again")
    expect((error as { cause: AggregateError }).cause.errors).toHaveLength(2)
  })

  it("that a failing disk may explain is told as a failure of the system, and is over when the disk is well", async () => {
    const folder = await temporaryFolder()
    const good = await wholeBlob(utf8("content"))
    await writePack(folder, "pack-1", [good])
    for (const kind of ["readFile", "open", "file.read"] as const) {
      const faults = [1, 2].map((call) => ({ call, kind, path: "pack-1", how: "fail" as const }))
      const database = openWith({ fileSystem: faultyFileSystem(nodeFileSystem(), faults), objectsFolder: folder })
      await expect(database.read(good.oid), kind).rejects.toMatchObject({
        code: "IO_FAILED",
        details: { errno: "EIO" },
      })
      expectSame(await database.read(good.oid), { type: "blob", bytes: utf8("content") })
    }
  })

  it("in the form of deltas that lead in a circle, to nothing or past themselves ends in an error", async () => {
    const delta = encodeDelta(1, 1, [{ insert: utf8("x") }])
    const size = delta.length
    const ids = ["1", "2", "3"].map((digit) => digit.repeat(40) as Oid) as [Oid, Oid, Oid]
    const refDelta = (oid: Oid, base: Oid): CraftedEntry => ({
      oid,
      header: { type: "ref-delta", sizeBytes: size, base },
      content: delta,
    })
    const offsetDelta = (distance: number): CraftedEntry => ({
      oid: ids[0],
      header: { type: "offset-delta", sizeBytes: size, distance },
      content: delta,
    })
    const packs: readonly (readonly CraftedEntry[])[] = [
      [refDelta(ids[0], ids[0])],
      [refDelta(ids[0], ids[1]), refDelta(ids[1], ids[2]), refDelta(ids[2], ids[0])],
      [refDelta(ids[0], ABSENT)],
      [offsetDelta(0)],
      [offsetDelta(1)],
      [offsetDelta(12)],
      [offsetDelta(2 ** 40)],
    ]
    for (const entries of packs) {
      const folder = await temporaryFolder()
      await writePack(folder, "pack-x", entries)
      const database = openNode(folder)
      for (const { oid } of entries) {
        await expect(database.read(oid)).rejects.toMatchObject({ code: "OBJECT_CORRUPT", details: { oid } })
        await expect(database.stream(oid)).rejects.toMatchObject({ code: "OBJECT_CORRUPT" })
      }
    }
  })

  it("in the form of chains longer than git makes them ends in an error, and 4,000 deltas are read", async () => {
    const folder = await temporaryFolder()
    const deltas = 4200
    const entries: CraftedEntry[] = [await wholeBlob(utf8("0"))]
    for (let i = 1; i <= deltas; i++) {
      const before = entries[i - 1] as CraftedEntry
      const content = encodeDelta(String(i - 1).length, String(i).length, [{ insert: utf8(String(i)) }])
      entries.push(
        await blobEntry(utf8(String(i)), { type: "ref-delta", sizeBytes: content.length, base: before.oid }, content),
      )
    }
    await writePack(folder, "pack-x", entries)
    expectSame(await openNode(folder).read((entries[4000] as CraftedEntry).oid), { type: "blob", bytes: utf8("4000") })
    await expect(openNode(folder).read((entries[deltas] as CraftedEntry).oid)).rejects.toMatchObject({
      code: "OBJECT_CORRUPT",
    })
  })

  it("in the form of a size that is not true ends in an error, and in little memory", async () => {
    const tiny = utf8("tiny")
    const blob = await wholeBlob(tiny)
    const sized = (sizeBytes: number): CraftedEntry => ({ ...blob, header: { type: "blob", sizeBytes } })
    const base = await wholeBlob(utf8("base"))
    const plausible = concat([encodeDelta(4, 4 * 2 ** 30, [{ copy: [0, 4] }]), new Uint8Array(300).fill(0x90)])
    const huge = encodeDelta(4, 4 * 2 ** 30, [{ copy: [0, 4] }])
    const claims: readonly (readonly CraftedEntry[])[] = [
      [sized(0)],
      [sized(3)],
      [sized(5)],
      [sized(10_000)],
      [sized(4 * 2 ** 30)],
      [sized(2 ** 52)],
      [base, { ...blob, header: { type: "ref-delta", sizeBytes: huge.length, base: base.oid }, content: huge }],
      [base, { ...blob, header: { type: "ref-delta", sizeBytes: 4 * 2 ** 30, base: base.oid }, content: huge }],
      [
        base,
        { ...blob, header: { type: "ref-delta", sizeBytes: plausible.length, base: base.oid }, content: plausible },
      ],
    ]
    const before = process.resourceUsage().maxRSS
    for (const entries of claims) {
      const folder = await temporaryFolder()
      await writePack(folder, "pack-x", entries)
      const database = openNode(folder)
      // A delta of a few hundred bytes may truly make gigabytes, so it is refused as too large.
      const code = entries[1]?.content === plausible ? "UNSUPPORTED" : "OBJECT_CORRUPT"
      await expect(database.read(blob.oid)).rejects.toMatchObject({ code })
      await expect(drain(database, blob.oid)).rejects.toMatchObject({ code })
    }
    for (const header of ["blob 5\0", "blob 4294967296\0", "blob 4\0x", "blob 04294967296000000\0", "blob -4\0"]) {
      const folder = await temporaryFolder()
      writeLoose(folder, blob.oid, concat([utf8(header), tiny]))
      await expect(openNode(folder).read(blob.oid)).rejects.toMatchObject({ code: "OBJECT_CORRUPT" })
      await expect(drain(openNode(folder), blob.oid)).rejects.toMatchObject({ code: "OBJECT_CORRUPT" })
    }
    const after = process.resourceUsage().maxRSS
    expect(after - before).toBeLessThan(300 * 1024)
  })

  it("in the form of content that is compressed to nearly nothing stops at the bound", async () => {
    const folder = await temporaryFolder()
    const zeros = new Uint8Array(40 << 20)
    const entry = await wholeBlob(zeros)
    await writePack(folder, "pack-x", [{ ...entry, header: { type: "blob", sizeBytes: 1000 } }])
    writeLoose(folder, entry.oid, concat([utf8("blob 1000\0"), zeros]))
    const database = openWith({ objectsFolder: folder, limitBytes: 8 << 20 })
    await expect(database.read(entry.oid)).rejects.toMatchObject({ code: "OBJECT_CORRUPT" })
    await expect(drain(database, entry.oid)).rejects.toMatchObject({ code: "OBJECT_CORRUPT" })

    const streamed = await temporaryFolder()
    await writePack(streamed, "pack-x", [{ ...entry, header: { type: "blob", sizeBytes: 2 << 20 } }])
    let given = 0
    const takeAll = async (): Promise<void> => {
      for await (const chunk of (await openNode(streamed).stream(entry.oid))?.chunks ?? []) given += chunk.length
    }
    await expect(takeAll()).rejects.toMatchObject({ code: "OBJECT_CORRUPT" })
    expect(given).toBeLessThanOrEqual(2 << 20)
  })
})

describe("large objects", () => {
  it("are streamed in pieces, packed, loose and from memfs, and refused in memory above the limit", async () => {
    const bytes = noise(7, 5_000_000)
    const entry = await wholeBlob(bytes)
    const packed = await temporaryFolder()
    const loose = await temporaryFolder()
    await writePack(packed, "pack-x", [entry])
    writeLoose(loose, entry.oid, joinLoose("blob", bytes))
    const volume = inMemory(packed, "/objects")
    const limitBytes = 4_000_000
    const fileSystem = clientFileSystem(volume as unknown as FileSystemClient)
    for (const options of [
      { objectsFolder: packed },
      { objectsFolder: loose },
      { objectsFolder: "/objects", fileSystem },
    ]) {
      const database = openWith({ ...options, limitBytes })
      await expect(database.read(entry.oid)).rejects.toMatchObject({ code: "UNSUPPORTED" })
      const stream = await database.stream(entry.oid)
      expect(stream).toMatchObject({ type: "blob", sizeBytes: bytes.length })
      const pieces: Uint8Array[] = []
      for await (const chunk of stream?.chunks ?? []) pieces.push(chunk.slice())
      expect(pieces.length).toBeGreaterThan(4)
      expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
      expectSame(await openWith(options).read(entry.oid), { type: "blob", bytes })
    }
  })

  it("that are damaged throw behind what came before, and the next stream takes another copy", async () => {
    const bytes = noise(8, 3_000_000)
    const entry = await wholeBlob(bytes)
    const wrong = Uint8Array.from(bytes)
    wrong[2_900_000] = (wrong[2_900_000] as number) ^ 1
    const folder = await temporaryFolder()
    await writePack(folder, "pack-x", [{ ...entry, content: wrong }])
    const database = openNode(folder)
    await expect(drain(database, entry.oid)).rejects.toMatchObject({
      code: "OBJECT_CORRUPT",
      details: { oid: entry.oid },
    })
    expect(await database.has(entry.oid)).toBe(false)
    expect(await database.stream(entry.oid)).toBeDefined()
    expect(await database.has(entry.oid)).toBe(false)
    writeLoose(folder, entry.oid, joinLoose("blob", bytes))
    expect((await drain(database, entry.oid)).equals(bytes)).toBe(true)
  })

  it("whose stream is given up half-way leave no file open", async () => {
    const entry = await wholeBlob(noise(9, 4_000_000))
    const folder = await temporaryFolder()
    writeLoose(folder, entry.oid, joinLoose("blob", entry.content))
    const open = countedOpenFiles()
    const database = openWith({ fileSystem: open.fileSystem, objectsFolder: folder })
    const leaveEarly = async (): Promise<void> => {
      for await (const chunk of (await database.stream(entry.oid))?.chunks ?? []) if (chunk.length > 0) return
      throw new Error("there was no stream")
    }
    await leaveEarly()
    expect(open.now()).toBe(0)
    fs.rmSync(join(folder, entry.oid.slice(0, 2)), { recursive: true })
    await writePack(folder, "pack-x", [entry])
    await leaveEarly()
    await database.close()
    expect(open.now()).toBe(0)
  })

  it("that a size of 1 MiB divides are given whole and verified on either side of it", async () => {
    for (const size of [(1 << 20) - 1, 1 << 20, (1 << 20) + 1]) {
      const bytes = noise(size, size)
      const entry = await wholeBlob(bytes)
      const folder = await temporaryFolder()
      await writePack(folder, "pack-x", [entry])
      expect((await drain(openNode(folder), entry.oid)).equals(bytes)).toBe(true)
      const loose = await temporaryFolder()
      writeLoose(loose, entry.oid, joinLoose("blob", bytes))
      expect((await drain(openNode(loose), entry.oid)).equals(bytes)).toBe(true)
    }
  })
})

describe("objects that are read together", () => {
  it.runIf(gitIsThere())("are those that git reads, short and whole in a pack, and no others", async () => {
    const repository = await history()
    git(["repack", "-adfq", "--depth=50"], { cwd: repository })
    const expected = gitObjects(repository)
    const isDelta = new Set(
      Array.from(verifyPack(repository).matchAll(/^(\w{40}) \w+ +\d+ \d+ \d+ \d+ \w{40}$/gm), ([, oid]) => oid),
    )
    expect(isDelta.size).toBeGreaterThan(50)
    const found = await openNode(join(repository, "objects")).readTogether([...expected.keys(), ABSENT])
    for (const [oid, object] of found) expectSame(object, expected.get(oid) as GitObject)
    const wanted = [...expected].filter(([oid, { bytes }]) => !isDelta.has(oid) && bytes.length <= 128 * 1024)
    expect([...found.keys()].sort()).toEqual(wanted.map(([oid]) => oid).sort())
    unpack(repository)
    expect((await openNode(join(repository, "objects")).readTogether(expected.keys())).size).toBe(0)
  })

  it("are read a few neighbours at a time, with fewer calls than objects by far", async () => {
    const folder = await temporaryFolder()
    const entries = await Promise.all(Array.from({ length: 2000 }, (_, i) => wholeBlob(utf8(`content ${i}`))))
    await writePack(folder, "pack-x", entries)
    const files = faultyFileSystem(nodeFileSystem())
    const database = openWith({ fileSystem: files, objectsFolder: folder })
    await database.readTogether([])
    const opened = files.calls.length
    expect((await database.readTogether(entries.map(({ oid }) => oid))).size).toBe(2000)
    expect(files.calls.slice(opened).filter(({ kind }) => kind === "file.read").length).toBeLessThan(50)
  })

  it("are never other than what their oids name, and damage keeps no other one back", async () => {
    const folder = await temporaryFolder()
    const entries = await Promise.all(Array.from({ length: 40 }, (_, i) => wholeBlob(noise(300, i))))
    const { pack, index } = await craftPack(entries)
    for (let at = 20; at < pack.length - 20; at += 97) {
      const damaged = Uint8Array.from(pack)
      damaged[at] = (damaged[at] as number) ^ 0x10
      putPack(folder, "pack-x", damaged, index)
      const found = await openNode(folder).readTogether(entries.map(({ oid }) => oid))
      expect(found.size).toBe(39)
      for (const { oid, content } of entries)
        if (found.has(oid)) expectSame(found.get(oid), { type: "blob", bytes: content })
    }
  })

  it("take 16 MiB at most, and what is left is read by itself", async () => {
    const folder = await temporaryFolder()
    const entries = await Promise.all(
      Array.from({ length: 300 }, (_, i) => wholeBlob(new Uint8Array(100_000).fill(i).with(0, i >> 8))),
    )
    await writePack(folder, "pack-x", entries)
    const database = openNode(folder)
    const found = await database.readTogether(entries.map(({ oid }) => oid))
    const bytes = [...found.values()].reduce((sum, object) => sum + object.bytes.length, 0)
    expect(bytes).toBeGreaterThan(15 << 20)
    expect(bytes).toBeLessThanOrEqual(16 << 20)
    for (const { oid, content } of entries.slice(-3))
      expectSame(await database.read(oid), { type: "blob", bytes: content })
  })

  it("are the same with and without something that unpacks them at once, and where it gives up", async () => {
    const folder = await temporaryFolder()
    const entries = await Promise.all(Array.from({ length: 100 }, (_, i) => wholeBlob(noise(500, i))))
    await writePack(folder, "pack-x", entries)
    const oids = entries.map(({ oid }) => oid)
    const alone = await openNode(folder).readTogether(oids)
    expect(alone.size).toBe(100)
    const atOnce = await openWith({ objectsFolder: folder, unpacker: nodeUnpacker() }).readTogether(oids)
    expect([...atOnce.keys()].sort()).toEqual([...alone.keys()].sort())
    for (const [oid, object] of atOnce) expectSame(object, alone.get(oid) as GitObject)
    const refuses = openWith({ objectsFolder: folder, unpacker: { unpack: () => undefined } })
    expect((await refuses.readTogether(oids)).size).toBe(0)
    expectSame(await refuses.read(oids[0] as Oid), alone.get(oids[0] as Oid) as GitObject)
  })

  it("come as they stand in the pack, where they are asked for so", async () => {
    const folder = await temporaryFolder()
    const entries = await Promise.all(Array.from({ length: 100 }, (_, i) => wholeBlob(noise(500, i))))
    await writePack(folder, "pack-x", entries)
    const packed = await openNode(folder).packedTogether([...entries.map(({ oid }) => oid), ABSENT])
    expect(packed.size).toBe(100)
    for (const { oid, content } of entries)
      expectSame(nodeUnpacker().unpack(packed.get(oid) as PackedEntry), { type: "blob", bytes: content })
  })

  it("are not to be had of a database that is closed", async () => {
    const database = openNode(await temporaryFolder())
    await database.close()
    await expect(database.readTogether([ABSENT])).rejects.toMatchObject({ code: "CLOSED" })
  })
})

it.runIf(gitIsThere())("a pack with an index of version 1 is named when an object is found nowhere else", async () => {
  const repository = historyRepository(await temporaryFolder(), 3)
  const [pack] = packsOf(repository) as [string]
  const [oid] = gitObjects(repository).keys()
  fs.rmSync(`${pack}.idx`)
  git(["index-pack", "--index-version=1", `${pack}.pack`], { cwd: repository })
  const database = openNode(join(repository, "objects"))
  await expect(database.read(oid as Oid)).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" })
  expect(await database.has(oid as Oid)).toBe(false)
})

/** A copy of one and the same repository. */
async function history(folder?: string): Promise<string> {
  const repository = join(folder ?? (await temporaryFolder()), "history.git")
  fs.cpSync(original, repository, { recursive: true })
  return repository
}

function openWith(options: Partial<ObjectDatabaseOptions> & { readonly objectsFolder: string }): ObjectDatabase {
  const ports = { fileSystem: nodeFileSystem(), hasher: nodeHasher(), deflater: nodeDeflater() }
  const database = objectDatabase({ ...ports, ...options })
  onTestFinished(() => database.close())
  return database
}

function openNode(objectsFolder: string): ObjectDatabase {
  return openWith({ objectsFolder })
}

function openMemory(volume: ReturnType<typeof createFsFromVolume>, objectsFolder = "/objects"): ObjectDatabase {
  return openWith({ objectsFolder, fileSystem: clientFileSystem(volume as unknown as FileSystemClient) })
}

/** The files of `folder` in a new memfs, at `target`. */
function inMemory(folder: string, target = ""): ReturnType<typeof createFsFromVolume> {
  const volume = createFsFromVolume(new Volume())
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name)
    const copy = `${target}/${relative(folder, path)}`
    if (fs.statSync(path).isDirectory()) volume.mkdirSync(copy, { recursive: true })
    else {
      volume.mkdirSync(copy.slice(0, copy.lastIndexOf("/")) || "/", { recursive: true })
      volume.writeFileSync(copy, fs.readFileSync(path))
    }
  }
  return volume
}

async function expectAll(database: ObjectDatabase, expected: ReadonlyMap<Oid, GitObject>): Promise<void> {
  await Promise.all(
    [...expected].map(async ([oid, object]) => {
      expectSame(await database.read(oid), object)
      expect((await drain(database, oid)).equals(object.bytes)).toBe(true)
    }),
  )
  expect(await database.present([...expected.keys(), ABSENT])).toEqual(new Set(expected.keys()))
}

function expectSame(actual: GitObject | undefined, expected: GitObject): void {
  expect(actual?.type).toBe(expected.type)
  expect(Buffer.from(actual?.bytes as Uint8Array).equals(expected.bytes)).toBe(true)
}

async function drain(database: ObjectDatabase, oid: Oid): Promise<Buffer> {
  const stream = await database.stream(oid)
  const pieces: Uint8Array[] = []
  if (stream !== undefined) for await (const chunk of stream.chunks) pieces.push(chunk.slice())
  return Buffer.concat(pieces)
}

async function blobEntry(
  bytes: Uint8Array,
  header: CraftedEntry["header"],
  content: Uint8Array,
): Promise<CraftedEntry> {
  const hash = await nodeHasher().sha1([utf8(`blob ${bytes.length}\0`), bytes])
  return { oid: Buffer.from(hash).toString("hex") as Oid, header, content }
}

async function wholeBlob(bytes: Uint8Array): Promise<CraftedEntry> {
  return blobEntry(bytes, { type: "blob", sizeBytes: bytes.length }, bytes)
}

async function writePack(objects: string, name: string, entries: readonly CraftedEntry[]): Promise<void> {
  const { pack, index } = await craftPack(entries)
  putPack(objects, name, pack, index)
}

function putPack(objects: string, name: string, pack: Uint8Array, index: Uint8Array): void {
  fs.mkdirSync(join(objects, "pack"), { recursive: true })
  for (const [extension, bytes] of [
    ["pack", pack],
    ["idx", index],
  ] as const) {
    const path = join(objects, "pack", `${name}.${extension}`)
    fs.rmSync(path, { force: true })
    fs.writeFileSync(path, bytes)
  }
}

function writeLoose(objects: string, oid: Oid, content: Uint8Array): void {
  fs.mkdirSync(join(objects, oid.slice(0, 2)), { recursive: true })
  fs.writeFileSync(join(objects, oid.slice(0, 2), oid.slice(2)), zlib.deflateSync(content))
}

/** node:fs, which counts the files that are open. */
function countedOpenFiles(): {
  readonly fileSystem: ReturnType<typeof nodeFileSystem>
  now(): number
  most(): number
} {
  let [now, most] = [0, 0]
  const inner = nodeFileSystem()
  const fileSystem = Object.assign(Object.create(inner) as typeof inner, {
    list: inner.list.bind(inner),
    lstat: inner.lstat.bind(inner),
    readFile: inner.readFile.bind(inner),
    realPath: inner.realPath.bind(inner),
    async open(...call: Parameters<typeof inner.open>) {
      const file = await inner.open(...call)
      most = Math.max(most, ++now)
      let closed = false
      const close = async (): Promise<void> => {
        if (!closed) now--
        closed = true
        await file.close()
      }
      return { stat: () => file.stat(), read: file.read.bind(file), close } as unknown as typeof file
    },
  })
  return { fileSystem, now: () => now, most: () => most }
}

/** Moves the packs aside, their contents into `aside.pack`, and unpacks them as loose objects. */
function unpack(cwd: string): void {
  git(["repack", "-adfq"], { cwd })
  git(["unpack-objects", "-q"], { cwd: emptied(cwd), input: fs.readFileSync(join(cwd, "aside.pack")) })
}

function emptied(cwd: string): string {
  const [pack] = packsOf(cwd) as [string]
  fs.renameSync(`${pack}.pack`, join(cwd, "aside.pack"))
  for (const name of fs.readdirSync(join(cwd, "objects/pack"))) fs.rmSync(join(cwd, "objects/pack", name))
  return cwd
}

/** The oids of every object from `from` on, in steps, one a line. */
function oidsOf(cwd: string, from: number, step: number): string {
  const listed = git(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"], { cwd }).text.trim()
  return `${listed
    .split("\n")
    .filter((_, i) => i % step === from)
    .join("\n")}\n`
}

function repackByHand(cwd: string, packOptions: readonly string[], indexOptions: readonly string[]): void {
  const pack = git(["pack-objects", "-q", "--all", "--stdout", ...packOptions], { cwd, input: "" }).stdout
  const [old] = packsOf(cwd) as [string]
  for (const name of fs.readdirSync(join(cwd, "objects/pack"))) fs.rmSync(join(cwd, "objects/pack", name))
  fs.writeFileSync(`${old}.pack`, pack)
  git(["index-pack", ...indexOptions, `${old}.pack`], { cwd })
}

function verifyPack(cwd: string): string {
  return packsOf(cwd)
    .map((pack) => git(["verify-pack", "-v", `${pack}.idx`], { cwd }).text)
    .join("\n")
}
