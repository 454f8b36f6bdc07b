import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { inflateSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { deflateThread, type DeflateThread } from "../../src/platform/node/deflate-thread.js"

const WORKER = new URL("../../dist/platform/node/deflate-worker.js", import.meta.url)
const KILOBYTE = new Uint8Array(1024).map((_, i) => i % 7)

/** Asks for much until the thread takes part. */
async function untilRunning(thread: DeflateThread): Promise<void> {
  const much = new Uint8Array(1024 * 1024)
  while (thread.deflate(much) === undefined) await new Promise((resolve) => setImmediate(resolve))
}

describe("the compressing thread", () => {
  it("takes no part in little work", () => {
    const thread = deflateThread(WORKER)
    for (let i = 0; i < 100; i++) expect(thread.deflate(KILOBYTE)).toBeUndefined()
  })

  it("gives each content its own stream, however many are asked for at once", async () => {
    const thread = deflateThread(WORKER)
    await untilRunning(thread)
    const contents = Array.from({ length: 2000 }, (_, i) => new Uint8Array((i * 37) % 3000).fill(i % 256))
    const deflated = await Promise.all(contents.map(async (content) => thread.deflate(content)))
    for (const [i, content] of contents.entries())
      expect(inflateSync(deflated[i] ?? KILOBYTE).equals(content), `content ${i}`).toBe(true)
  })

  it("leaves the content of the caller as it is", async () => {
    const thread = deflateThread(WORKER)
    await untilRunning(thread)
    await thread.deflate(KILOBYTE)
    expect(KILOBYTE.length).toBe(1024)
    expect(KILOBYTE[8]).toBe(1)
  })

  it("goes on without a thread where none can be had", async () => {
    const thread = deflateThread(new URL("./no-such-file.js", import.meta.url))
    for (let i = 0; i < 5000; i++) {
      // Between its start and its end it may take a content, and says then that it could not.
      await thread.deflate(KILOBYTE)?.then(
        () => expect.unreachable("there is no thread"),
        () => undefined,
      )
      if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })

  it("does not keep a process alive that has nothing else to do", () => {
    const module = fileURLToPath(new URL("../../dist/platform/node/node-deflater.js", import.meta.url))
    const program = `
      import { nodeDeflater } from ${JSON.stringify(module)}
      const deflater = nodeDeflater()
      const content = new Uint8Array(4096)
      for (let round = 0; round < 40; round++) {
        await Promise.all(Array.from({ length: 64 }, () => deflater.deflate(content)))
      }
      console.log("done")`
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 30_000 })
    expect(child.stderr.toString()).toBe("")
    expect(child.stdout.toString()).toBe("done\n")
    expect(child.status).toBe(0)
  })
})
