import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { isSnapshotError } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { Liveness, Owner } from "../../src/core/owner.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { liveness } from "../../src/store/liveness.js"
import { isHeld, takeLock, type Lock } from "../../src/store/lock.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { interleave, seeded, type Actor } from "../support/interleave.js"
import { copyOf, newMemory, type Memory } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const LOCKS = "/store/locks"
const NOW = 1_800_000_000_000
const DAY = 86_400_000

/** By their pids. */
const DEAD: Owner = { host: "here", pid: 1 }
const ALIVE: Owner = { host: "here", pid: 2 }
const ELSEWHERE: Owner = { host: "elsewhere", pid: 2 }

function livenessOf({ host, pid }: Owner): Liveness {
  if (host !== "here") return "unknown"
  return pid === DEAD.pid ? "dead" : "alive"
}

function place(): Memory {
  const memory = newMemory()
  for (const folder of [LOCKS, "/store/tmp"]) memory.disk.fs.mkdirSync(folder, { recursive: true })
  return memory
}

function take(fileSystem: FileSystem, owner: Owner = ALIVE, nowMs = NOW): Promise<Lock> {
  const isAlive = liveness(
    { current: () => Promise.resolve(owner), isAlive: (other) => Promise.resolve(livenessOf(other)) },
    () => nowMs,
  )
  return takeLock({ fileSystem, locks: LOCKS, temporary: "/store/tmp", name: "work", owner, nowMs, isAlive })
}

function left({ disk }: Memory): string[] {
  return ["locks", "tmp"].flatMap((folder) => disk.names(`/store/${folder}`).map((name) => `${folder}/${name}`))
}

async function held(taking: Promise<Lock>): Promise<string> {
  const error: unknown = await taking.then(
    () => "it was taken",
    (reason: unknown) => reason,
  )
  if (!isSnapshotError(error, "LOCK_HELD")) throw error
  expect(error.details.lock).toBe("work")
  expect(error.message).toContain(error.details.holder)
  return error.details.holder
}

