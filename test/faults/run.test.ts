/*
 * Real processes that do what runners fail at. Shells print the pids of what they start, so that no clock has to say
 * who is still there.
 */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { runGit } from "../../src/sidecar/git.js"
import type { ProcessResult } from "../../src/sidecar/process-result.js"
import type { RunOptions } from "../../src/sidecar/run-options.js"
import { run, runWith } from "../../src/sidecar/run.js"
import { gitIsThere } from "../support/git.js"
import { block, isRunning, printedPids, text, watchedSystem } from "../support/processes.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const MEGABYTE = 1_000_000

describe.runIf(gitIsThere())("native git", () => {
  it("gives its own status and words when a lock makes it stop reading 4 MB of paths", async () => {
    const folder = await repository()
    await writeFile(join(folder, ".git/index.lock"), "")
    const result = await runGit(["add", "--pathspec-from-file=-", "--pathspec-file-nul"], {
      cwd: folder,
      input: manyPaths(4 * MEGABYTE),
    })
    expect(result).toMatchObject({ kind: "exited", ok: false, code: 128, stdin: { state: "aborted" } })
    expect(text(result.stderr)).toContain("index.lock")
  })

  it("succeeds when it never reads the 3 MB that it was given", async () => {
    const result = await run("git", ["--version"], { input: new Uint8Array(3 * MEGABYTE) })
    expect(result).toMatchObject({ kind: "exited", ok: true, code: 0, stdin: { state: "aborted" } })
    expect(text(result.stdout)).toMatch(/^git version /)
  })

  it("succeeds when it is done before the end of its input, unless all of the input has to be taken", async () => {
    const folder = await repository()
    const input = new Uint8Array(MEGABYTE).fill(120)
    input.set(new TextEncoder().encode("done\n"))
    const args = ["fast-import", "--done", "--quiet"]
    expect(await runGit(args, { cwd: folder, input })).toMatchObject({ kind: "exited", ok: true })
    const required = await runGit(args, { cwd: folder, input, requireFullInput: true })
    expect(required).toMatchObject({ kind: "input-failed", ok: false, code: 0, stdin: { state: "aborted" } })
  })
})

describe("input", () => {
  it("is returned before the result when it is endless and the process has enough", async () => {
    let isReturned = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(64 * 1024)
      } finally {
        await new Promise((resolve) => setTimeout(resolve, 50))
        isReturned = true
      }
    }
    const result = await run("head", ["-c", "1"], { input: endless() })
    expect(isReturned).toBe(true)
    expect(result).toMatchObject({ kind: "exited", ok: true, stdin: { state: "aborted" } })
  })

  it("that a grandchild could still read is aborted, and holds nothing up", async () => {
    const script = "exec 3<&0; sleep 600 <&3 >/dev/null 2>&1 & echo $!"
    const result = await run("sh", ["-c", script], { input: new Uint8Array(8 * MEGABYTE) })
    const [grandchild] = printedPids(result.stdout) as [number]
    expect(isRunning(grandchild)).toBe(true)
    expect(result).toMatchObject({ kind: "exited", ok: true, outputIncomplete: false })
    expect(result.stdin).toEqual({ state: "aborted", errorCode: "ERR_STREAM_DESTROYED" })
  })

  it("that fails after the result harms nobody", async () => {
    const failed: (() => void)[] = []
    const system = watchedSystem((child) => {
      failed.push(() => child.stdin?.emit("error", Object.assign(new Error("late"), { code: "EPIPE" })))
      failed.push(() => child.stdin?.emit("error", new Error("late, and odd")))
      failed.push(() => child.emit("error", new Error("late, of the process")))
    })
    const result = await runWith(system, "true", [], { input: new Uint8Array(10) })
    const before = JSON.stringify(result)
    for (const fail of failed) fail()
    expect(JSON.stringify(result)).toBe(before)
  })
})

