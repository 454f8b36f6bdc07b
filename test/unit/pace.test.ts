import { expect, test } from "vitest"
import { Pace, type Done } from "../../src/platform/node/pace.js"

/** A clock that moves only when a call takes time. */
function paced(slowMs?: number): { readonly call: (tookMs: number) => Promise<"here" | "pool"> } {
  let clockMs = 1000
  const pace = new Pace(() => clockMs, slowMs)
  return {
    call: (tookMs) =>
      pace.call<"here" | "pool">(
        () => {
          clockMs += tookMs
          return "here"
        },
        (done: Done<"here" | "pool">) => void setImmediate(done, null, "pool"),
      ),
  }
}

test("calls that take no time are made here, one after the other, without a turn of the event loop between them", async () => {
  const { call } = paced()
  await call(0)
  let turns = 0
  const immediate = setImmediate(() => turns++)
  for (let i = 0; i < 1000; i++) expect(await call(0)).toBe("here")
  expect(turns).toBe(0)
  clearImmediate(immediate)
})

test("calls that add up to more than a few milliseconds leave the event loop a turn", async () => {
  const { call } = paced()
  await call(0)
  let turns = 0
  setImmediate(() => turns++)
  for (let i = 0; i < 10; i++) await call(0.5)
  expect(turns).toBe(1)
})

test("many calls that wait for the next turn wait for the same one", async () => {
  const { call } = paced()
  let turns = 0
  const count = (): void => {
    turns++
    if (turns < 100) setImmediate(count)
  }
  setImmediate(count)
  await Promise.all(Array.from({ length: 50 }, () => call(0)))
  expect(turns).toBeLessThanOrEqual(2)
})

test("after a call that took long the next hundred go to the thread pool, and then one tries again here", async () => {
  const { call } = paced()
  expect(await call(30)).toBe("here")
  for (let i = 0; i < 100; i++) expect(await call(0)).toBe("pool")
  expect(await call(0)).toBe("here")
})

test("how long is long can be told", async () => {
  const { call } = paced(0.04)
  expect(await call(0.03)).toBe("here")
  expect(await call(0.05)).toBe("here")
  expect(await call(0.03)).toBe("pool")
})

test("a call that fails here rejects with its own error", async () => {
  const reason = new Error("refused")
  const pace = new Pace()
  const failing = pace.call(
    () => {
      throw reason
    },
    () => undefined,
  )
  await expect(failing).rejects.toBe(reason)
})
