import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { FUZZ_TARGETS, fuzz, fuzzInputs } from "../support/fuzz-targets.js"

describe("any bytes, and bytes as they should be with a few changes, give a value or an error with a code", () => {
  test.each(FUZZ_TARGETS)("$name", async (target) => {
    for (const seed of await target.seeds()) expect(await fuzz(target, seed)).toBeUndefined()
    await fc.assert(
      fc.asyncProperty(await fuzzInputs(target), async (bytes) => {
        expect(await fuzz(target, bytes)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })
})