describe("output", () => {
  it("that a grandchild holds does not hold up the result, which says so", async () => {
    const result = await run("sh", ["-c", "sleep 600 & echo $!"])
    const [grandchild] = printedPids(result.stdout) as [number]
    expect(isRunning(grandchild)).toBe(true)
    expect(result).toMatchObject({ kind: "exited", ok: true, outputIncomplete: true })
  })

  it("of a grandchild that never stops printing does not hold up the result either", async () => {
    const result = await run("sh", ["-c", "(while :; do echo on; sleep 0.02; done) & echo $! >&2"])
    const [grandchild] = printedPids(result.stderr) as [number]
    expect(grandchild).toBeGreaterThan(0)
    expect(result).toMatchObject({ kind: "exited", ok: true, outputIncomplete: true })
  })

  it("comes whole with 300 KB of stderr beside 64 MB of stdout", async () => {
    const result = await run("sh", ["-c", "head -c 300000 /dev/zero >&2; head -c 64000000 /dev/zero"])
    expect(result).toMatchObject({ ok: true, stdoutTruncated: false, stderrTruncated: false, outputIncomplete: false })
    expect(result.stdout.length).toBe(64_000_000)
    expect(result.stderr.length).toBe(300_000)
  })

  it("beyond the limit ends the process, and what is kept is the beginning", async () => {
    const result = await run("sh", ["-c", "printf abcdef; exec cat /dev/zero"], { maxOutputBytes: 5 })
    expect(result).toMatchObject({ kind: "output-limit", ok: false, stdoutTruncated: true, stderrTruncated: false })
    expect(text(result.stdout)).toBe("abcde")
  })

  it("beyond the limit is told even when the process ended by itself before it was read", async () => {
    const system = watchedSystem((child) => block(() => child.pid === undefined || !isRunning(child.pid)))
    const result = await runWith(system, "printf", ["abcdef"], { maxOutputBytes: 5 })
    expect(result).toMatchObject({ kind: "output-limit", ok: false, stdoutTruncated: true })
  })

  it("of exactly the limit is no offence", async () => {
    expect(await run("printf", ["abcde"], { maxOutputBytes: 5 })).toMatchObject({ ok: true, stdoutTruncated: false })
  })

  it("is read to its end however busy this process is when the other one exits", async () => {
    const system = watchedSystem((child) => {
      child.once("exit", () => {
        const until = performance.now() + 2500
        block(() => performance.now() > until)
      })
      block(() => child.pid === undefined || !isRunning(child.pid))
    })
    const result = await runWith(system, "head", ["-c", "50000", "/dev/zero"])
    expect(result).toMatchObject({ ok: true, outputIncomplete: false })
    expect(result.stdout.length).toBe(50_000)
  })
})

describe("a process that cannot be started", () => {
  it("says which of the causes it was", async () => {
    const folder = await temporaryFolder()
    const plain = join(folder, "plain")
    await writeFile(plain, "#!/bin/sh\n", { mode: 0o644 })
    const input = new Uint8Array(100)
    const failures: Record<string, ProcessResult> = {
      command: await run("no-such-command", [], { input }),
      cwd: await run("true", [], { cwd: join(folder, "missing"), input }),
      "cwd is a file": await run("true", [], { cwd: plain, input }),
      "no exec bit": await run(plain, [], { input }),
      "3 MB": await run("true", ["x".repeat(3 * MEGABYTE)], { input }),
      NUL: await run("true", ["a\0b"], { input }),
      "NUL in a variable": await run("true", [], { input, env: { PATH: process.env["PATH"], A: "a\0b" } }),
    }
    const causes = Object.entries(failures).map(([name, { reason, errorCode }]) => [name, reason, errorCode])
    expect(causes).toEqual([
      ["command", "command-missing", "ENOENT"],
      ["cwd", "cwd-unusable", "ENOENT"],
      ["cwd is a file", "cwd-unusable", "ENOTDIR"],
      ["no exec bit", "command-not-executable", "EACCES"],
      ["3 MB", "arguments-too-long", "E2BIG"],
      ["NUL", "nul-byte", undefined],
      ["NUL in a variable", "nul-byte", undefined],
    ])
    for (const failure of Object.values(failures)) {
      expect(failure).toMatchObject({ kind: "spawn-failed", ok: false, stdin: { state: "aborted" } })
      expect([failure.code, failure.signal, failure.pid]).toEqual([undefined, undefined, undefined])
      expect(failure.cause).toBeInstanceOf(Error)
    }
  })

  it("returns its input", async () => {
    let returned = 0
    const input = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<Uint8Array>>(() => {}),
        return: async () => ({ done: true as const, value: (returned += 1) }),
      }),
    }
    await run("no-such-command", [], { input })
    await run("true", ["a\0b"], { input })
    await run("true", [], { input, signal: AbortSignal.abort() })
    expect(returned).toBe(3)
  })
})

