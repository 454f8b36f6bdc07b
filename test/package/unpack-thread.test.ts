import { createHash } from "node:crypto"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { deflateSync } from "node:zlib"
import { build } from "rolldown"
import { describe, expect, it } from "vitest"
import { concat, utf8 } from "../../src/core/bytes.js"
import { objectHeader, type ObjectType } from "../../src/core/object.js"
import type { Oid } from "../../src/core/oid.js"
import { encodeEntryHeader } from "../../src/core/pack.js"
import type { PackedEntry, Unpacker } from "../../src/core/unpacker.js"
import { unpackThread } from "../../src/platform/node/unpack-thread.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const WORKER = new URL("../../dist/platform/node/unpack-worker.js", import.meta.url)

/** An entry as it stands in a pack. */
function packed(type: ObjectType, bytes: Uint8Array, sizeBytes = bytes.length): PackedEntry {
  const oid = createHash("sha1").update(objectHeader(type, bytes.length)).update(bytes).digest("hex") as Oid
  return { oid, entry: concat([encodeEntryHeader({ type, sizeBytes }), deflateSync(bytes)]) }
}

/** Asks for much until the thread takes part. */
async function untilRunning(unpacker: Unpacker): Promise<void> {
  const much = Array.from({ length: 64 }, (_, i) => packed("blob", utf8(`${i}`)))
  while (unpacker.unpack(much) === undefined) await new Promise((resolve) => setImmediate(resolve))
}

describe("the unpacking thread", () => {
  it("takes no part in little work", () => {
    const unpacker = unpackThread(WORKER)
    for (let i = 0; i < 100; i++) expect(unpacker.unpack([packed("blob", utf8("one"))])).toBeUndefined()
  })

  it("gives each entry its own object, of every type and of any length, however many calls there are at once", async () => {
    const unpacker = unpackThread(WORKER)
    await untilRunning(unpacker)
    const types: readonly ObjectType[] = ["blob", "tree", "commit", "tag"]
    const contents = Array.from({ length: 300 }, (_, i) => new Uint8Array((i * 37) % 3000).fill(i % 256))
    const calls = Array.from({ length: 20 }, () =>
      contents.map((bytes, i) => packed(types[i % 4] as ObjectType, bytes)),
    )
    const unpacked = await Promise.all(calls.map(async (entries) => unpacker.unpack(entries)))
    for (const objects of unpacked)
      for (const [i, bytes] of contents.entries()) {
        expect(objects?.[i]?.type).toBe(types[i % 4])
        expect(Buffer.from(objects?.[i]?.bytes ?? []).equals(bytes), `content ${i}`).toBe(true)
      }
    expect(await unpacker.unpack([])).toEqual([])
  })

  it("gives nothing for what is not what its oid names, and goes on", async () => {
    const unpacker = unpackThread(WORKER)
    await untilRunning(unpacker)
    const good = packed("blob", utf8("good"))
    const other = packed("blob", utf8("other"))
    const delta = { oid: good.oid, entry: encodeEntryHeader({ type: "offset-delta", sizeBytes: 4, distance: 20 }) }
    const entries: readonly PackedEntry[] = [
      { ...other, oid: good.oid },
      packed("blob", utf8("too long"), 3),
      packed("blob", utf8("too short"), 90),
      packed("blob", utf8("much too long"), 2 ** 40),
      { ...good, entry: good.entry.subarray(0, -3) },
      { ...good, entry: new Uint8Array(0) },
      { ...good, entry: good.entry.map((byte, at) => (at === 5 ? byte ^ 8 : byte)) },
      delta,
      good,
    ]
    const unpacked = await unpacker.unpack(entries)
    expect(unpacked?.map((object) => object && Buffer.from(object.bytes).toString())).toEqual([
      ...entries.slice(1).map(() => undefined),
      "good",
    ])
  })

  it("leaves the entries of the caller as they are", async () => {
    const unpacker = unpackThread(WORKER)
    await untilRunning(unpacker)
    const mine = packed("blob", utf8("mine"))
    const before = Buffer.from(mine.entry)
    await unpacker.unpack([mine])
    expect(before.equals(mine.entry)).toBe(true)
  })

  it("goes on without a thread where none can be had, and asks for no more than a few", async () => {
    const unpacker = unpackThread(new URL("./no-such-file.js", import.meta.url))
    const entries = Array.from({ length: 64 }, (_, i) => packed("blob", utf8(`${i}`)))
    for (let i = 0; i < 200; i++) {
      // Between its start and its end it may take entries, and says then that it could not.
      expect(await unpacker.unpack(entries)).toBeUndefined()
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })

  it("does not keep a process alive that has nothing else to do", async () => {
    const module = join(await temporaryFolder(), "unpack-thread.mjs")
    const source = fileURLToPath(new URL("../../src/platform/node/unpack-thread.ts", import.meta.url))
    await build({ input: source, external: /^node:/, output: { file: module }, logLevel: "warn" })
    const program = `
      import { unpackThread } from ${JSON.stringify(module)}
      const unpacker = unpackThread(new URL(${JSON.stringify(WORKER.href)}))
      const entries = Array.from({ length: 64 }, () => ({ oid: "0".repeat(40), entry: new Uint8Array(40) }))
      for (let round = 0; round < 40; round++) {
        await unpacker.unpack(entries)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      console.log("done")`
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 30_000 })
    expect(child.stderr.toString()).toBe("")
    expect(child.stdout.toString()).toBe("done\n")
    expect(child.status).toBe(0)
  })
})
