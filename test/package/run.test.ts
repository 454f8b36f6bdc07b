/*
 * What processes leave behind in the one that runs them: counted in a process of its own, on the built package.
 */
import { spawnSync } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const ENTRY = pathToFileURL(join(import.meta.dirname, "../../dist/sidecar/index.js")).href
const RUNS = 1000

/** Counts what would end this process, and prints all that it counted in the end. */
const PROLOGUE = `
import { readdirSync } from "node:fs"
import { getEventListeners } from "node:events"
const [entry, ...rest] = process.argv.slice(1)
const { run, runGit } = await import(entry)
const counted = { uncaught: [], warnings: [] }
process.on("uncaughtException", (error) => counted.uncaught.push(String(error)))
process.on("unhandledRejection", (error) => counted.uncaught.push(String(error)))
process.on("warning", (warning) => counted.warnings.push(String(warning)))
process.on("exit", () => console.log(JSON.stringify(counted)))
const inTurns = (count, lanes, step) => Promise.all(Array.from({ length: lanes }, async (_, lane) => {
  for (let i = lane; i < count; i += lanes) await step(i)
}))
`

function inAnotherProcess(program: string, args: readonly string[] = []): unknown {
  const node = spawnSync(process.execPath, ["--input-type=module", "-e", PROLOGUE + program, ENTRY, ...args])
  expect(node.stderr.toString()).toBe("")
  expect(node.status).toBe(0)
  return JSON.parse(node.stdout.toString())
}

describe("the process that runs others", () => {
  it.runIf(gitIsThere())(
    `meets not one uncaught error when git stops reading 4 MB of paths, ${RUNS} times`,
    { timeout: 300_000 },
    async () => {
      const folder = await temporaryFolder()
      git(["init", "--quiet", folder])
      await writeFile(join(folder, ".git/index.lock"), "")
      const program = `
        const [cwd, runs] = rest
        const input = new TextEncoder().encode(("folder/".repeat(13) + "file\\0").repeat(42000))
        const args = ["add", "--pathspec-from-file=-", "--pathspec-file-nul"]
        counted.asExpected = 0
        counted.odd = []
        await inTurns(Number(runs), 4, async () => {
          const { kind, code, stdin, stderr } = await runGit(args, { cwd, input })
          const lock = new TextDecoder().decode(stderr).includes("index.lock")
          const story = [kind, code, stdin.state, lock].join(" ")
          if (story === "exited 128 aborted true") counted.asExpected += 1
          else counted.odd.push(story)
        })`
      expect(inAnotherProcess(program, [folder, String(RUNS)])).toEqual({
        uncaught: [],
        warnings: [],
        asExpected: RUNS,
        odd: [],
      })
    },
  )

  it("keeps no file, no listener and no timer of 100 processes at once, and ends when it has nothing else to do", async () => {
    const program = `
      const files = () => (process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0)
      const controller = new AbortController()
      const calls = [
        ["true", []],
        ["cat", [], { input: new Uint8Array(100000) }],
        ["true", [], { input: new Uint8Array(1000000) }],
        ["no-such-command", [], { input: new Uint8Array(10) }],
        ["true", [], { cwd: "/no/such/folder" }],
        ["true", ["a\\0b"]],
        ["sh", ["-c", "exit 3"], { timeoutMs: 600000 }],
        ["sleep", ["600"], { timeoutMs: 20 }],
        ["sh", ["-c", "trap '' TERM; while :; do sleep 0.05; done"], { timeoutMs: 100, killGraceMs: 50 }],
        ["cat", ["/dev/zero"], { maxOutputBytes: 1000 }],
        ["cat", [], { input: (async function* () { yield new Uint8Array(10) })() }],
      ]
      const options = { signal: controller.signal, killGraceMs: 60000 }
      await run("true", [])
      const before = files()
      let grandchild
      const results = await Promise.all([
        run("sh", ["-c", "sleep 600 & echo $!"], options).then(({ stdout }) => (grandchild = Number(new TextDecoder().decode(stdout)))),
        ...Array.from({ length: 100 }, (_, i) => {
          const [command, args, own] = calls[i % calls.length]
          return run(command, args, { ...options, ...own }).catch((error) => counted.uncaught.push(String(error)))
        }),
      ])
      await new Promise((resolve) => setImmediate(resolve))
      process.kill(grandchild, "SIGKILL")
      counted.results = results.length
      counted.files = files() - before
      counted.listeners = getEventListeners(controller.signal, "abort").length
      counted.resources = process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap" && name !== "TTYWrap")`
    expect(inAnotherProcess(program)).toEqual({
      uncaught: [],
      warnings: [],
      results: 101,
      files: 0,
      listeners: 0,
      resources: [],
    })
  })

  it("survives that it has no handles left for another process, and says so", async () => {
    const program = `
      import { openSync, closeSync } from "node:fs"
      const open = []
      const { kind, reason, errorCode, stdin } = await (async () => {
        try { for (;;) open.push(openSync("/dev/null")) } catch {}
        return run("true", [], { input: new Uint8Array(10) })
      })()
      for (const file of open) closeSync(file)
      counted.result = [kind, reason, errorCode, stdin.state].join(" ")`
    const limited = spawnSync(
      "sh",
      ["-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, "--input-type=module", "-e", PROLOGUE + program, ENTRY],
      { encoding: "utf8" },
    )
    expect(JSON.parse(limited.stdout)).toEqual({
      uncaught: [],
      warnings: [],
      result: "spawn-failed other EMFILE aborted",
    })
  })
})
