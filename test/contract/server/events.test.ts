import { get, type IncomingMessage } from "node:http"
import { onTestFinished, expect, test } from "vitest"
import type { CaptureResult, MaintainReport, RestoreReport, SnapshotStore } from "../../../src/index.js"
import { eventStream } from "../../../src/server/event-stream.js"
import { EVENT_BYTES } from "../../../src/server/limits.js"
import { serve, wire, type ServedStore } from "../../support/served-store.js"
import { onMemory, type StoreUnderTest } from "../../support/store-under-test.js"

interface Told {
  readonly event: string
  readonly data: unknown
}

interface Listening {
  readonly response: IncomingMessage
  /** The next event with one of these names, or any; rejects when the stream has ended. */
  next(...names: readonly string[]): Promise<Told>
  /** All of the stream so far. */
  text(): string
}

interface Place extends ServedStore {
  readonly place: StoreUnderTest
  readonly store: SnapshotStore
  listen(): Promise<Listening>
}

async function served(options: Parameters<typeof serve>[1] = {}): Promise<Place> {
  const place = await onMemory()
  place.write("a.txt", "one\n")
  const store = await place.open()
  const found = await serve(store, options)
  return { place, store, ...found, listen: () => listen(found) }
}

async function listen({ server }: ServedStore): Promise<Listening> {
  const headers = { Authorization: `Bearer ${server.token}` }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = get(`${server.url}/api/events`, { headers, agent: false }, resolve).on("error", reject)
    onTestFinished(() => void sent.destroy())
  })
  let text = ""
  let read = 0
  let isOver = false
  let changed = (): void => {}
  response.setEncoding("utf8")
  response.on("data", (part: string) => {
    text += part
    changed()
  })
  response.on("error", () => {})
  response.on("close", () => {
    isOver = true
    changed()
  })
  async function one(): Promise<Told> {
    for (;;) {
      const end = text.indexOf("\n\n", read)
      if (end >= 0) {
        const block = text.slice(read, end)
        read = end + 2
        const match = /^event: (\w+)\ndata: (.*)$/.exec(block)
        if (match !== null) return { event: match[1] as string, data: JSON.parse(match[2] as string) }
      } else if (isOver) throw new Error("The stream has ended.")
      else await new Promise<void>((resolve) => (changed = resolve))
    }
  }
  return {
    response,
    text: () => text,
    async next(...names) {
      for (;;) {
        const told = await one()
        if (names.length === 0 || names.includes(told.event)) return told
      }
    },
  }
}

test("a reader is greeted, and hears of captures, restores, maintenance and progress as the store tells them", async () => {
  const { place, store, ask, listen } = await served()
  const events = await listen()
  expect(events.response.headers["content-type"]).toBe("text/event-stream")
  expect(await events.next()).toEqual({
    event: "hello",
    data: { worktree: store.worktree, workspace: store.workspace, pid: process.pid },
  })
  const heard: unknown[] = []
  store.on("captured", (event: CaptureResult) => void heard.push(event))
  store.on("restored", (event: RestoreReport) => void heard.push(event))
  store.on("maintained", (event: MaintainReport) => void heard.push(event))
  await ask("POST", "/api/snapshots")
  place.write("a.txt", "two\n")
  const progress = events.next("progress")
  await ask("POST", "/api/restore", { body: { rev: "latest" } })
  expect((await progress).data).toMatchObject({ phase: expect.any(String), done: expect.any(Number) })
  await ask("POST", "/api/maintain")
  const other = await listen()
  expect((await other.next()).event).toBe("hello")
  const told = [...events.text().matchAll(/^event: (?:captured|restored|maintained)\ndata: (.*)$/gm)]
  expect(told.map(([, data]) => JSON.parse(data ?? ""))).toEqual(wire(heard))
})

test("a comment comes now and then, so that a dead connection shows", async () => {
  const { listen } = await served({ eventTimes: { heartbeatMs: 1, progressMs: 1 } })
  const events = await listen()
  while ((events.text().match(/^:$/gm) ?? []).length < 3)
    await new Promise((resolve) => events.response.once("data", resolve))
})

test("of progress that comes often, little is told, and the last of it always", async () => {
  const place = await onMemory()
  for (let i = 0; i < 300; i++) place.write(`file ${i}`, `${i}`)
  const store = await place.open()
  let count = 0
  store.on("progress", () => void count++)
  const { server } = await serve(store, { eventTimes: { heartbeatMs: 1_000_000, progressMs: 1_000_000 } })
  const events = await listen({ server } as ServedStore)
  await store.capture()
  await events.next("captured")
  const told = [...events.text().matchAll(/^event: progress\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ""))
  expect(count).toBeGreaterThan(told.length)
  expect(told).toHaveLength(2)
  expect(told.at(-1)).toMatchObject({ done: 300 })
})

test("a reader that takes nothing is given up with a bounded backlog; the others hear all", async () => {
  const place = await onMemory()
  const store = await place.open()
  const stream = eventStream(store)
  let givenUp = 0
  const slow = stream.open(() => void givenUp++).getReader()
  const keen = stream.open(() => expect.fail("this one reads")).getReader()
  const metadata = { much: "x".repeat(60_000) }
  let captures = 0
  let bytes = 0
  const take = async (): Promise<void> => {
    bytes += (await keen.read()).value?.length ?? 0
  }
  await take()
  while (givenUp === 0) {
    await store.capture({ metadata })
    captures++
    for (let told = 0; told < captures * 60_000; told = bytes) await take()
  }
  expect(captures * 60_000).toBeGreaterThan(EVENT_BYTES - 120_000)
  expect(captures * 60_000).toBeLessThan(EVENT_BYTES + 240_000)
  await store.capture({ metadata })
  expect(givenUp).toBe(1)
  await slow.cancel()
  await keen.cancel()
  stream.close()
})

test("a reader that leaves is forgotten, and closing ends the streams of those that stay", async () => {
  const { server, listen, store } = await served()
  const [one, two] = [await listen(), await listen()]
  await one.next("hello")
  await two.next("hello")
  one.response.destroy()
  await store.capture()
  expect((await two.next("captured")).event).toBe("captured")
  await server.close()
  await expect(two.next("nothing")).rejects.toThrow("ended")
})
