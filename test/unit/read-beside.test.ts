import { expect, test } from "vitest"
import type { ContentRequest } from "../../src/core/content-reader.js"
import { readBeside } from "../../src/tree/read-beside.js"

test("a large file that is not to be captured is asked for its size alone, and never read", async () => {
  const limits: number[] = []
  const reader = {
    async read({ limitBytes }: ContentRequest) {
      limits.push(limitBytes)
      return { sizeBytes: 9_000_000 }
    },
  }
  const asked: number[] = []
  const admit = async (sizeBytes: number): Promise<boolean> => {
    asked.push(sizeBytes)
    return false
  }
  expect(await readBeside(reader, "/somewhere", admit, { isWanted: true, knownOid: undefined })).toBeUndefined()
  expect(asked).toEqual([9_000_000])
  expect(limits).toHaveLength(1)
  expect(limits[0]).toBeLessThan(9_000_000)
})