describe("ending a process", () => {
  it("kills one that ignores SIGTERM after the grace time", async () => {
    const result = await abortedWhenUp("trap '' TERM; echo $$; while :; do sleep 0.05; done", { killGraceMs: 100 })
    expect(result).toMatchObject({ kind: "aborted", ok: false, signal: "SIGKILL" })
    for (const pid of printedPids(result.stdout)) expect(isRunning(pid)).toBe(false)
  })

  it("is not taken back by an exit with code 0", async () => {
    const result = await abortedWhenUp("trap 'exit 0' TERM; echo $$; while :; do sleep 0.05; done")
    expect(result).toMatchObject({ kind: "aborted", ok: false, code: 0, signal: undefined })
  })

  it("ends the whole group before the result", async () => {
    const result = await abortedWhenUp("sleep 600 & a=$!; sleep 600 & echo $a; echo $!; echo $$; wait")
    expect(result).toMatchObject({ kind: "aborted", ok: false, signal: "SIGTERM" })
    const pids = printedPids(result.stdout)
    expect(pids).toHaveLength(3)
    expect(pids.filter(isRunning)).toEqual([])
  })

  it("kills what is left of the group after the grace time, though the process itself went at once", async () => {
    const stubborn = `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.05; done'`
    const result = await abortedWhenUp(`${stubborn} & wait`, { killGraceMs: 100 })
    expect(result).toMatchObject({ kind: "aborted", ok: false, signal: "SIGTERM" })
    const pids = printedPids(result.stdout)
    expect(pids).toHaveLength(1)
    expect(pids.filter(isRunning)).toEqual([])
  })

  it("by its time limit says so", async () => {
    const result = await run("sleep", ["600"], { timeoutMs: 20 })
    expect(result).toMatchObject({ kind: "timed-out", ok: false, code: undefined, signal: "SIGTERM" })
  })

  it("does not happen for a time limit that passed while this process was too busy to see the exit", async () => {
    const began = performance.now()
    const system = watchedSystem((child) =>
      // Blocks before the timer is set, and once more after it.
      setImmediate(() =>
        block(() => (child.pid === undefined || !isRunning(child.pid)) && performance.now() > began + 50),
      ),
    )
    const result = await runWith(system, "sh", ["-c", "sleep 0.01"], { timeoutMs: 30 })
    expect(result).toMatchObject({ kind: "exited", ok: true })
  })

  it("keeps the first reason", async () => {
    const controller = new AbortController()
    const result = await run("sh", ["-c", "trap '' TERM; echo up; exec cat /dev/zero"], {
      signal: controller.signal,
      onStdout: () => controller.abort(),
      maxOutputBytes: 100_000,
      killGraceMs: 100,
    })
    expect(result.kind).toBe("aborted")
    expect(result.cause).toBe(controller.signal.reason)
  })

  it("that somebody else ended says by which signal", async () => {
    const result = await run("sh", ["-c", "kill -9 $$"])
    expect(result).toMatchObject({ kind: "signaled", ok: false, code: undefined, signal: "SIGKILL" })
  })
})

/** What a shell script gives that is aborted when it has printed for the first time. */
async function abortedWhenUp(script: string, options: RunOptions = {}): Promise<ProcessResult> {
  const controller = new AbortController()
  // Whole lines first: a script prints all of its pids before it waits.
  const lines = script.split("echo ").length - 1
  let seen = 0
  const result = await run("sh", ["-c", script], {
    ...options,
    signal: controller.signal,
    onStdout: (chunk) => {
      seen += chunk.filter((byte) => byte === 10).length
      if (seen >= lines) controller.abort()
    },
  })
  onTestFinished(() => expect(seen).toBeGreaterThan(0))
  return result
}

async function repository(): Promise<string> {
  const folder = join(await temporaryFolder(), "repository")
  await mkdir(folder)
  expect((await runGit(["init", "--quiet"], { cwd: folder })).ok).toBe(true)
  return folder
}

function manyPaths(bytes: number): Uint8Array {
  const path = `${"folder/".repeat(13)}file\0`
  return new TextEncoder().encode(path.repeat(Math.ceil(bytes / path.length)))
}
