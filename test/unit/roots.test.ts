import { expect, test } from "vitest"
import type { Oid } from "../../src/core/oid.js"
import { readRefRoots } from "../../src/store/roots.js"
import { newMemory } from "../support/store-on.js"
import { watchedFileSystem } from "../support/watched-file-system.js"

const ONE = "1111111111111111111111111111111111111111" as Oid
const REF = "refs/heads/main"

/** Reads all refs while a ref is packed: written to packed-refs before one call, its loose file removed before another. */
async function readWhile(packedAt: number, removedAt: number): Promise<{ found: Oid | undefined; calls: number }> {
  const { disk, fileSystem } = newMemory()
  disk.fs.mkdirSync("/store/refs/heads", { recursive: true })
  disk.fs.mkdirSync("/store/refs/tags")
  disk.fs.writeFileSync(`/store/${REF}`, `${ONE}\n`)
  let calls = 0
  const watched = watchedFileSystem(fileSystem, () => {
    if (calls === packedAt) disk.fs.writeFileSync("/store/packed-refs", `${ONE} ${REF}\n`)
    if (calls === removedAt) disk.fs.unlinkSync(`/store/${REF}`)
    calls++
  })
  const { oids } = await readRefRoots(watched, "/store")
  return { found: oids.get(REF), calls }
}

test("a ref that is packed at any call of the reading is found, loose or packed", async () => {
  const { calls } = await readWhile(-1, -1)
  expect(calls).toBeGreaterThan(3)
  for (let packedAt = 0; packedAt < calls; packedAt++)
    for (let removedAt = packedAt; removedAt < calls; removedAt++)
      expect((await readWhile(packedAt, removedAt)).found, `${packedAt}, ${removedAt}`).toBe(ONE)
})
