import fc from "fast-check"
import fs from "node:fs"
import { join } from "node:path"
import { createFsFromVolume, Volume } from "memfs"
import { describe, expect, it, onTestFinished } from "vitest"
import { concat } from "../../src/core/bytes.js"
import type { FileSystemClient } from "../../src/core/file-system-client.js"
import { hashObject, type ObjectType } from "../../src/core/object.js"
import type { Oid } from "../../src/core/oid.js"
import { encodeEntryHeader, type PackedObject } from "../../src/core/pack.js"
import { clientFileSystem } from "../../src/platform/client-file-system.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { webDeflater } from "../../src/platform/web/web-deflater.js"
import { webHasher } from "../../src/platform/web/web-hasher.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { packWriter, type PackWriter, type PackWriterOptions } from "../../src/store/pack-writer.js"
import { faultyFileSystem, type Fault } from "../support/faulty-file-system.js"
import { git, gitIsThere } from "../support/git.js"
import { gitObjects, historyRepository, noise } from "../support/git-objects.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const NODE = { fileSystem: nodeFileSystem(), hasher: nodeHasher(), deflater: nodeDeflater() }

describe.runIf(gitIsThere())("a published pack", () => {
  it.each([
    ["from memory", 8 << 20],
    ["over a temporary file", 1000],
    ["over a temporary file that is written at once", 0],
  ])("passes git's own checks and holds what was added, %s", async (_, memoryBytes) => {
    const source = historyRepository(await temporaryFolder(), 30)
    const expected = gitObjects(source)
    const { repository, writer } = await newRepository({ memoryBytes })
    await Promise.all(
      [...expected].map(async ([oid, { type, bytes }], i) => {
        if (type !== "blob" || i % 2 === 0) return writer.add(type, bytes, oid)
        expect(await writer.addStream(bytes.length, inChunks(bytes, 10_000))).toBe(oid)
      }),
    )
    expect(writer.count).toBe(expected.size)
    await writer.publish()
    expectVerified(repository)
    for (const ref of ["refs/heads/main", "refs/tags/v1"])
      git(["update-ref", ref, git(["rev-parse", ref], { cwd: source }).text.trim()], { cwd: repository })
    expect(git(["fsck", "--strict", "--full"], { cwd: repository }).stderr).toBe("")
    const types = (objects: typeof expected): unknown => new Map([...objects].map(([oid, { type }]) => [oid, type]))
    expect(types(gitObjects(repository))).toEqual(types(expected))
    expect(fs.readdirSync(join(repository, "tmp"))).toEqual([])
    for (const name of fs.readdirSync(join(repository, "objects/pack"))) {
      expect(name).toMatch(/^pack-test\.(?:pack|idx)$/)
      expect(fs.statSync(join(repository, "objects/pack", name)).mode & 0o777).toBe(0o444)
    }
    expect(writer.bytesWritten).toBe(sizeOfFiles(join(repository, "objects/pack")))
  })

  it("is the same index, byte for byte, as git makes for it", async () => {
    const { repository, writer } = await newRepository()
    for (const [oid, { type, bytes }] of gitObjects(historyRepository(await temporaryFolder(), 5)))
      await writer.add(type, bytes, oid)
    await writer.publish()
    const index = fs.readFileSync(join(repository, "objects/pack/pack-test.idx"))
    const again = join(repository, "again.idx")
    git(["index-pack", "-o", again, "objects/pack/pack-test.pack"], { cwd: repository })
    expect(index.equals(fs.readFileSync(again))).toBe(true)
  })

  it.each([
    ["from memory", 8 << 20],
    ["over a temporary file", 3000],
    ["over a temporary file that is written at once", 0],
  ])("holds objects that come as entries, once each, beside others, %s", async (_, memoryBytes) => {
    const { repository, writer } = await newRepository({ memoryBytes })
    const contents = Array.from({ length: 60 }, (_, i) => noise(i % 50, 40 * (i % 50)))
    const oids = await Promise.all(
      contents.map(async (bytes, i) => {
        if (i % 5 === 0) return put(writer, bytes, i % 10 === 0)
        const object = await packed(bytes)
        await writer.addPacked(object)
        expect(writer.has(object.oid)).toBe(true)
        return object.oid
      }),
    )
    await writer.publish()
    expectVerified(repository)
    expect(new Set(gitObjects(repository).keys())).toEqual(new Set(oids))
    const index = join(repository, "objects/pack/pack-test.idx")
    git(["index-pack", "-o", join(repository, "again.idx"), "objects/pack/pack-test.pack"], { cwd: repository })
    expect(fs.readFileSync(index).equals(fs.readFileSync(join(repository, "again.idx")))).toBe(true)
  })

  it("takes no entry once it is published or given up", async () => {
    const object = await packed(noise(1, 100))
    const published = await newRepository()
    await put(published.writer, noise(2, 100), false)
    await published.writer.publish()
    await expect(async () => published.writer.addPacked(object)).rejects.toMatchObject({ code: "CLOSED" })
    const given = await newRepository()
    await given.writer.discard()
    await expect(async () => given.writer.addPacked(object)).rejects.toMatchObject({ code: "CLOSED" })
  })

  it("holds any contents, of any size and in any mix of calls", async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.nat(3000).map((size) => Uint8Array.from(noise(size, size))),
      fc.nat(3000).map((size) => new Uint8Array(size)),
    )
    const call = fc.record({ bytes: content, streamed: fc.boolean(), memoryBytes: fc.constant(4096) })
    const { repository, options } = await newRepository()
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 25 }), async (calls) => {
        const writer = packWriter({ ...options, name: `pack-${runs++}`, memoryBytes: 4096 })
        const oids = await Promise.all(calls.map((each) => put(writer, each.bytes, each.streamed)))
        expect(writer.count).toBe(new Set(oids).size)
        await writer.publish()
        const database = objectDatabase({ ...NODE, objectsFolder: join(repository, "objects") })
        for (const [i, oid] of oids.entries())
          expect(Buffer.from((await database.read(oid))?.bytes ?? []).equals(calls[i]?.bytes ?? noise(1, 1))).toBe(true)
        await database.close()
      }),
      { numRuns: 25 },
    )
    expectVerified(repository)
  })

  it("is the same on memfs with the browser's own hash and compression, and git reads it", async () => {
    const volume = createFsFromVolume(new Volume())
    for (const folder of ["/tmp", "/packs"]) volume.mkdirSync(folder, { recursive: true })
    const fileSystem = clientFileSystem(volume as unknown as FileSystemClient)
    for (const [name, memoryBytes] of [
      ["pack-memory", 1 << 20],
      ["pack-file", 100],
    ] as const) {
      const ports = { fileSystem, hasher: webHasher(), deflater: webDeflater() }
      const folders = { temporaryFolder: "/tmp", packFolder: "/packs" }
      const writer = packWriter({ ...ports, ...folders, name, durable: true, memoryBytes })
      for (let i = 0; i < 30; i++) await put(writer, noise(i, i * 100), i % 3 === 0)
      await writer.publish()
    }
    expect(volume.readdirSync("/tmp")).toEqual([])
    const { repository } = await newRepository()
    for (const name of volume.readdirSync("/packs") as string[])
      fs.writeFileSync(join(repository, "objects/pack", name), volume.readFileSync(`/packs/${name}`) as Buffer)
    expectVerified(repository)
    expect(gitObjects(repository).size).toBe(30)
  })
})

