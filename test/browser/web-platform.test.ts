import { expect, test } from "vitest"
import { openStore } from "../../src/browser.js"
import { webDeflater } from "../../src/platform/web/web-deflater.js"
import { webHasher } from "../../src/platform/web/web-hasher.js"

const SIZES = [0, 1, 1_000, 16 * 1024 - 1, 16 * 1024, 200_000]

test.for(SIZES)("the SHA-1 of %i bytes is the browser's own", async (sizeBytes) => {
  const bytes = content(sizeBytes)
  const half = sizeBytes >> 1
  const own = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes))
  expect(await webHasher().sha1([bytes.subarray(0, half), bytes.subarray(half)])).toEqual(own)
  const running = webHasher().start()
  running.update(bytes)
  expect(running.digest()).toEqual(own)
})

test.for(SIZES)(
  "the browser inflates the %i bytes that the deflater deflated, and the other way round",
  async (size) => {
    const bytes = content(size)
    const deflater = webDeflater()
    expect(await through(new DecompressionStream("deflate"), await deflater.deflate(bytes))).toEqual(bytes)
    expect(await deflater.inflate(await through(new CompressionStream("deflate"), bytes), size)).toEqual(bytes)
  },
)

test("openStore asks for the file system that a browser does not have", async () => {
  await expect(openStore({ worktree: "/project" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" })
})

/* Half of it repeats, half does not. */
function content(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => (i & 64 ? (i * 2_654_435_761) >>> 13 : i))
}

async function through(stream: CompressionStream | DecompressionStream, bytes: Uint8Array): Promise<Uint8Array> {
  const piped = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream)
  return new Uint8Array(await new Response(piped).arrayBuffer())
}
