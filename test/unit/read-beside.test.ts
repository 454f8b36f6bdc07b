import { expect, test } from "vitest"
import type { ContentRequest } from "../../src/core/content-reader.js"
import { readBeside } from "../../src/tree/read-beside.js"

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