describe("objects that are added", () => {
  it("more than once, at the same time or later, whole or streamed, are stored once", async () => {
    const { writer, repository } = await newRepository()
    const bytes = noise(1, 100_000)
    const oid = await hashObject(nodeHasher(), "blob", bytes)
    expect(writer.has(oid)).toBe(false)
    const calls = Array.from({ length: 12 }, (_, i) => put(writer, bytes, i % 3 === 0))
    expect(new Set(await Promise.all(calls))).toEqual(new Set([oid]))
    await put(writer, bytes, true)
    await put(writer, bytes, false)
    expect(writer.has(oid)).toBe(true)
    expect(writer.count).toBe(1)
    await writer.publish()
    expect(writer.bytesWritten).toBeLessThan(110_000)
    if (gitIsThere()) expectVerified(repository)
  })

  it("from a source that uses its buffer again and again are what the source gave", async () => {
    const { writer, repository } = await newRepository()
    const buffer = Buffer.alloc(500)
    async function* reused(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 40; i++) {
        buffer.fill(noise(i, 997))
        yield buffer
      }
    }
    const oid = await writer.addStream(40 * buffer.length, reused())
    await writer.publish()
    const database = objectDatabase({ ...NODE, objectsFolder: join(repository, "objects") })
    onTestFinished(() => database.close())
    expect((await database.read(oid))?.bytes.length).toBe(40 * buffer.length)
  })

  it.each([0, 1 << 20])(
    "from a source that fails or has another size leave nothing behind (memory: %i)",
    async (memoryBytes) => {
      const { writer, repository } = await newRepository({ memoryBytes })
      const first = await put(writer, noise(1, 20_000), false)
      const size = writer.bytesWritten
      const failure = new Error("the source failed")
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield noise(2, 300_000)
        throw failure
      }
      await expect(writer.addStream(400_000, failing())).rejects.toBe(failure)
      for (const announced of [0, 299_999, 300_001, 2 ** 40])
        await expect(writer.addStream(announced, inChunks(noise(2, 300_000), 9000))).rejects.toMatchObject({
          code: "INVALID_ARGUMENT",
        })
      expect([writer.count, writer.bytesWritten]).toEqual([1, size])
      const second = await put(writer, noise(3, 500), true)
      await writer.publish()
      if (!gitIsThere()) return
      expectVerified(repository)
      expect(new Set(gitObjects(repository).keys())).toEqual(new Set([first, second]))
    },
  )

  it("from a source that is given up are not read any further", async () => {
    const { writer } = await newRepository()
    let [read, ended] = [0, false]
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          read++
          yield noise(read, 1000)
        }
      } finally {
        ended = true
      }
    }
    await expect(writer.addStream(10_000, endless())).rejects.toMatchObject({ code: "INVALID_ARGUMENT" })
    expect(read).toBe(11)
    expect(ended).toBe(true)
    await writer.discard()
  })
})

