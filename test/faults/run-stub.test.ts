/*
 * What only Windows does, or a system in trouble: played by a stub in place of the system's spawn.
 */
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { runWith } from "../../src/sidecar/run.js"
import { stubProcess, systemError, type StubProcess } from "../support/stub-process.js"

const INPUT = new Uint8Array(100)

/** A process whose stdin fails with `errno` some time after the write. */
function failingStdin(errno: string, afterMs: number, whenFailed: () => void = () => {}): StubProcess {
  return stubProcess({
    write: (_chunk, taken) =>
      setTimeout(() => {
        taken(systemError(errno))
        whenFailed()
      }, afterMs),
  })
}

describe("stdin", () => {
  it.each([0, 128])("that fails with EOF before an exit with code %i leaves the code as it is", async (code) => {
    const process = failingStdin("EOF", 5, () => process.exit(code))
    const result = await runWith(process.system, "git", [], { input: INPUT })
    expect(result).toMatchObject({ kind: "exited", ok: code === 0, code })
    expect(result.stdin).toEqual({ state: "aborted", errorCode: "EOF" })
  })

  it.each([0, 128])("that fails with EOF 300 ms after an exit with code %i changes nothing", async (code) => {
    const process = failingStdin("EOF", 300)
    const running = runWith(process.system, "git", [], { input: INPUT })
    process.exit(code)
    const result = await running
    expect(result).toMatchObject({ kind: "exited", ok: code === 0, code, stdin: { state: "aborted" } })
  })

  it("that never closes does not hold up the result, and may fail after it", async () => {
    const process = stubProcess({ write: () => {} })
    let asked = 0
    let returned = 0
    process.stdin.destroy = () => {
      asked += 1
      return process.stdin
    }
    const input = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false as const, value: INPUT }),
        return: async () => ({ done: true as const, value: (returned += 1) }),
      }),
    }
    const running = runWith(process.system, "git", [], { input })
    process.exit(0)
    const result = await running
    expect([asked, returned]).toEqual([1, 1])
    expect(result).toMatchObject({ kind: "exited", ok: true, stdin: { state: "aborted" } })
    process.stdin.emit("error", systemError("EOF"))
    process.stdin.emit("error", systemError("EIO"))
  })

  it("that goes in the middle of a write, with an error only for the writer, is aborted", async () => {
    const process = stubProcess({
      write: (_chunk, taken) =>
        setImmediate(() => {
          process.stdin.destroy()
          taken(systemError("ECANCELED"))
          process.exit(0)
        }),
    })
    const result = await runWith(process.system, "git", [], { input: INPUT })
    expect(result.stdin).toEqual({ state: "aborted", errorCode: "ECANCELED" })
  })

  it.each(["EPIPE", "ECONNRESET", "ECANCELED", "ERR_STREAM_DESTROYED", "ERR_STREAM_PREMATURE_CLOSE"])(
    "that fails with %s is the process's own business",
    async (errno) => {
      const process = failingStdin(errno, 0, () => process.exit(0))
      const result = await runWith(process.system, "git", [], { input: INPUT })
      expect(result).toMatchObject({ kind: "exited", ok: true, stdin: { state: "aborted", errorCode: errno } })
    },
  )

  it("that fails with EIO makes code 0 a failure, and leaves any other code as it is", async () => {
    for (const [code, kind] of [
      [0, "input-failed"],
      [1, "exited"],
    ] as const) {
      const process = failingStdin("EIO", 0, () => process.exit(code))
      const result = await runWith(process.system, "git", [], { input: INPUT })
      expect(result).toMatchObject({ kind, ok: false, code, stdin: { state: "failed", errorCode: "EIO" } })
    }
  })

  it("that fails for good is failed, whatever benign error came before", async () => {
    const process = failingStdin("EPIPE", 0, () => {
      process.stdin.emit("error", systemError("EIO"))
      process.exit(0)
    })
    const result = await runWith(process.system, "git", [], { input: INPUT })
    expect(result.stdin).toEqual({ state: "failed", errorCode: "EIO" })
  })
})

describe("the end of a process", () => {
  it("without an exit is a failed start, and its negative code does not get out", async () => {
    const process = stubProcess({ pid: undefined })
    const running = runWith(process.system, "git", [])
    process.close(-2)
    expect(await running).toMatchObject({ kind: "spawn-failed", ok: false, code: undefined, reason: "other" })
  })

  it("with a negative code has no code", async () => {
    const process = stubProcess()
    const running = runWith(process.system, "git", [])
    process.exit(-1)
    expect(await running).toMatchObject({ kind: "exited", ok: false, code: undefined })
  })

  it("is not what an error tells of a process that was started", async () => {
    const process = stubProcess()
    const running = runWith(process.system, "git", [])
    process.fail(systemError("EPERM"))
    process.exit(0)
    expect(await running).toMatchObject({ kind: "exited", ok: true })
  })

  it("can be seen before the output that is beyond the limit, which is told all the same", async () => {
    const process = stubProcess()
    const running = runWith(process.system, "git", [], { maxOutputBytes: 5 })
    process.stdout.write("abcdef")
    process.exit(0)
    expect(await running).toMatchObject({ kind: "output-limit", ok: false, code: 0, stdoutTruncated: true })
  })

  it("that does not even come after SIGKILL is given up", async () => {
    const process = stubProcess({ platform: "darwin" })
    const result = await runWith(process.system, "git", [], { timeoutMs: 1, killGraceMs: 1 })
    expect(result).toMatchObject({ kind: "timed-out", ok: false, code: undefined, outputIncomplete: true })
    expect(process.kills.map(([pid, signal]) => [pid, signal])).toEqual([
      [-4711, "SIGTERM"],
      [-4711, "SIGKILL"],
    ])
    expect(process.signals).toEqual(["SIGTERM", "SIGKILL"])
    expect(process.isUnreferenced()).toBe(true)
  })
})

