import zlib from "node:zlib"
import { describe, expect, it } from "vitest"
import { compressNow, compressPooled } from "../../src/platform/node/compression.js"
import { onPool } from "../../src/platform/node/pace.js"
import { noise } from "../support/git-objects.js"

const inflated = (stream: Uint8Array): Buffer => zlib.inflateSync(stream)

describe("compression", () => {
  it("gives a stream of exactly the content, whatever its size", () => {
    for (const size of [...Array.from({ length: 600 }, (_, i) => i), 65_535, 65_536, 131_072, 131_073, 300_000])
      for (const bytes of [Uint8Array.from(noise(size, size)), new Uint8Array(size).fill(255)])
        expect(inflated(compressNow(bytes)).equals(bytes), `${size} bytes`).toBe(true)
  })

  it("gives the same stream for the same bytes, here or on the thread pool", async () => {
    for (const size of [0, 1, 256, 257, 5000, 200_000])
      for (const bytes of [Uint8Array.from(noise(size, size)), new Uint8Array(size)]) {
        const pooled = await onPool<Uint8Array>((done) => compressPooled(bytes, done))
        expect(Buffer.from(pooled).equals(compressNow(bytes)), `${size} bytes`).toBe(true)
      }
  })

  it("never takes more than 11 bytes for a small content beside its own", () => {
    for (let size = 0; size <= 256; size++)
      expect(compressNow(Uint8Array.from(noise(size, size))).length).toBeLessThanOrEqual(size + 11)
  })

  it("makes text smaller, small or large", () => {
    for (const lines of [20, 200, 200_000]) {
      const text = Buffer.from("A line of text.\n".repeat(lines))
      expect(compressNow(text).length).toBeLessThan(text.length / 3)
    }
  })

  it("stores what does not shrink, and still shrinks what is mixed", () => {
    const random = Buffer.from(noise(7, 1_000_000))
    const stored = compressNow(random)
    expect(stored.length).toBeGreaterThan(random.length)
    expect(stored.length).toBeLessThan(random.length * 1.001)
    expect(Buffer.from(stored).includes(random.subarray(1000, 2000))).toBe(true)
    const mixed = new Uint8Array(1_000_000)
    mixed.set(random.subarray(0, 500_000))
    const stream = compressNow(mixed)
    expect(stream.length).toBeLessThan(600_000)
    expect(inflated(stream).equals(mixed)).toBe(true)
  })
})
