import fc from "fast-check"
import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { equalBytes, utf8 } from "../../src/core/bytes.js"
import type { Hasher } from "../../src/core/hasher.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { webHasher } from "../../src/platform/web/web-hasher.js"

const HASHERS: readonly { readonly name: string; readonly hasher: Hasher }[] = [
  { name: "node:crypto", hasher: nodeHasher() },
  { name: "the web", hasher: webHasher() },
  { name: "the web without WebCrypto", hasher: webHasher({}) },
]

describe.each(HASHERS)("SHA-1 by $name", ({ hasher }) => {
  test.each([
    ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
    ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["blob 0\0", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"],
  ])("of %j is %s", async (text, expected) => {
    expect(hex(await hasher.sha1([utf8(text)]))).toBe(expected)
    const running = hasher.start()
    running.update(utf8(text))
    expect(hex(running.digest())).toBe(expected)
  })

  test("of no parts is that of nothing", async () => {
    expect(hex(await hasher.sha1([]))).toBe("da39a3ee5e6b4b0d3255bfef95601890afd80709")
  })

  test("does not depend on how the bytes are cut into parts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 })), async (parts) => {
        const expected = oracle(parts)
        expect(hex(await hasher.sha1(parts))).toBe(expected)
        const running = hasher.start()
        for (const part of parts) running.update(part)
        expect(hex(running.digest())).toBe(expected)
      }),
    )
  })

  test.each([63, 64, 65, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 1_000_000])("of %i bytes is right", async (size) => {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 31)
    expect(hex(await hasher.sha1([bytes]))).toBe(oracle([bytes]))
    expect(hex(await hasher.sha1([bytes.subarray(0, 10), bytes.subarray(10)]))).toBe(oracle([bytes]))
  })

  test("is 20 plain bytes that no later hash changes", async () => {
    const first = await hasher.sha1([utf8("first")])
    const copy = Uint8Array.from(first)
    for (let i = 0; i < 100; i++) await hasher.sha1([utf8(`${i}`)])
    expect(first.length).toBe(20)
    expect(equalBytes(first, copy)).toBe(true)
    expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype)
  })

  test("of two running hashes at once stays apart", () => {
    const [one, two] = [hasher.start(), hasher.start()]
    one.update(utf8("a"))
    two.update(utf8("b"))
    one.update(utf8("c"))
    expect(hex(one.digest())).toBe(oracle([utf8("ac")]))
    expect(hex(two.digest())).toBe(oracle([utf8("b")]))
  })
})

function oracle(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha1")
  for (const part of parts) hash.update(part)
  return hash.digest("hex")
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex")
}