describe("after the end of a process, by a clock of the test's own,", () => {
  it("outputs that somebody else holds are read until nothing came for 250 ms", async () => {
    const process = stubProcess()
    const { at, result } = await onClock(() => runWith(process.system, "git", []))
    process.stdout.write("before")
    process.leave(0)
    expect(await at(200)).toBe("waits")
    process.stdout.write(" after")
    expect(await at(449)).toBe("waits")
    expect(await at(451)).toBe("settled")
    const { ok, stdout, outputIncomplete } = await result
    expect([ok, Buffer.from(stdout).toString(), outputIncomplete]).toEqual([true, "before after", true])
  })

  it("outputs that somebody else holds and fills are read for 2 s", async () => {
    const process = stubProcess()
    const { at, result } = await onClock(() => runWith(process.system, "git", []))
    process.leave(0)
    for (let ms = 200; ms < 2000; ms += 200) {
      expect(await at(ms)).toBe("waits")
      process.stdout.write(".")
    }
    expect(await at(1999)).toBe("waits")
    expect(await at(2001)).toBe("settled")
    expect(await result).toMatchObject({ kind: "exited", ok: true, outputIncomplete: true })
  })

  it("stdin that does not close, and an iterable that does not return, have 1 s", async () => {
    const closing = stubProcess({ write: () => {} })
    closing.stdin.destroy = () => closing.stdin
    const returning = stubProcess({ write: () => {} })
    const input = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false as const, value: INPUT }),
        return: () => new Promise<never>(() => {}),
      }),
    }
    for (const [process, given] of [
      [closing, INPUT],
      [returning, input],
    ] as const) {
      const { at, result } = await onClock(() => runWith(process.system, "git", [], { input: given }))
      process.exit(0)
      expect(await at(999)).toBe("waits")
      expect(await at(1001)).toBe("settled")
      expect(await result).toMatchObject({ kind: "exited", ok: true, stdin: { state: "aborted" } })
      vi.useRealTimers()
    }
  })
})

describe("an abort before the start", () => {
  it("spawns nothing", async () => {
    const process = stubProcess()
    const signal = AbortSignal.abort("enough")
    const result = await runWith(process.system, "git", [], { signal, input: INPUT })
    expect(result).toMatchObject({ kind: "aborted", ok: false, cause: "enough", stdin: { state: "aborted" } })
    expect(result.pid).toBeUndefined()
    expect(process.spawned).toEqual([])
  })
})

describe("how a process is started", () => {
  it("without input it has no stdin, and it leads a group of its own except on Windows", async () => {
    for (const [platform, detached] of [
      ["linux", true],
      ["win32", false],
    ] as const) {
      const process = stubProcess({ platform })
      const running = runWith(process.system, "git", [])
      process.exit(0)
      expect((await running).stdin).toEqual({ state: "none" })
      expect(process.spawned[0]?.options).toEqual({
        stdio: ["ignore", "pipe", "pipe"],
        detached,
        windowsHide: true,
      })
    }
  })
})

describe("ending a process on Windows", () => {
  it("ends its whole tree with the system's own tool, and sends no signal", async () => {
    const process = stubProcess({ onSpawn: () => setImmediate(() => process.exit(1)) })
    const result = await runWith(process.system, "git", [], { timeoutMs: 1 })
    expect(result).toMatchObject({ kind: "timed-out", ok: false, code: 1 })
    expect(process.spawned.slice(1).map(({ command, args }) => [command.replaceAll("/", "\\"), args])).toEqual([
      ["C:\\Windows\\System32\\taskkill.exe", ["/PID", "4711", "/T", "/F"]],
    ])
    expect(process.signals).toEqual([])
    expect(process.kills).toEqual([])
  })

  it.each(["is missing", "refuses"])("ends at least the process itself when the tool %s", async (trouble) => {
    const process = stubProcess({
      onSpawn: (tool) =>
        setImmediate(() => {
          if (trouble === "refuses") tool.emit("exit", 128)
          else tool.emit("error", systemError("ENOENT"))
          process.exit(1)
        }),
    })
    const result = await runWith(process.system, "git", [], { timeoutMs: 1 })
    expect(result.kind).toBe("timed-out")
    expect(process.signals).toEqual(["SIGKILL"])
  })
})

/** Runs on a clock that stands still except for `at`, which moves it on and tells whether the result is there. */
async function onClock<Result>(start: () => Promise<Result>): Promise<{
  readonly at: (ms: number) => Promise<"waits" | "settled">
  readonly result: Promise<Result>
}> {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let state: "waits" | "settled" = "waits"
  let nowMs = 0
  const result = start()
  const settle = (): void => void (state = "settled")
  result.then(settle, settle)
  await vi.advanceTimersByTimeAsync(0)
  return {
    result,
    async at(ms) {
      await vi.advanceTimersByTimeAsync(ms - nowMs)
      nowMs = ms
      return state
    },
  }
}
