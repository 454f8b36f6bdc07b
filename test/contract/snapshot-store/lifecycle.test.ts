import { describe, expect, onTestFinished, test } from "vitest"
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

  test("what a listener or an onProgress rejects with takes nothing from the call, and ends no process", async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown): void => void unhandled.push(error)
    process.on("unhandledRejection", onUnhandled)
    onTestFinished(() => void process.off("unhandledRejection", onUnhandled))
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    let calls = 0
    const rejecting = ((): Promise<never> => {
      calls += 1
      return Promise.reject(new Error("a listener's own failure"))
    }) as () => void
    for (const name of ["captured", "restored", "progress"] as const) store.on(name, rejecting)
    expect((await store.capture({ onProgress: rejecting })).changed).toBe(true)
    place.write("a", "two")
    expect((await store.restore("latest", { onProgress: rejecting })).complete).toBe(true)
    place.write("a", "three")
    const plan = await store.plan({ to: "latest" }, { onProgress: rejecting })
    expect((await store.apply(plan, { onProgress: rejecting })).complete).toBe(true)
    await store.maintain({ onProgress: rejecting })
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(calls).toBeGreaterThan(8)
    expect(unhandled).toEqual([])
  })

  test("a promise that a listener or an onProgress gives is not waited for", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const waiting = (() => new Promise<never>(() => {})) as () => void
    for (const name of ["captured", "progress"] as const) store.on(name, waiting)
    expect((await store.capture({ onProgress: waiting })).changed).toBe(true)
  })

  test("what an onProgress throws ends the call, which rejects with it", async () => {
    const place = await start()
    place.write("a", "one")
    const store = await place.open()
    const error = new Error("an onProgress's own failure")
    const onProgress = (): never => {
      throw error
    }
    await expect(store.capture({ onProgress })).rejects.toBe(error)
    expect(await store.list()).toEqual([])
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
      pin: (one) => one.pin("latest"),
      forget: (one) => one.forget("latest"),
      status: (one) => one.status(),
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