describe("a pack that does not come to be", () => {
  it("writes nothing without objects, and nothing when it is given up", async () => {
    for (const memoryBytes of [0, 1 << 20]) {
      const empty = await newRepository({ memoryBytes })
      await expect(empty.writer.addStream(1, inChunks(noise(1, 5), 5))).rejects.toThrow("more bytes")
      await empty.writer.publish()
      expect(empty.writer.bytesWritten).toBe(0)
      expect(filesOf(empty.repository)).toEqual([])

      const { writer, repository } = await newRepository({ memoryBytes })
      await put(writer, noise(1, 5000), false)
      const late = Array.from({ length: 5 }, (_, i) => put(writer, noise(i, 200_000), i % 2 === 0))
      const settled = Promise.allSettled(late)
      await writer.discard()
      await writer.discard()
      await settled
      expect(filesOf(repository)).toEqual([])
      await expect(put(writer, noise(2, 10), false)).rejects.toMatchObject({ code: "CLOSED" })
      await expect(put(writer, noise(2, 10), true)).rejects.toMatchObject({ code: "CLOSED" })
      await expect(writer.publish()).rejects.toMatchObject({ code: "CLOSED" })
    }
  })

  it("stays when it is given up after it was published; while it is, it comes to be whole or not at all", async () => {
    for (const moment of ["after", "at once", "soon"]) {
      const { writer, repository } = await newRepository()
      await put(writer, noise(1, 5000), false)
      const publishing = writer.publish().catch((error: unknown) => error)
      if (moment === "after") await publishing
      if (moment === "soon") await new Promise((resolve) => setImmediate(resolve))
      await writer.discard()
      const error = await publishing
      if (moment === "after") expect(error).toBeUndefined()
      if (error !== undefined) expect(error).toMatchObject({ code: "CLOSED" })
      const whole = ["objects/pack/pack-test.idx", "objects/pack/pack-test.pack"]
      expect(filesOf(repository)).toEqual(error === undefined ? whole : [])
      await expect(writer.publish()).rejects.toMatchObject({ code: "CLOSED" })
    }
  })

  it("waits for calls under way before it is published", async () => {
    const { writer, repository } = await newRepository()
    const calls = Array.from({ length: 8 }, (_, i) => put(writer, noise(i, 100_000), i % 2 === 0))
    // The oid of a blob that is not streamed is made before it is added.
    await new Promise((resolve) => setImmediate(resolve))
    await writer.publish()
    const oids = await Promise.all(calls)
    expect(writer.count).toBe(8)
    const database = objectDatabase({ ...NODE, objectsFolder: join(repository, "objects") })
    onTestFinished(() => database.close())
    expect(await database.present(oids)).toEqual(new Set(oids))
  })

  it.each([0, 1 << 20])(
    "leaves no file behind, whichever call of the file system fails (memory: %i)",
    async (memoryBytes) => {
      const struck = new Set<string>()
      // Both files are written side by side, so calls are counted for each of them.
      for (const path of ["pack-test.pack", "pack-test.idx", "objects/pack"])
        for (const kind of [
          "open",
          "file.write",
          "file.truncate",
          "file.sync",
          "file.close",
          "rename",
          "syncFolder",
        ] as const)
          for (let call = 1; ; call++) {
            const fault: Fault = { call, kind, path, how: "short", errno: "ENOSPC" }
            const { repository, options, writer } = await newRepository({ memoryBytes }, [fault])
            const error = await attempt(writer)
            await writer.discard()
            if (error === undefined) break
            struck.add(`${kind} ${path}`)
            expect(error).toMatchObject({ code: "NO_SPACE", details: { errno: "ENOSPC" } })
            expect(filesOf(repository), `after ${kind} ${path}`).toEqual([])
            expect(await attempt(packWriter({ ...options, ...NODE }))).toBeUndefined()
          }
      const ofBoth = ["open", "file.write", "file.sync", "file.close", "rename"]
      const expected = ["pack", "idx"].flatMap((extension) => ofBoth.map((kind) => `${kind} pack-test.${extension}`))
      expect([...struck]).toEqual(
        expect.arrayContaining([...expected, "file.truncate pack-test.pack", "syncFolder objects/pack"]),
      )
    },
  )

  it("of which one object could not be written keeps the others, and its own place clean", async () => {
    const bytes = Array.from({ length: 4 }, (_, i) => noise(i, 10_000))
    // The header of the pack, then each object, of the one in pieces header and content apart.
    for (let call = 1; call <= 6; call++) {
      const fault: Fault = { call, kind: "file.write", how: "short", errno: "ENOSPC" }
      const { repository, writer } = await newRepository({ memoryBytes: 0 }, [fault])
      const results = await Promise.allSettled(bytes.map((each, i) => put(writer, each, i === 2)))
      const kept = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []))
      expect(kept.length).toBe(3)
      await writer.publish()
      if (!gitIsThere()) continue
      expectVerified(repository)
      expect(new Set(gitObjects(repository).keys())).toEqual(new Set(kept))
    }
  })
})

