import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { concat, utf8 } from "../../src/core/bytes.js"
import { applyDelta, deltaSizes } from "../../src/core/delta.js"
import { encodeDelta, type DeltaStep } from "../support/crafted-pack.js"

const BASE = utf8("0123456789")

describe("applyDelta", () => {
  it("gives what the steps copy and insert, for any steps", () => {
    const base = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) % 251)
    const copy = fc
      .tuple(fc.nat(base.length - 1), fc.integer({ min: 1, max: base.length }))
      .map(([start, length]): DeltaStep => ({ copy: [start, Math.min(length, base.length - start)] }))
    const insert = fc.uint8Array({ minLength: 1, maxLength: 127 }).map((bytes): DeltaStep => ({ insert: bytes }))
    fc.assert(
      fc.property(fc.array(fc.oneof(copy, insert), { maxLength: 12 }), (steps) => {
        const expected = concat(
          steps.map((step) =>
            "insert" in step ? step.insert : base.subarray(step.copy[0], step.copy[0] + step.copy[1]),
          ),
        )
        const delta = encodeDelta(base.length, expected.length, steps)
        expect(deltaSizes(delta)).toEqual({ baseBytes: base.length, resultBytes: expected.length })
        expect(Buffer.from(applyDelta(base, delta) as Uint8Array).equals(expected)).toBe(true)
      }),
    )
  })

  it("takes a length of 0 for 65,536", () => {
    const base = new Uint8Array(0x10000).fill(7)
    expect(applyDelta(base, encodeDelta(0x10000, 0x10000, [{ copy: [0, 0x10000] }]))).toEqual(base)
  })

  it("gives nothing for a delta that is cut off anywhere", () => {
    const delta = encodeDelta(10, 13, [{ copy: [2, 8] }, { insert: utf8("hello") }])
    expect(applyDelta(BASE, delta)).toEqual(utf8("23456789hello"))
    for (let length = 0; length < delta.length; length++)
      expect(applyDelta(BASE, delta.subarray(0, length))).toBeUndefined()
  })

  it.each([
    ["copies from behind the base's end", encodeDelta(10, 8, [{ copy: [3, 8] }])],
    ["copies from a position of 4 GiB", encodeDelta(10, 1, [{ copy: [0xffffffff, 1] }])],
    ["is made for a base of another size", encodeDelta(11, 2, [{ copy: [0, 2] }])],
    ["holds the reserved instruction", concat([encodeDelta(10, 2, [{ copy: [0, 2] }]), Uint8Array.of(0)])],
    ["makes less than it claims", encodeDelta(10, 3, [{ copy: [0, 2] }])],
    ["makes more than it claims", encodeDelta(10, 1, [{ copy: [0, 2] }])],
    ["claims more than memory holds", encodeDelta(10, Number.MAX_SAFE_INTEGER, [{ copy: [0, 2] }])],
    ["claims a size that is no number", concat([Uint8Array.of(10), new Uint8Array(20).fill(0xff)])],
  ])("gives nothing for a delta that %s", (_, delta) => {
    expect(applyDelta(BASE, delta)).toBeUndefined()
  })

  it("never throws, and never gives another size than the claimed one, for any bytes", () => {
    const start = fc.constantFrom(encodeDelta(10, 4, []), new Uint8Array(0))
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 24 }), (claim, rest) => {
        const delta = concat([claim, rest])
        const result = applyDelta(BASE, delta)
        if (result !== undefined) expect(result.length).toBe(deltaSizes(delta)?.resultBytes)
      }),
      { numRuns: 2000 },
    )
  })
})
