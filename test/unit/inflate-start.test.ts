import zlib from "node:zlib"
import fc from "fast-check"
import { expect, test } from "vitest"
import { inflateStart } from "../../src/core/inflate-start.js"

const content = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc
    .array(fc.constantFrom("a", "b", "abc", "\n", "function "), { maxLength: 400 })
    .map((parts) => Buffer.from(parts.join(""))),
)

const options = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(zlib.constants.Z_DEFAULT_STRATEGY, zlib.constants.Z_FIXED, zlib.constants.Z_HUFFMAN_ONLY),
})

test("the start of a stream is the start of what zlib makes of all of it", () => {
  fc.assert(
    fc.property(content, options, fc.nat(700), fc.nat(9), (bytes, how, count, before) => {
      const stream = Buffer.concat([Buffer.alloc(before, 0xff), zlib.deflateSync(bytes, how), Buffer.alloc(3)])
      expect(Buffer.from(inflateStart(stream, before, count) ?? [])).toEqual(Buffer.from(bytes.subarray(0, count)))
    }),
    { numRuns: 500 },
  )
})

test("a stream that is cut off, or is none, gives the start of its content or nothing, and ends", () => {
  fc.assert(
    fc.property(
      content,
      options,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, how, cut, place, flip) => {
        const stream = zlib.deflateSync(bytes, how)
        const short = stream.subarray(0, cut % stream.length)
        const start = inflateStart(short, 0, 40)
        if (start !== undefined) expect(Buffer.from(start)).toEqual(Buffer.from(bytes.subarray(0, start.length)))
        stream[place % stream.length] = (stream[place % stream.length] as number) ^ flip
        expect(inflateStart(stream, 0, 40)?.length ?? 0).toBeLessThanOrEqual(40)
      },
    ),
    { numRuns: 500 },
  )
})
