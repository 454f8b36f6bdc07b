import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { concat } from "../../src/core/bytes.js"
import type { Oid } from "../../src/core/oid.js"
import {
  decodeEntryHeader,
  decodePackHeader,
  encodeEntryHeader,
  encodePackHeader,
  type PackEntryHeader,
} from "../../src/core/pack.js"

const size = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat(), fc.constantFrom(15, 16, 2047, 2048, 2 ** 32))
const header: fc.Arbitrary<PackEntryHeader> = fc.oneof(
  fc.record({ type: fc.constantFrom("blob", "tree", "commit", "tag"), sizeBytes: size }),
  fc.record({ type: fc.constant("offset-delta" as const), sizeBytes: size, distance: size }),
  fc.record({
    type: fc.constant("ref-delta" as const),
    sizeBytes: size,
    base: fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex") as Oid),
  }),
)

describe("the header of a pack entry", () => {
  it("is read back as it was written, from any position, and as nothing when it is cut off", () => {
    fc.assert(
      fc.property(header, fc.nat(5), (entry, at) => {
        const bytes = encodeEntryHeader(entry)
        const around = concat([new Uint8Array(at), bytes, Uint8Array.of(0x78, 0x01)])
        expect(decodeEntryHeader(around, at)).toEqual({ header: entry, end: at + bytes.length })
        for (let length = 0; length < bytes.length; length++)
          expect(decodeEntryHeader(bytes.subarray(0, length))).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  it("is read from any bytes without an exception, with a size that is exact", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const decoded = decodeEntryHeader(bytes)
        if (decoded !== undefined) expect(Number.isSafeInteger(decoded.header.sizeBytes)).toBe(true)
      }),
      { numRuns: 2000 },
    )
    expect(decodeEntryHeader(new Uint8Array(40).fill(0xff))).toBeUndefined()
  })

  it("is no header with a reserved type", () => {
    expect(decodeEntryHeader(Uint8Array.of(0x05))).toBeUndefined()
    expect(decodeEntryHeader(Uint8Array.of(0x55))).toBeUndefined()
  })
})

describe("the header of a pack", () => {
  it("gives back the number of entries", () => {
    for (const count of [0, 1, 0x80000000, 0xffffffff]) expect(decodePackHeader(encodePackHeader(count))).toBe(count)
  })

  it("is none when it is cut off, spelled otherwise or of another version", () => {
    const bytes = encodePackHeader(1)
    expect(decodePackHeader(bytes.subarray(0, 11))).toBeUndefined()
    for (const at of [0, 3, 4, 7]) expect(decodePackHeader(bytes.with(at, 3))).toBeUndefined()
  })
})
