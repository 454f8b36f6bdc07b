import { expect, test } from "vitest"
import type { ContentRequest } from "../../src/core/content-reader.js"
import type { FileStat } from "../../src/core/file-system.js"
import type { Oid } from "../../src/core/oid.js"
import { readBeside } from "../../src/tree/read-beside.js"

const FOUND = { oid: "1".repeat(40) as Oid, stat: {} as FileStat, openedMs: 0, packed: undefined }

test("when files cannot be stored, it ends once none is read any more, and no failure is left over", async () => {
  const leftOver: unknown[] = []
  const note = (error: unknown): void => void leftOver.push(error)
  process.on("unhandledRejection", note)
  const running = new Set<string>()
  const reader = {
    async read({ files, limitBytes }: ContentRequest) {
      const isLarge = limitBytes > 1_000_000
      for (const { address } of files) running.add(address)
      await new Promise((resolve) => setTimeout(resolve, isLarge ? 10 : 0))
      for (const { address } of files) running.delete(address)
      return files.map(({ address }, i) =>
        isLarge || i === files.length - 1 ? { ...FOUND, address } : { sizeBytes: 2_000_000 },
      )
    },
  }
  const full = async (): Promise<never> => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    throw new Error("full")
  }
  const files = [1, 2, 3, 4].map((i) => ({ address: `/${i}`, knownOid: undefined }))
  const reading = readBeside(reader, files, {
    isWanted: true,
    limitBytes: 9_000_000,
    admit: async () => () => {},
    take: full,
  })
  await expect(reading).rejects.toThrow("full")
  expect(running.size).toBe(0)
  await new Promise((resolve) => setTimeout(resolve, 50))
  process.off("unhandledRejection", note)
  expect(leftOver).toEqual([])
})

test("a large file that is not to be captured is asked for its size alone, and never read", async () => {
  const limits: number[] = []
  const reader = {
    async read({ files, limitBytes }: ContentRequest) {
      limits.push(limitBytes)
      return files.map(() => ({ sizeBytes: 9_000_000 }))
    },
  }
  const asked: number[] = []
  const left = await readBeside(reader, [{ address: "/somewhere", knownOid: undefined }], {
    isWanted: true,
    limitBytes: 2_000_000,
    admit: async (_, sizeBytes) => void asked.push(sizeBytes),
    take: () => expect.unreachable("it was read"),
  })
  expect(left).toEqual([0])
  expect(asked).toEqual([9_000_000])
  expect(limits).toHaveLength(1)
  expect(limits[0]).toBeLessThan(9_000_000)
})
