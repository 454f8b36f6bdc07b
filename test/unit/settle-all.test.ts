import { expect, test } from "vitest"
import { drain, settleAll } from "../../src/core/settle-all.js"

test("a step that fails in the same turn in which another ends is not lost", async () => {
  for (const stack of [
    ["bad", "ok"],
    ["ok", "bad"],
    ["ok", "bad", "ok"],
  ])
    await expect(
      drain(stack, 8, async (item) => {
        if (item === "bad") throw new Error("bad")
      }),
    ).rejects.toThrow("bad")
})

test("when a step fails no more are started, and the running ones have ended", async () => {
  const ended: number[] = []
  const stack = [5, 4, 3, 2, 1]
  await expect(
    drain(stack, 2, async (item) => {
      await new Promise((resolve) => setTimeout(resolve, item))
      ended.push(item)
      if (item === 1) throw new Error("one")
    }),
  ).rejects.toThrow("one")
  expect(ended).toEqual([1, 2])
  expect(stack).toEqual([5, 4, 3])
})

test("steps may push onto the stack", async () => {
  const done: number[] = []
  const stack = [3]
  await drain(stack, 2, async (item) => {
    done.push(item)
    if (item > 0) stack.push(item - 1)
  })
  expect(done).toEqual([3, 2, 1, 0])
})

test("all promises have ended when the first failure is thrown", async () => {
  let hasEnded = false
  const slow = new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => void (hasEnded = true))
  await expect(settleAll([Promise.reject(new Error("first")), slow])).rejects.toThrow("first")
  expect(hasEnded).toBe(true)
})
