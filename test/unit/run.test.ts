import { getEventListeners } from "node:events"
import { describe, expect, it } from "vitest"
import { isSnapshotError } from "../../src/core/errors.js"
import type { RunOptions } from "../../src/sidecar/run-options.js"
import { run } from "../../src/sidecar/run.js"
import { isRunning, printedPids, text } from "../support/processes.js"
import { temporaryFolder } from "../support/temporary-folder.js"

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const one of texts) yield new TextEncoder().encode(one)
}

async function thrownBy(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => expect.unreachable("it has to reject"),
    (error: unknown) => error,
  )
}

describe("a result", () => {
  it("has what the process gave, as plain bytes, and what was asked for", async () => {
    const args = ["-c", "echo out; echo err >&2; exit 3"]
    const { pid, durationMs, ...result } = await run("sh", args)
    expect(result).toEqual({
      kind: "exited",
      ok: false,
      code: 3,
      signal: undefined,
      stdout: new TextEncoder().encode("out\n"),
      stderr: new TextEncoder().encode("err\n"),
      stdoutTruncated: false,
      stderrTruncated: false,
      outputIncomplete: false,
      stdin: { state: "none" },
      command: "sh",
      args,
    })
    expect(Object.getPrototypeOf(result.stdout)).toBe(Uint8Array.prototype)
    expect(pid).toBeGreaterThan(0)
    expect(durationMs).toBeGreaterThan(0)
  })
})

describe("the place of a process", () => {
  it("is the folder and the environment that it was given, and no other", async () => {
    const folder = await temporaryFolder()
    const env = { PATH: process.env["PATH"], ONLY: "this" }
    const result = await run("sh", ["-c", "pwd; echo $ONLY $HOME"], { cwd: folder, env })
    expect(text(result.stdout)).toBe(`${folder}\nthis\n`)
  })

  it("is this process's own unless it was given another", async () => {
    const result = await run("sh", ["-c", "pwd; echo $PATH"])
    expect(text(result.stdout)).toBe(`${process.cwd()}\n${process.env["PATH"]}\n`)
  })

  it("has an empty stdin when there is no input", async () => {
    const result = await run("cat", [])
    expect(result).toMatchObject({ ok: true, stdin: { state: "none" } })
    expect(result.stdout.length).toBe(0)
  })
})

describe("input", () => {
  it.each<[string, NonNullable<RunOptions["input"]>, string]>([
    ["bytes", new TextEncoder().encode("abc"), "abc"],
    ["no bytes", new Uint8Array(), ""],
    ["chunks, some of them empty", chunks("a", "", "bc", ""), "abc"],
    ["no chunks", chunks(), ""],
  ])("of %s arrives whole", async (_name, input, expected) => {
    const result = await run("cat", [], { input, requireFullInput: true })
    expect(result).toMatchObject({ kind: "exited", ok: true, stdin: { state: "finished" } })
    expect(text(result.stdout)).toBe(expected)
  })

  it("of many chunks arrives whole and in order", async () => {
    const numbers = Array.from({ length: 20_000 }, (_, i) => `${i}\n`)
    const result = await run("cat", [], { input: chunks(...numbers) })
    expect(text(result.stdout)).toBe(numbers.join(""))
  })

  it("may use one buffer for all of its chunks", async () => {
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const buffer = new Uint8Array(100_000)
      for (let i = 0; i < 20; i++) yield buffer.fill(65 + i)
    }
    const { stdout } = await run("cat", [], { input: reusing() })
    expect(stdout.length).toBe(2_000_000)
    for (let i = 0; i < stdout.length; i += 10_000) expect(stdout[i]).toBe(65 + Math.floor(i / 100_000))
  })

  it("is asked for no more than a process takes that does not read", async () => {
    let asked = 0
    const controller = new AbortController()
    const input = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          asked += 1
          return { done: false as const, value: new Uint8Array(64 * 1024) }
        },
        return: async () => ({ done: true as const, value: undefined }),
      }),
    }
    const running = run("sh", ["-c", "echo up; exec sleep 600"], { input, signal: controller.signal })
    for (let before = -1; before !== asked;) {
      before = asked
      await new Promise((resolve) => setTimeout(resolve, 50))
      if (asked > 1000) break
    }
    controller.abort()
    expect(await running).toMatchObject({ kind: "aborted", stdin: { state: "aborted" } })
    expect(asked).toBeLessThan(100)
    expect(asked).toBeGreaterThan(1)
  })

  it("that never comes does not hold up a process that does not wait for it", async () => {
    const never = new Promise<never>(() => {})
    const input = { [Symbol.asyncIterator]: () => ({ next: () => never, return: () => never }) }
    expect(await run("true", [], { input })).toMatchObject({ kind: "exited", ok: true, stdin: { state: "aborted" } })
  })

  it("that is always ready with nothing does not keep a result from being seen", async () => {
    async function* nothing(): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array()
    }
    expect(await run("true", [], { input: nothing() })).toMatchObject({ kind: "exited", ok: true })
  })

  it("that fails while it is being returned changes nothing", async () => {
    const input = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<Uint8Array>>(() => {}),
        return: () => Promise.reject(new Error("on the way out")),
      }),
    }
    expect(await run("true", [], { input })).toMatchObject({ kind: "exited", ok: true })
  })

  it("has to be taken whole only where that is required", async () => {
    const input = new Uint8Array(1_000_000)
    expect(await run("true", [], { input })).toMatchObject({ kind: "exited", ok: true })
    expect(await run("true", [], { input, requireFullInput: true })).toMatchObject({ kind: "input-failed", code: 0 })
    expect(await run("false", [], { input, requireFullInput: true })).toMatchObject({ kind: "exited", code: 1 })
    expect(await run("true", [], { requireFullInput: true })).toMatchObject({ kind: "exited", ok: true })
  })
})

