import { createHash } from "node:crypto"
import { deflateSync } from "node:zlib"
import { expect, test } from "vitest"
import { concat, utf8 } from "../../src/core/bytes.js"
import { objectHeader, type ObjectType } from "../../src/core/object.js"
import type { Oid } from "../../src/core/oid.js"
import { encodeEntryHeader } from "../../src/core/pack.js"
import type { PackedEntry } from "../../src/core/unpacker.js"
import { nodeUnpacker } from "../../src/platform/node/node-unpacker.js"

const unpacker = nodeUnpacker()

/** An entry as it stands in a pack. */
function packed(type: ObjectType, bytes: Uint8Array, sizeBytes = bytes.length, level = 6): PackedEntry {
  const oid = createHash("sha1").update(objectHeader(type, bytes.length)).update(bytes).digest("hex") as Oid
  return { oid, entry: concat([encodeEntryHeader({ type, sizeBytes }), deflateSync(bytes, { level })]) }
}

test("each entry gives its own object, of every type and of any length, compressed or stored as it is", () => {
  const types: readonly ObjectType[] = ["blob", "tree", "commit", "tag"]
  for (const level of [0, 1, 9])
    for (let i = 0; i < 200; i++) {
      const bytes = new Uint8Array(i * i * 4).fill(i % 256)
      const object = unpacker.unpack(packed(types[i % 4] as ObjectType, bytes, bytes.length, level))
      expect(object?.type).toBe(types[i % 4])
      expect(Buffer.from(object?.bytes ?? []).equals(bytes), `${bytes.length} bytes at level ${level}`).toBe(true)
    }
})

test("what is not what its oid names gives nothing, and no damage of a byte gives anything else", () => {
  for (const level of [0, 6]) {
    const good = packed("blob", utf8("good, and good again"), undefined, level)
    const entries: readonly PackedEntry[] = [
      { ...packed("blob", utf8("other")), oid: good.oid },
      packed("blob", utf8("too long"), 3, level),
      packed("blob", utf8("too short"), 90, level),
      packed("blob", utf8("much too long"), 2 ** 40, level),
      { ...good, entry: good.entry.subarray(0, -6) },
      { ...good, entry: new Uint8Array(0) },
      { oid: good.oid, entry: encodeEntryHeader({ type: "offset-delta", sizeBytes: 4, distance: 20 }) },
    ]
    for (const entry of entries) expect(unpacker.unpack(entry)).toBeUndefined()
    for (let at = 0; at < good.entry.length; at++)
      for (const bit of [1, 8, 128]) {
        const object = unpacker.unpack({ ...good, entry: good.entry.map((byte, i) => (i === at ? byte ^ bit : byte)) })
        if (object !== undefined) expect(Buffer.from(object.bytes).toString()).toBe("good, and good again")
      }
    expect(Buffer.from(unpacker.unpack(good)?.bytes ?? []).toString()).toBe("good, and good again")
  }
})