describe("a lock", () => {
  test("is held until it is released, and leaves nothing behind", async () => {
    const memory = place()
    const lock = await take(memory.fileSystem)
    expect(await held(take(memory.fileSystem))).toBe(`process 2 on here since ${new Date(NOW).toISOString()}`)
    await lock.release()
    expect(left(memory)).toEqual([])
    await (await take(memory.fileSystem)).release()
    expect(left(memory)).toEqual([])
  })

  test("of another name is another lock", async () => {
    const memory = place()
    memory.disk.fs.writeFileSync(`${LOCKS}/other`, "x")
    await (await take(memory.fileSystem)).release()
    expect(left(memory)).toEqual(["locks/other"])
  })

  test("of a dead process is taken over at once, one time after the other", async () => {
    const memory = place()
    for (let crash = 0; crash < 4; crash++) await take(memory.fileSystem, DEAD)
    const lock = await take(memory.fileSystem)
    await held(take(memory.fileSystem))
    await lock.release()
    expect(left(memory)).toEqual([])
  })

  test("of a live process is never taken over, however old it is", async () => {
    const memory = place()
    await take(memory.fileSystem, ALIVE, NOW - 1000 * DAY)
    await held(take(memory.fileSystem))
  })

  test("of a process that cannot be checked is taken over after 24 hours", async () => {
    const memory = place()
    await take(memory.fileSystem, ELSEWHERE, NOW - DAY + 1)
    await held(take(memory.fileSystem))
    await (await take(memory.fileSystem, ALIVE, NOW + 1)).release()
    expect(left(memory)).toEqual([])
  })

  test("from a clock that was far ahead does not bar everybody until then", async () => {
    const memory = place()
    await take(memory.fileSystem, ELSEWHERE, NOW + 365 * DAY)
    await (await take(memory.fileSystem)).release()
  })

  test.each(["", "{", "null", "[]", '{"token":"../../x","createdMs":0}', '{"token":7,"createdMs":0,"owner":null}'])(
    "file that holds %j counts for 24 hours from its time on",
    async (content) => {
      const memory = place()
      memory.disk.fs.writeFileSync(`${LOCKS}/work`, content)
      const sinceMs = Number(memory.disk.fs.lstatSync(`${LOCKS}/work`).mtimeMs)
      const holder = await held(take(memory.fileSystem, ALIVE, Math.ceil(sinceMs) + DAY - 2000))
      expect(holder).toBe(`a process since ${new Date(sinceMs).toISOString()}`)
      await (await take(memory.fileSystem, ALIVE, Math.ceil(sinceMs) + DAY)).release()
      expect(left(memory)).toEqual([])
    },
  )

  test("with times and tokens of somebody's making ends in an answer", async () => {
    const memory = place()
    const text = JSON.stringify({ token: "0".repeat(32), createdMs: 1e300, owner: ELSEWHERE })
    for (const name of ["work", `work.${"0".repeat(32)}`]) memory.disk.fs.writeFileSync(`${LOCKS}/${name}`, text)
    await held(take(memory.fileSystem))
  })

  test.each(["folder", "link to nowhere", "link to a lock"])(
    "in whose place there is a %s is an error that says what to do",
    async (what) => {
      const memory = place()
      const { fs } = memory.disk
      if (what === "folder") fs.mkdirSync(`${LOCKS}/work/with/something`, { recursive: true })
      else fs.symlinkSync(what === "link to nowhere" ? "nowhere" : "other", `${LOCKS}/work`)
      fs.writeFileSync(`${LOCKS}/other`, JSON.stringify({ token: "0".repeat(32), createdMs: NOW, owner: DEAD }))
      const error: unknown = await take(memory.fileSystem).catch((reason: unknown) => reason)
      const kind = what === "folder" ? "a folder" : "a symbolic link"
      expect(error).toMatchObject({
        code: "IO_FAILED",
        message: `The lock cannot be taken: ${LOCKS}/work is no lock file, but ${kind}. Move it away and try again.`,
      })
      expect(left(memory)).toEqual(expect.arrayContaining(["locks/work", "locks/other"]))
      if (what === "folder") fs.rmSync(`${LOCKS}/work`, { recursive: true })
      else fs.unlinkSync(`${LOCKS}/work`)
      await (await take(memory.fileSystem)).release()
      expect(left(memory)).toEqual(["locks/other"])
    },
  )

  test("in whose place there is an empty folder is taken, with the folder gone", async () => {
    const memory = place()
    memory.disk.fs.mkdirSync(`${LOCKS}/work`)
    const lock = await take(memory.fileSystem)
    await held(take(memory.fileSystem))
    await lock.release()
    expect(left(memory)).toEqual([])
  })

  test("that somebody only asks about changes nothing, not even an empty folder in its place", async () => {
    const memory = place()
    memory.disk.fs.mkdirSync(`${LOCKS}/work`)
    const asked = { fileSystem: memory.fileSystem, locks: LOCKS, isAlive: async () => true }
    expect(await isHeld({ ...asked, name: "work" })).toBe(false)
    expect(left(memory)).toEqual(["locks/work"])
    const lock = await take(memory.fileSystem)
    expect(await isHeld({ ...asked, name: "work" })).toBe(true)
    await lock.release()
    expect(await isHeld({ ...asked, name: "work" })).toBe(false)
  })

  test("in whose place there is a fifo is such an error, too, and hangs nobody", async () => {
    const folder = await temporaryFolder()
    spawnSync("mkfifo", [join(folder, "work")])
    const call = takeLock({
      fileSystem: nodeFileSystem(),
      locks: folder,
      temporary: folder,
      name: "work",
      owner: ALIVE,
      nowMs: NOW,
      isAlive: async () => false,
    })
    await expect(call).rejects.toMatchObject({ code: "IO_FAILED", details: { errno: "ENXIO" } })
  })

  test("file that is far too large is not read, and counts for 24 hours", async () => {
    const memory = place()
    memory.disk.fs.writeFileSync(`${LOCKS}/work`, Buffer.alloc(100_000))
    const sinceMs = Number(memory.disk.fs.lstatSync(`${LOCKS}/work`).mtimeMs)
    const recorded = faultyFileSystem(memory.fileSystem)
    await held(take(recorded, ALIVE, Math.ceil(sinceMs) + DAY - 2000))
    expect(recorded.calls.map(({ kind }) => kind)).toEqual(["lstat"])
    await (await take(recorded, ALIVE, Math.ceil(sinceMs) + DAY)).release()
    expect(left(memory)).toEqual([])
  })

  test("whose holder is not known says which file to delete", async () => {
    const memory = place()
    memory.disk.fs.writeFileSync(`${LOCKS}/work`, "")
    await expect(take(memory.fileSystem, ALIVE, Date.now())).rejects.toThrow(`delete ${LOCKS}/work if`)
    memory.disk.fs.unlinkSync(`${LOCKS}/work`)
    await take(memory.fileSystem, ALIVE)
    await expect(take(memory.fileSystem)).rejects.not.toThrow("delete")
  })

  test("works without hard links", async () => {
    const memory = place()
    const fileSystem = new Proxy(memory.fileSystem, {
      get(target, name): unknown {
        if (name === "traits") return { ...target.traits, hardLinks: false }
        const value: unknown = Reflect.get(target, name)
        return typeof value === "function" ? value.bind(target) : value
      },
    })
    const lock = await take(fileSystem)
    await held(take(fileSystem))
    await lock.release()
    await take(fileSystem, DEAD)
    await (await take(fileSystem)).release()
    expect(left(memory)).toEqual([])
  })
})

/** With more calls than that the lock is held by then. */
const MOST_CALLS = 18

