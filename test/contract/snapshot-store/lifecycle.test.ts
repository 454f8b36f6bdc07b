import { describe, expect, test } from "vitest"
import type { CaptureResult, Progress, RestoreReport, SnapshotStore } from "../../../src/index.js"
import { BACKENDS, expectError } from "../../support/store-under-test.js"

describe.each(BACKENDS)("events and closing on $name", ({ start }) => {
  test("captured and restored give listeners what the call gives, after each call that succeeded", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const captured: CaptureResult[] = []
    const restored: RestoreReport[] = []
    store.on("captured", (event) => void captured.push(event))
    store.on("restored", (event) => void restored.push(event))
    const first = await store.capture()
    const again = await store.capture()
    place.write("a", "two")
    const report = await store.restore("latest")
    place.write("a", "three")
    const applied = await store.apply(await store.plan({ to: "latest" }))
    await store.capture({ signal: AbortSignal.abort() }).catch(() => {})
    await store.restore("none").catch(() => {})
    expect(captured).toEqual([first, again])
    expect(restored).toEqual([report, applied])
  })

  test("progress events are those that onProgress gets", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const heard: Progress[] = []
    const told: Progress[] = []
    store.on("progress", (event) => void heard.push(event))
    const onProgress = (progress: Progress): void => void told.push(progress)
    await store.capture({ onProgress })
    place.write("a", "two")
    await store.restore("latest", { onProgress })
    expect(heard).toEqual(told)
    expect(new Set(heard.map(({ phase }) => phase))).toEqual(new Set(["scan", "stage", "write"]))
  })

  test("a listener hears until it is taken away, and only its own event of its own store", async () => {
    const place = await start()
    place.write("a", "one")
    const [store, other] = [await place.open(), await place.open()]
    const heard: string[] = []
    const off = store.on("captured", () => void heard.push("first"))
    store.on("captured", () => void heard.push("second"))
    store.on("restored", () => void heard.push("restored"))
    await store.capture()
    await other.capture()
    expect(heard).toEqual(["first", "second"])
    off()
    off()
    await store.capture()
    expect(heard).toEqual(["first", "second", "second"])
  })

  test("what a listener throws takes nothing from the call", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    store.on("captured", () => {
      throw new Error("a listener's own failure")
    })
    expect((await store.capture()).changed).toBe(true)
    expect(await store.list()).toHaveLength(1)
  })

  test("close waits for the calls that run, and they end well", async () => {
    const place = await start()
    for (let i = 0; i < 10; i++) place.write(`file-${i}`, "one")
    const store = await place.open()
    await store.capture()
    for (let i = 0; i < 10; i++) place.write(`file-${i}`, "two")
    const ended: string[] = []
    const running = [
      store.capture({ label: "running" }).then(() => ended.push("capture")),
      store.diff("latest").then(() => ended.push("diff")),
      store.restore("latest").then(() => ended.push("restore")),
      store.restore("latest").then(() => ended.push("restore")),
    ]
    await store.close()
    expect(ended.toSorted()).toEqual(["capture", "diff", "restore", "restore"])
    await Promise.all(running)
    expect(place.leftovers()).toEqual([])
  })

  test("after close every call is CLOSED, from the moment that close is called", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    const plan = await store.plan({ to: "latest" })
    const closing = store.close()
    const calls: Record<string, (store: SnapshotStore) => Promise<unknown>> = {
      capture: (one) => one.capture(),
      list: (one) => one.list(),
      resolve: (one) => one.resolve("latest"),
      changes: (one) => one.changes("latest"),
      diff: (one) => one.diff("latest"),
      patch: (one) => one.patch("latest"),
      readFile: (one) => one.readFile("latest", "a"),
      plan: (one) => one.plan({ to: "latest" }),
      apply: (one) => one.apply(plan),
      restore: (one) => one.restore("latest"),
      prune: (one) => one.prune({ keepLast: 1 }),
      maintain: (one) => one.maintain(),
    }
    for (const call of Object.values(calls)) await expectError(call(store), "CLOSED", {})
    await closing
    for (const call of Object.values(calls)) await expectError(call(store), "CLOSED", {})
    expect(await (await place.open()).list()).toEqual([snapshot])
  })

  test("close may be called more than once, also while it runs, and by leaving a scope", async () => {
    const place = await start()
    const store = await place.open()
    await Promise.all([store.close(), store.close(), store[Symbol.asyncDispose]()])
    await store.close()
    await expectError(store.list(), "CLOSED", {})
  })

  test("a call that fails does not keep close from ending, nor the next restore from running", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    await store.capture()
    place.write("a", "two")
    const failing = expectError(store.restore("none"), "NOT_FOUND", { rev: "none" })
    const next = store.restore("latest")
    await store.close()
    await failing
    expect((await next).complete).toBe(true)
    expect(place.read("a")).toBe("one")
  })
})
