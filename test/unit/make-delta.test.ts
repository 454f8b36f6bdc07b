import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { applyDelta, deltaSizes } from "../../src/core/delta.js"
import { makeDelta } from "../../src/core/make-delta.js"

/** Bytes of which parts come back, as those of files do. */
const bytes = fc
  .array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...repeated())), { maxLength: 12 })
  .map((parts) => Buffer.concat(parts))

describe("a delta", () => {
  it("makes the result of its base, whatever both are", () => {
    fc.assert(
      fc.property(bytes, bytes, (base, result) => {
        const delta = makeDelta(base, result, Infinity)
        expect(delta && deltaSizes(delta)).toEqual({ baseBytes: base.length, resultBytes: result.length })
        expect(Buffer.from((delta && applyDelta(base, delta)) ?? []).equals(result)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it("is as short as what changed, wherever that is, and takes parts from any place", () => {
    const base = noise(1, 300_000)
    const [start, middle, end] = [base.subarray(0, 100_003), base.subarray(100_003, 200_001), base.subarray(200_001)]
    const news = noise(2, 50)
    for (const result of [
      base,
      Buffer.concat([news, base]),
      Buffer.concat([base, news]),
      Buffer.concat([start, news, middle, news, end]),
      Buffer.concat([end, middle, start]),
      Buffer.concat([start, end]),
      Buffer.concat([middle, news, middle, middle]),
    ]) {
      const delta = makeDelta(base, result, Infinity)
      expect(delta?.length).toBeLessThan(300)
      expect(Buffer.from((delta && applyDelta(base, delta)) ?? []).equals(result)).toBe(true)
    }
  })

  it("is not made when it would be longer than it may be", () => {
    const [base, result] = [noise(1, 10_000), noise(2, 10_000)]
    expect(makeDelta(base, result, 9_000)).toBeUndefined()
    expect(makeDelta(base, result, 11_000)?.length).toBeGreaterThan(10_000)
    expect(makeDelta(base, base, 3)).toBeUndefined()
  })

  it("does not take longer where everything is alike", () => {
    const zeros = Buffer.alloc(1_000_000)
    const result = Buffer.concat([Buffer.from("a"), zeros, Buffer.from("b"), zeros])
    const delta = makeDelta(zeros, result, Infinity)
    expect(delta?.length).toBeLessThan(1_000)
    expect(Buffer.from((delta && applyDelta(zeros, delta)) ?? []).equals(result)).toBe(true)
  })

  it("copies 65,536 bytes and more at once", () => {
    for (const length of [0xffff, 0x10000, 0x10001, 0x20000]) {
      const base = noise(3, length)
      const delta = makeDelta(base, base, Infinity)
      expect(Buffer.from((delta && applyDelta(base, delta)) ?? []).equals(base)).toBe(true)
    }
  })
})

function repeated(): Buffer[] {
  return [noise(1, 100), noise(2, 33), Buffer.alloc(64), Buffer.from("abc".repeat(20))]
}

/** Bytes that look random, and are the same each time. */
function noise(seed: number, length: number): Buffer {
  const made = Buffer.alloc(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    made[i] = state >>> 24
  }
  return made
}
