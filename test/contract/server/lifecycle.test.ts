import { onTestFinished, expect, test } from "vitest"
import type { CaptureResult, RestoreReport, SnapshotStore } from "../../../src/index.js"
import { faultyFileSystem } from "../../support/faulty-file-system.js"
import { gate, type Gate } from "../../support/gate.js"
import { codeOf, serve, type ServedStore } from "../../support/served-store.js"
import { newMemory, storeOn, WORKTREE, type Memory } from "../../support/store-on.js"

interface Place extends ServedStore {
  readonly memory: Memory
  readonly store: SnapshotStore
  readonly gate: Gate
  write(name: string, text: string): void
  read(name: string): string
}

/** A store in memory whose file system can be held up. */
async function served(memory: Memory = newMemory()): Promise<Place> {
  const { fs } = memory.disk
  fs.mkdirSync(WORKTREE, { recursive: true })
  const held = gate()
  const store = await storeOn(faultyFileSystem(memory.fileSystem, [], held.around))
  onTestFinished(() => store.close())
  return {
    memory,
    store,
    gate: held,
    write: (name, text) => fs.writeFileSync(`${WORKTREE}/${name}`, text),
    read: (name) => fs.readFileSync(`${WORKTREE}/${name}`, "utf8"),
    ...(await serve(store)),
  }
}

const FILES = Array.from({ length: 40 }, (_, i) => `file ${i}`)

function writeAll({ write }: Place, text: string): void {
  for (const name of FILES) write(name, `${text} ${name}`)
}

function expectAll({ read }: Place, text: string): void {
  expect(FILES.map(read)).toEqual(FILES.map((name) => `${text} ${name}`))
}

/** Asks, and leaves when `when` has resolved. */
async function leaving(place: Place, path: string, body: unknown, when: Promise<void>): Promise<void> {
  const leave = new AbortController()
  const asked = place.ask("POST", path, { body, signal: leave.signal })
  await when
  leave.abort()
  await expect(asked).rejects.toThrow()
}

/** Resolves when the server has seen that somebody left: it answers others meanwhile. */
async function seen(place: Place, isSeen: () => boolean): Promise<void> {
  while (!isSeen()) expect((await place.ask("GET", "/api/health")).status).toBe(200)
}

test("who leaves takes a capture along: there is no snapshot, and nothing is left of it", async () => {
  const place = await served()
  writeAll(place, "one")
  let signal: AbortSignal | undefined
  const { capture } = place.store
  Object.assign(place.store, {
    capture: (options: Parameters<typeof capture>[0]) => {
      signal = options?.signal
      return capture(options)
    },
  })
  await leaving(
    place,
    "/api/snapshots",
    {},
    place.gate.close(({ path }) => path.startsWith(`${WORKTREE}/file`)),
  )
  await seen(place, () => signal?.aborted === true)
  place.gate.open()
  await place.store.close()
  const again = await storeOn(place.memory.fileSystem)
  expect(await again.list({ kind: "all" })).toEqual([])
  await again.close()
})

test("who leaves does not stop a restore: it comes to its end, and is told to whoever listens", async () => {
  const place = await served()
  writeAll(place, "one")
  const { id } = (await place.store.capture()).snapshot
  writeAll(place, "two")
  const restored = new Promise<RestoreReport>((resolve) => void place.store.on("restored", resolve))
  await leaving(
    place,
    "/api/restore",
    { rev: id },
    place.gate.close(({ kind }) => kind === "rename"),
  )
  place.gate.open()
  expect(await restored).toMatchObject({ complete: true })
  expectAll(place, "one")
  expect((await place.ask("POST", "/api/undo")).json).toMatchObject({ complete: true })
  expectAll(place, "two")
})

test("a server that is closed lets a restore come to its end and tells of it; what comes later is refused", async () => {
  const place = await served()
  writeAll(place, "one")
  const { id } = (await place.store.capture()).snapshot
  writeAll(place, "two")
  const reached = place.gate.close(({ kind }) => kind === "rename")
  const restoring = place.ask("POST", "/api/restore", { body: { rev: id } })
  await reached
  const closed = place.server.close()
  await expect(place.ask("GET", "/api/health")).rejects.toThrow("ECONNREFUSED")
  place.gate.open()
  expect(await restoring).toMatchObject({ status: 200, json: { complete: true } })
  await closed
  await place.server.close()
  expectAll(place, "one")
  await expect(place.store.list()).rejects.toMatchObject({ code: "CLOSED" })
})

test("a server that is closed gives captures up: 503", async () => {
  const place = await served()
  writeAll(place, "one")
  const reached = place.gate.close(({ path }) => path.startsWith(`${WORKTREE}/file`))
  const capturing = place.ask("POST", "/api/snapshots")
  await reached
  const closed = place.server.close()
  place.gate.open()
  const answer = await capturing
  expect([answer.status, codeOf(answer)]).toEqual([503, "CLOSED"])
  await closed
})

test("restores that are asked for at once run one after the other, and each is whole", async () => {
  const place = await served()
  const ids: string[] = []
  for (const text of ["one", "two", "three"]) {
    writeAll(place, text)
    const { snapshot } = (await place.ask("POST", "/api/snapshots", { body: { label: text } })).json as CaptureResult
    ids.push(snapshot.id)
  }
  const reached = place.gate.close(({ kind }) => kind === "rename")
  const first = place.ask("POST", "/api/restore", { body: { rev: ids[0] } })
  await reached
  const others = [ids[1], ids[0], ids[1]].map((rev) => place.ask("POST", "/api/restore", { body: { rev } }))
  const undone = place.ask("POST", "/api/undo")
  expect((await place.ask("GET", "/api/health")).status).toBe(200)
  place.gate.open()
  for (const answer of await Promise.all([first, ...others, undone]))
    expect(answer).toMatchObject({ status: 200, json: { complete: true } })
  const texts = new Set(FILES.map((name) => place.read(name).split(" ")[0]))
  expect(texts.size).toBe(1)
  expect((await place.ask("POST", "/api/verify")).json).toMatchObject({ ok: true })
})

test("while a long diff is made and sent, others get their answers", async () => {
  const place = await served()
  for (let i = 0; i < 5000; i++) place.write(`many ${i}`, `old ${i}\n${"line\n".repeat(20)}`)
  const { id } = (await place.store.capture()).snapshot
  for (let i = 0; i < 5000; i++) place.write(`many ${i}`, `new ${i}\n${"line\n".repeat(20)}`)
  await place.store.capture()
  let isOver = false
  const asked = place.ask("GET", `/api/diff?from=${id}&to=latest`).finally(() => (isOver = true))
  let answers = 0
  while (!isOver) {
    expect((await place.ask("GET", "/api/health")).status).toBe(200)
    answers++
  }
  expect((await asked).json).toHaveLength(5000)
  expect(answers).toBeGreaterThan(5)
})
