import { getEventListeners } from "node:events"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { isSnapshotError } from "../../src/core/errors.js"
import type { RunOptions } from "../../src/sidecar/run-options.js"
import { run, runWith } from "../../src/sidecar/run.js"
import { isRunning, printedPids, text, watchedSystem } from "../support/processes.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const NO_INPUTS = [
  null,
  "text",
  {},
  new Uint16Array(2),
  { [Symbol.asyncIterator]: 5 },
  Object.create(Uint8Array.prototype),
  new Proxy(new Uint8Array(2), {}),
]
const NO_ENVIRONMENTS = [null, 5, "PATH=/bin", ["PATH=/bin"], { A: 1 }, { A: null }, { A: Symbol("a") }]
const NO_SIGNALS = [null, {}, { aborted: true, addEventListener: () => {} }, Object.create(AbortSignal.prototype)]
const NO_NUMBERS = [null, -1, Number.NaN, 5n, "5", Symbol("5"), {}, new Date(5)]

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

  it.each<[string, () => unknown]>([
    ["no iterator", () => undefined],
    ["null for one", () => null],
    ["an iterator without steps", () => ({})],
    ["an iterator that gives no step", () => ({ next: async () => undefined })],
    ["an iterator that gives null for one", () => ({ next: async () => null })],
    ["an object that only looks like bytes", () => chunk(Object.create(Uint8Array.prototype))],
  ])("that gives %s is refused, and the process ended", async (_name, iterate) => {
    const pids: (number | undefined)[] = []
    const system = watchedSystem(({ pid }) => void pids.push(pid))
    const input = { [Symbol.asyncIterator]: iterate } as AsyncIterable<Uint8Array>
    const error = await thrownBy(runWith(system, "sleep", ["600"], { input }))
    expect(isSnapshotError(error, "INVALID_ARGUMENT") && error.details.argument).toBe("input")
    expect(pids.map((pid) => pid !== undefined && isRunning(pid))).toEqual([false])
  })

  it.each<[string, (error: Error) => Partial<RunOptions>]>([
    ["a signal", (error) => ({ signal: Object.assign(signal(), { addEventListener: () => raise(error) }) })],
    ["bytes", (error) => ({ input: Object.defineProperty(new Uint8Array(9), "buffer", { get: () => raise(error) }) })],
  ])("that throws in %s while the process is being started leaves none behind", async (_name, options) => {
    const error = new Error("mine")
    const pids: (number | undefined)[] = []
    const system = watchedSystem(({ pid }) => void pids.push(pid))
    expect(await thrownBy(runWith(system, "sleep", ["600"], options(error)))).toBe(error)
    expect(pids.map((pid) => pid !== undefined && isRunning(pid))).toEqual([false])
  })

  it.each(["onStdout", "onStderr"] as const)("that rejects in %s is as one that throws", async (name) => {
    const error = new Error("mine")
    let calls = 0
    const callback = (): Promise<never> => {
      calls += 1
      return Promise.reject(error)
    }
    const pids: (number | undefined)[] = []
    const system = watchedSystem(({ pid }) => void pids.push(pid))
    const script = "trap '' TERM; while :; do echo on; echo on >&2; sleep 0.02; done"
    const options = { [name]: callback as () => void, killGraceMs: 200 }
    expect(await thrownBy(runWith(system, "sh", ["-c", script], options))).toBe(error)
    expect(calls).toBe(1)
    expect(pids.map((pid) => pid !== undefined && isRunning(pid))).toEqual([false])
  })

  it("that rejects while the process ends by itself is what the run rejects with", async () => {
    const error = new Error("mine")
    const onStdout = (() => Promise.reject(error)) as () => void
    expect(await thrownBy(run("echo", ["on"], { onStdout }))).toBe(error)
  })

  it("that has not settled is not waited for, and harms nobody when it rejects later", async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown): void => void unhandled.push(error)
    process.on("unhandledRejection", onUnhandled)
    let reject: (error: Error) => void = () => {}
    const later = new Promise<never>((_resolve, rejectLater) => (reject = rejectLater))
    expect(await run("echo", ["on"], { onStdout: (() => later) as () => void })).toMatchObject({ ok: true })
    reject(new Error("late"))
    await new Promise((resolve) => setTimeout(resolve, 10))
    process.off("unhandledRejection", onUnhandled)
    expect(unhandled).toEqual([])
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
  it.each<[string, readonly unknown[]]>([
    ["command", [1, []]],
    ["command", ["", []]],
    ["args", ["true", "text"]],
    ["args", ["true", [1]]],
    ["args", ["true", new Array(1)]],
    ["args", ["true", undefined]],
    ["options", ["true", [], null]],
    ["options", ["true", [], 5]],
    ...NO_INPUTS.map((input): [string, unknown[]] => ["input", ["true", [], { input }]]),
    ...[null, 5, new URL("file:///")].map((cwd): [string, unknown[]] => ["cwd", ["true", [], { cwd }]]),
    ...NO_ENVIRONMENTS.map((env): [string, unknown[]] => ["env", ["true", [], { env }]]),
    ...NO_SIGNALS.map((signal): [string, unknown[]] => ["signal", ["true", [], { signal }]]),
    ...["timeoutMs", "killGraceMs", "maxOutputBytes"].flatMap((name) =>
      NO_NUMBERS.map((value): [string, unknown[]] => [name, ["true", [], { [name]: value }]]),
    ),
    ...["timeoutMs", "killGraceMs"].flatMap((name) =>
      [2 ** 31, Infinity].map((value): [string, unknown[]] => [name, ["true", [], { [name]: value }]]),
    ),
    ["onStdout", ["true", [], { onStdout: 1 }]],
    ["onStderr", ["true", [], { onStderr: {} }]],
  ])("are refused by name, before anything is run: %s (%#)", async (argument, call) => {
    let spawned = 0
    const system = watchedSystem(() => void (spawned += 1))
    const [command, args, options] = call as Parameters<typeof run>
    const error = await thrownBy(runWith(system, command, args, options))
    expect(isSnapshotError(error, "INVALID_ARGUMENT") && error.details.argument).toBe(argument)
    expect(spawned).toBe(0)
  })

  it("are not bytes and limits that are odd, but what they are said to be", async () => {
    const foreign = runInNewContext("new Uint8Array([97, 98, 99])") as Uint8Array
    const limits = { maxOutputBytes: Infinity, timeoutMs: 2 ** 31 - 1, killGraceMs: 0 }
    const { stdout } = await run("cat", [], { input: foreign, ...limits })
    expect(text(stdout)).toBe("abc")
    expect(text((await run("cat", [], { input: chunk(foreign) })).stdout)).toBe("abc")
  })
})

async function* chunk(one: Uint8Array): AsyncGenerator<Uint8Array> {
  yield one
}

function signal(): AbortSignal {
  return new AbortController().signal
}

function raise(error: Error): never {
  throw error
}