describe("several that want a lock at the same time", () => {
  /** Runs some that each take the lock, hold it for a few calls and release it. Gives what went wrong, and who held it. */
  async function contend(
    memory: Memory,
    names: readonly string[],
    choose: (ready: readonly string[], made: ReadonlyMap<string, number>) => string,
  ): Promise<{ problems: string[]; winners: string[] }> {
    const problems: string[] = []
    const winners: string[] = []
    let inside = 0
    const actors = names.map((name): Actor => {
      return {
        name,
        async run(around) {
          const fileSystem = faultyFileSystem(memory.fileSystem, [], around)
          let lock: Lock
          try {
            lock = await take(fileSystem)
          } catch (error) {
            if (!isSnapshotError(error, "LOCK_HELD")) throw error
            return
          }
          winners.push(name)
          inside++
          for (let call = 0; call < 3; call++) {
            if (inside !== 1) problems.push(`${inside} hold the lock`)
            await fileSystem.lstat("/store")
          }
          inside--
          await lock.release()
        },
      }
    })
    await interleave(actors, choose)
    problems.push(...left(memory).map((path) => `left ${path}`))
    return { problems, winners }
  }

  /** Stores whose lock is free, was left by dead processes, or by one that died at some call of taking or releasing it. */
  async function beginnings(): Promise<Memory[]> {
    const [free, left1, left2] = [place(), place(), place()]
    for (const memory of [left1, left2, left2]) await take(memory.fileSystem, DEAD)
    const found = [free, left1, left2]
    for (const before of [free, left2])
      for (let call = 1, isDone = false; !isDone; call++) {
        const memory = copyOf(before)
        const fileSystem = faultyFileSystem(memory.fileSystem, [{ call, how: "kill" }])
        const lock = await take(fileSystem, DEAD).catch(() => undefined)
        await lock?.release()
        isDone = !fileSystem.struck
        found.push(memory)
      }
    return found
  }

  test("are never two to hold it, and one of them does, in whatever order they go", async () => {
    const problems: string[] = []
    for (const [number, beginning] of (await beginnings()).entries())
      for (let seed = 0; seed < 12; seed++) {
        const random = seeded(seed)
        const stay = [0, 1, 4, 9][seed % 4] as number
        let last: string | undefined
        const { problems: found, winners } = await contend(copyOf(beginning), ["a", "b", "c"], (ready) => {
          if (last === undefined || !ready.includes(last) || random(stay + 1) === 0) last = ready[random(ready.length)]
          return last as string
        })
        const temporary = beginning.disk.names("/store/tmp").map((name) => `left tmp/${name}`)
        problems.push(
          ...found.filter((problem) => !temporary.includes(problem)).map((one) => `${one} (${number}, seed ${seed})`),
        )
        if (winners.length === 0) problems.push(`nobody got it (${number}, seed ${seed})`)
      }
    expect(problems).toEqual([])
  })

  test("are never two, at whatever call the one stops, and the other, before the one goes on", async () => {
    const problems: string[] = []
    for (const [number, beginning] of (await beginnings()).slice(0, 3).entries())
      for (let one = 1; one < MOST_CALLS; one++)
        for (let other = 1; other < MOST_CALLS; other++) {
          const { problems: found } = await contend(copyOf(beginning), ["a", "b"], (ready, made) => {
            if (ready.includes("a") && (made.get("a") ?? 0) < one) return "a"
            if (ready.includes("b") && (made.get("b") ?? 0) < other) return "b"
            return ready[0] as string
          })
          problems.push(...found.map((problem) => `${problem} (${number}, stops after ${one} and ${other})`))
        }
    expect(problems).toEqual([])
  })

  test("the one that fails while it takes the lock does not bar the others", async () => {
    const problems: string[] = []
    const count = await callsOf(place())
    for (let call = 1; call <= count; call++) {
      const memory = place()
      await take(memory.fileSystem, DEAD)
      const fileSystem = faultyFileSystem(memory.fileSystem, [{ call, how: "fail", errno: "EIO" }])
      await take(fileSystem).then(
        (lock) => lock.release(),
        () => {},
      )
      if (!fileSystem.struck) problems.push(`call ${call} was not made`)
      await take(memory.fileSystem).then(
        (lock) => lock.release(),
        (error: unknown) => problems.push(`${String(error)} after call ${call}`),
      )
      const locks = left(memory).filter((path) => path.startsWith("locks/"))
      problems.push(...locks.map((path) => `left ${path} after call ${call}`))
    }
    expect(problems).toEqual([])
  })

  /** How many calls it takes to take over the lock of a dead process and release it. */
  async function callsOf(memory: Memory): Promise<number> {
    await take(memory.fileSystem, DEAD)
    const recorded = faultyFileSystem(memory.fileSystem)
    await (await take(recorded)).release()
    return recorded.calls.length
  }
})
