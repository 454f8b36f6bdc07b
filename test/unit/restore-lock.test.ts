import { afterEach, expect, test, vi } from "vitest"
import type { Liveness } from "../../src/core/owner.js"
import type { SnapshotStore } from "../../src/index.js"
import { liveness } from "../../src/store/liveness.js"
import { takeLock, type Lock } from "../../src/store/lock.js"
import { GITDIR, newMemory, storeOn, WORKTREE, type Memory } from "../support/store-on.js"

const OTHER = { host: "here", pid: 2 }

interface Held {
  readonly memory: Memory
  readonly store: SnapshotStore
  readonly id: string
  readonly lock: Lock
}

/** A store whose work tree another process restores, which is alive, dead or not to be checked. */
async function held(state: Liveness): Promise<Held> {
  const memory = newMemory()
  const { fs } = memory.disk
  fs.mkdirSync(WORKTREE, { recursive: true })
  fs.writeFileSync(`${WORKTREE}/a`, "then")
  const owner = { current: async () => ({ host: "here", pid: 1 }), isAlive: async () => state }
  const store = await storeOn(memory.fileSystem, { platform: { owner } })
  const { snapshot } = await store.capture()
  fs.writeFileSync(`${WORKTREE}/a`, "now")
  const lock = await takeLock({
    fileSystem: memory.fileSystem,
    locks: `${GITDIR}/locks`,
    temporary: `${GITDIR}/tmp`,
    name: "restore-project",
    owner: OTHER,
    nowMs: Date.now(),
    isAlive: liveness(owner, () => Date.now()),
  })
  return { memory, store, id: snapshot.id, lock }
}

function content({ memory }: Held): string {
  return memory.disk.fs.readFileSync(`${WORKTREE}/a`, "utf8")
}

afterEach(() => vi.useRealTimers())

test("a restore waits for another one of the work tree, which may end", async () => {
  const place = await held("alive")
  const restoring = place.store.restore(place.id)
  await new Promise((resolve) => setTimeout(resolve, 0))
  expect(content(place)).toBe("now")
  await place.lock.release()
  expect(await restoring).toMatchObject({ complete: true })
  expect(content(place)).toBe("then")
})

test("a restore that has waited for long enough gets LOCK_HELD, and touches nothing", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "performance"] })
  const place = await held("alive")
  const restoring = place.store.restore(place.id).then(
    () => "restored",
    (error: unknown) => error,
  )
  let result: unknown
  void restoring.then((value) => (result = value))
  while (result === undefined) {
    await vi.advanceTimersByTimeAsync(1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(result).toMatchObject({ code: "LOCK_HELD", details: { lock: "restore-project" } })
  expect(content(place)).toBe("now")
  expect(await place.store.list({ kind: "safety" })).toEqual([])
})

test("a restore that waits can be aborted", async () => {
  const place = await held("alive")
  const controller = new AbortController()
  const restoring = place.store.restore(place.id, { signal: controller.signal })
  controller.abort(new Error("enough"))
  await expect(restoring).rejects.toThrow("enough")
  expect(content(place)).toBe("now")
})

test("a restore goes on at once where the other process has ended", async () => {
  const place = await held("dead")
  await place.store.restore(place.id)
  expect(content(place)).toBe("then")
})
