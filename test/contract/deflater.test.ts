import fc from "fast-check"
import zlib from "node:zlib"
import { describe, expect, test } from "vitest"
import { concat, equalBytes, utf8 } from "../../src/core/bytes.js"
import type { Deflater } from "../../src/core/deflater.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { webDeflater } from "../../src/platform/web/web-deflater.js"

const DEFLATERS: readonly { readonly name: string; readonly deflater: Deflater; readonly other: Deflater }[] = [
  { name: "zlib", deflater: nodeDeflater(), other: webDeflater() },
  { name: "pako", deflater: webDeflater(), other: nodeDeflater() },
]

/** Below, at and above the sizes at which an implementation changes its way. */
const SIZES = [0, 1, 63, 64, 65, 4095, 32 * 1024, 32 * 1024 + 1, 65_535, 65_536, 65_537, 300_000]

describe.each(DEFLATERS)("the deflater on $name", ({ deflater, other }) => {
  test.each(SIZES)("gives back %i bytes, by itself and by the other one", async (size) => {
    for (const bytes of [repeated(size), random(size)]) {
      const stream = await deflater.deflate(bytes)
      expect(equalBytes(await deflater.inflate(stream, size), bytes)).toBe(true)
      expect(equalBytes(await other.inflate(stream, size), bytes)).toBe(true)
      expect(equalBytes(await deflater.inflateAll(stream, size), bytes)).toBe(true)
      expect(equalBytes(zlib.inflateSync(stream), bytes)).toBe(true)
    }
  })

  test("any bytes come back, whatever follows their stream", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.uint8Array({ maxLength: 50 }), async (bytes, tail) => {
        const stream = concat([await deflater.deflate(bytes), tail])
        expect(equalBytes(await deflater.inflate(stream, bytes.length), bytes)).toBe(true)
        expect(equalBytes(await deflater.inflateAll(stream, bytes.length), bytes)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test("streams of any level and window are read", async () => {
    const bytes = repeated(10_000)
    for (const level of [0, 1, 6, 9])
      for (const windowBits of [9, 12, 15])
        expect(equalBytes(await deflater.inflate(zlib.deflateSync(bytes, { level, windowBits }), 10_000), bytes)).toBe(
          true,
        )
  })

  test.each([10_000, 400_000])("a content of %i bytes that is not as long as recorded rejects", async (size) => {
    const stream = await deflater.deflate(repeated(size))
    for (const wrong of [0, 1, size - 1, size + 1, 2 * size])
      await expect(deflater.inflate(stream, wrong)).rejects.toThrow(/cannot be read/)
  })

  test("a size that no stream of this length can have rejects before memory is taken for it", async () => {
    const stream = await deflater.deflate(utf8("short"))
    await expect(deflater.inflate(stream, Number.MAX_SAFE_INTEGER)).rejects.toThrow(/cannot be read/)
    await expect(deflater.inflate(stream, 2 ** 31)).rejects.toThrow(/cannot be read/)
  })

  test("a stream that would grow without end is stopped at the recorded size and at the limit", async () => {
    const bomb = zlib.deflateSync(new Uint8Array(50_000_000), { level: 9 })
    await expect(deflater.inflate(bomb, 1000)).rejects.toThrow(/cannot be read/)
    await expect(deflater.inflateAll(bomb, 1000)).rejects.toThrow(/cannot be read/)
  })

  test("the limit of inflateAll is the largest size that passes", async () => {
    const stream = await deflater.deflate(random(1000))
    expect((await deflater.inflateAll(stream, 1000)).length).toBe(1000)
    await expect(deflater.inflateAll(stream, 999)).rejects.toThrow(/cannot be read/)
    const empty = await deflater.deflate(new Uint8Array(0))
    expect((await deflater.inflateAll(empty, 0)).length).toBe(0)
    await expect(deflater.inflateAll(await deflater.deflate(Uint8Array.of(1)), 0)).rejects.toThrow(/cannot be read/)
  })

  test("a stream that is cut off anywhere rejects", async () => {
    const bytes = random(300)
    const stream = await deflater.deflate(bytes)
    for (let length = 0; length < stream.length; length++) {
      const cut = stream.subarray(0, length)
      await expect(deflater.inflate(cut, 300)).rejects.toThrow(/cannot be read/)
      await expect(deflater.inflateAll(cut, 300)).rejects.toThrow(/cannot be read/)
      await expect(collected(deflater.inflateStream(pieces(cut, 64)))).rejects.toThrow(/cannot be read/)
    }
  })

  test("a stream with any bit flipped never gives other bytes", async () => {
    const bytes = utf8("some text, some more text, and some text again")
    const stream = await deflater.deflate(bytes)
    for (let bit = 0; bit < 8 * stream.length; bit++) {
      const damaged = Uint8Array.from(stream)
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
      const content = await deflater.inflate(damaged, bytes.length).catch(() => undefined)
      if (content !== undefined) expect(equalBytes(content, bytes)).toBe(true)
    }
  })

  test("what is no zlib stream rejects: nothing, text, gzip, raw deflate, a preset dictionary", async () => {
    const bytes = repeated(100)
    const dictionary = utf8("a dictionary")
    const others = [
      new Uint8Array(0),
      utf8("this is text, not a stream"),
      zlib.gzipSync(bytes),
      zlib.deflateRawSync(bytes),
      zlib.deflateSync(bytes, { dictionary }),
    ]
    for (const stream of others) {
      await expect(deflater.inflate(stream, 100)).rejects.toThrow(/cannot be read/)
      await expect(deflater.inflateAll(stream, 100)).rejects.toThrow(/cannot be read/)
      await expect(collected(deflater.inflateStream(pieces(stream, 7)))).rejects.toThrow(/cannot be read/)
    }
  })

  test.each([1, 7, 1000, 200_000])("streams come through in pieces of %i bytes", async (size) => {
    const bytes = size === 1 ? random(2000) : random(150_000)
    const stream = await collected(deflater.deflateStream(pieces(bytes, size)))
    expect(equalBytes(zlib.inflateSync(stream), bytes)).toBe(true)
    expect(equalBytes(await collected(deflater.inflateStream(pieces(stream, size))), bytes)).toBe(true)
  })

  test("a stream of nothing is a stream with no content", async () => {
    const stream = await collected(deflater.deflateStream(pieces(new Uint8Array(0), 1)))
    expect(zlib.inflateSync(stream).length).toBe(0)
    expect((await collected(deflater.inflateStream(pieces(stream, 3)))).length).toBe(0)
  })

  test("what follows the end of a stream is ignored, in the same piece and in later ones", async () => {
    const stream = await deflater.deflate(utf8("content"))
    const tail = utf8("something else")
    expect(await collected(deflater.inflateStream(pieces(concat([stream, tail]), 1000)))).toEqual(utf8("content"))
    expect(await collected(deflater.inflateStream(list([stream, tail, tail])))).toEqual(utf8("content"))
    expect(await collected(deflater.inflateStream(pieces(concat([stream, tail]), 1)))).toEqual(utf8("content"))
  })

  test("content that grows a thousandfold comes in pieces, not at once", async () => {
    const bomb = zlib.deflateSync(new Uint8Array(20_000_000), { level: 9 })
    let total = 0
    let largest = 0
    for await (const piece of deflater.inflateStream(list([bomb]))) {
      total += piece.length
      largest = Math.max(largest, piece.length)
    }
    expect(total).toBe(20_000_000)
    expect(largest).toBeLessThanOrEqual(1 << 20)
  })

  test.each(["deflateStream", "inflateStream"] as const)("%s passes on what its source throws", async (method) => {
    const reason = new Error("the source failed")
    const stream = await deflater.deflate(random(1000))
    async function* failing(): AsyncIterable<Uint8Array> {
      yield stream.subarray(0, 100)
      throw reason
    }
    await expect(collected(deflater[method](failing()))).rejects.toBe(reason)
  })

  test.each(["deflateStream", "inflateStream"] as const)(
    "%s lets go of its source when it is left early",
    async (method) => {
      let released = false
      const source = method === "inflateStream" ? await deflater.deflate(random(500_000)) : random(500_000)
      async function* watched(): AsyncIterable<Uint8Array> {
        try {
          for (;;) yield* pieces(source, 100_000)
        } finally {
          released = true
        }
      }
      for await (const piece of deflater[method](watched())) if (piece.length > 0) break
      expect(released).toBe(true)
    },
  )

  test("CRC-32 is zlib's, in one go or in parts", () => {
    expect(deflater.crc32(utf8("123456789"))).toBe(0xcbf43926)
    expect(deflater.crc32(new Uint8Array(0))).toBe(0)
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const whole = deflater.crc32(concat([a, b]))
        expect(whole).toBe(zlib.crc32(concat([a, b])))
        expect(deflater.crc32(b, deflater.crc32(a))).toBe(whole)
      }),
    )
  })
})

function repeated(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => 0x61 + (i % 17))
}

/** Bytes that do not shrink, the same on each run. */
function random(size: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 16
  })
}

async function* pieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function* list(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(Uint8Array.from(chunk))
  return concat(all)
}