describe("the caller's own code", () => {
  it.each<[string, (error: Error) => Partial<RunOptions>]>([
    ["onStdout", (error) => ({ onStdout: () => raise(error) })],
    ["onStderr", (error) => ({ onStderr: () => raise(error) })],
    [
      "the iterable",
      (error) => ({
        input: (async function* () {
          yield new Uint8Array(1)
          throw error
        })(),
      }),
    ],
    ["the start of the iterable", (error) => ({ input: { [Symbol.asyncIterator]: () => raise(error) } })],
    [
      "a step of the iterable",
      (error) => ({ input: { [Symbol.asyncIterator]: () => ({ next: () => raise(error) }) } }),
    ],
  ])("that throws in %s ends the process first, and then rejects with that", async (_name, options) => {
    const folder = await temporaryFolder()
    const error = new Error("mine")
    const script = "echo $$ >pid; echo out; echo err >&2; exec sleep 600"
    expect(await thrownBy(run("sh", ["-c", script], { cwd: folder, ...options(error) }))).toBe(error)
    const { stdout } = await run("sh", ["-c", "cat pid || echo 0"], { cwd: folder })
    for (const pid of printedPids(stdout)) expect(pid > 0 && isRunning(pid)).toBe(false)
  })

  it("is not called again once it has thrown", async () => {
    let calls = 0
    const script = "trap '' TERM; while :; do echo on; sleep 0.02; done"
    const onStdout = (): never => {
      calls += 1
      throw new Error("mine")
    }
    await thrownBy(run("sh", ["-c", script], { onStdout, killGraceMs: 200 }))
    expect(calls).toBe(1)
  })

  it("that gives a chunk which is no bytes is refused", async () => {
    const input = (async function* () {
      yield "text" as unknown as Uint8Array
    })()
    const error = await thrownBy(run("cat", [], { input }))
    expect(isSnapshotError(error, "INVALID_ARGUMENT") && error.details.argument).toBe("input")
  })

  it("that gives no step at all is told so", async () => {
    const input = { [Symbol.asyncIterator]: () => ({ next: async () => undefined }) } as never
    expect(await thrownBy(run("cat", [], { input }))).toBeInstanceOf(TypeError)
  })

  it("gets every byte of an output that it takes, and the result the first 64 KiB", async () => {
    let bytes = 0
    const result = await run("sh", ["-c", "head -c 80000000 /dev/zero; printf end >&2"], {
      onStdout: (chunk) => {
        bytes += chunk.length
        chunk.fill(1)
      },
    })
    expect(bytes).toBe(80_000_000)
    expect(result).toMatchObject({ ok: true, stdoutTruncated: true, stderrTruncated: false })
    expect(result.stdout).toEqual(new Uint8Array(64 * 1024))
    expect(text(result.stderr)).toBe("end")
  })

  it("gets no more of an output than a limit allows", async () => {
    let taken = ""
    const result = await run("sh", ["-c", "printf abcdef; exec sleep 600"], {
      maxOutputBytes: 4,
      onStdout: (chunk) => void (taken += text(chunk)),
    })
    expect(taken).toBe("abcd")
    expect(result.kind).toBe("output-limit")
  })
})

describe("a signal", () => {
  it("keeps no listener, and may be shared by many processes", async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on("warning", onWarning)
    const { signal } = new AbortController()
    const results = await Promise.all(Array.from({ length: 30 }, () => run("true", [], { signal })))
    await new Promise((resolve) => setImmediate(resolve))
    process.off("warning", onWarning)
    expect(results.every(({ ok }) => ok)).toBe(true)
    expect(getEventListeners(signal, "abort")).toEqual([])
    expect(warnings).toEqual([])
  })

  it("that aborts after the exit changes nothing", async () => {
    const controller = new AbortController()
    const result = await run("true", [], { signal: controller.signal })
    controller.abort()
    expect(result.kind).toBe("exited")
  })
})

describe("arguments that no process can be run with", () => {
  it.each<[string, Parameters<typeof run>]>([
    ["command", [1 as never, []]],
    ["command", ["", []]],
    ["args", ["true", "text" as never]],
    ["args", ["true", [1 as never]]],
    ["input", ["true", [], { input: "text" as never }]],
    ["signal", ["true", [], { signal: {} as never }]],
    ["timeoutMs", ["true", [], { timeoutMs: -1 }]],
    ["timeoutMs", ["true", [], { timeoutMs: Number.NaN }]],
    ["timeoutMs", ["true", [], { timeoutMs: 2 ** 31 }]],
    ["killGraceMs", ["true", [], { killGraceMs: -1 }]],
    ["maxOutputBytes", ["true", [], { maxOutputBytes: Number.NaN }]],
    ["onStdout", ["true", [], { onStdout: 1 as never }]],
    ["onStderr", ["true", [], { onStderr: {} as never }]],
  ])("are refused by name: %s (%#)", async (argument, call) => {
    const error = await thrownBy(run(...call))
    expect(isSnapshotError(error, "INVALID_ARGUMENT") && error.details.argument).toBe(argument)
  })
})

function raise(error: Error): never {
  throw error
}