it("a durable pack and its index are synced before they are renamed, the folder after, and the index comes last", async () => {
  for (const durable of [true, false]) {
    const { writer, calls } = await newRepository({ durable }, [])
    await put(writer, noise(1, 1000), false)
    await writer.publish()
    const steps = calls()
      .filter(({ kind }) => /sync|rename/.test(kind))
      .map(({ kind, path }) => `${kind} ${path.slice(path.lastIndexOf("/") + 1)}`)
    const renames = ["rename pack-test.pack", "rename pack-test.idx"]
    expect(steps.slice(0, -3).toSorted()).toEqual(
      durable ? ["file.sync pack-test.idx", "file.sync pack-test.pack"] : [],
    )
    expect(durable ? steps.slice(-3) : steps).toEqual(durable ? [...renames, "syncFolder pack"] : renames)
  }
})

async function attempt(writer: PackWriter): Promise<unknown> {
  try {
    for (let i = 0; i < 3; i++) await put(writer, noise(i, 2000), i === 1)
    await writer.publish()
    return undefined
  } catch (error) {
    return error
  }
}

/** A bare repository and a writer for its pack `pack-test`. With `faults`, its file system records and fails as planned. */
async function newRepository(
  extra: Partial<PackWriterOptions> = {},
  faults?: readonly Fault[],
): Promise<{
  readonly repository: string
  readonly options: PackWriterOptions
  readonly writer: PackWriter
  readonly calls: () => ReturnType<typeof faultyFileSystem>["calls"]
}> {
  const repository = await temporaryFolder()
  for (const folder of ["tmp", "objects/pack", "refs"]) fs.mkdirSync(join(repository, folder), { recursive: true })
  fs.writeFileSync(join(repository, "HEAD"), "ref: refs/heads/main\n")
  fs.writeFileSync(join(repository, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
  const faulty = faultyFileSystem(NODE.fileSystem, faults ?? [])
  const options = {
    ...NODE,
    fileSystem: faults === undefined ? NODE.fileSystem : faulty,
    temporaryFolder: join(repository, "tmp"),
    packFolder: join(repository, "objects/pack"),
    name: "pack-test",
    durable: true,
    ...extra,
  }
  return { repository, options, writer: packWriter(options), calls: () => faulty.calls }
}

async function put(writer: PackWriter, bytes: Uint8Array, streamed: boolean): Promise<Oid> {
  if (streamed) return writer.addStream(bytes.length, inChunks(bytes, 7000))
  const type: ObjectType = "blob"
  const oid = await hashObject(NODE.hasher, type, bytes)
  await writer.add(type, bytes, oid)
  return oid
}

async function packed(bytes: Uint8Array): Promise<PackedObject> {
  const header = encodeEntryHeader({ type: "blob", sizeBytes: bytes.length })
  const entry = concat([header, await NODE.deflater.deflate(bytes)])
  return { oid: await hashObject(NODE.hasher, "blob", bytes), entry, crc32: NODE.deflater.crc32(entry) }
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function expectVerified(repository: string): void {
  const folder = join(repository, "objects/pack")
  for (const name of fs.readdirSync(folder).filter((each) => each.endsWith(".pack"))) {
    git(["index-pack", "--strict", "--verify", join(folder, name)], { cwd: repository })
    git(["verify-pack", "-v", join(folder, name)], { cwd: repository })
  }
  expect(git(["fsck", "--strict", "--full"], { cwd: repository, anyStatus: true }).stderr).not.toMatch(
    /error|fatal|bad/,
  )
}

function filesOf(repository: string): string[] {
  const files: string[] = ["tmp", "objects/pack"].flatMap((folder) =>
    fs.readdirSync(join(repository, folder)).map((name) => `${folder}/${name}`),
  )
  return files.toSorted()
}

function sizeOfFiles(folder: string): number {
  return fs.readdirSync(folder).reduce((sum, name) => sum + fs.statSync(join(folder, name)).size, 0)
}
