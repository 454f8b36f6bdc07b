import { describe, expect, it } from "vitest"
import { isSnapshotError, type SnapshotError } from "../../src/core/errors.js"
import type { ProcessResult } from "../../src/sidecar/process-result.js"
import { requireSuccess } from "../../src/sidecar/require-success.js"
import { run } from "../../src/sidecar/run.js"

const OK: ProcessResult = {
  kind: "exited",
  ok: true,
  code: 0,
  signal: undefined,
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  stdoutTruncated: false,
  stderrTruncated: false,
  outputIncomplete: false,
  stdin: { state: "none" },
  durationMs: 1,
  command: "tool",
  args: ["one", "two"],
}
const FAILED: ProcessResult = { ...OK, ok: false, code: 2 }

function thrownBy(result: ProcessResult): unknown {
  try {
    requireSuccess(result)
  } catch (error) {
    return error
  }
  return expect.unreachable("it has to throw")
}

function messageOf(result: ProcessResult): string {
  return (thrownBy(result) as SnapshotError).message
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

describe("requiring success", () => {
  it("gives a result back that is ok", async () => {
    const result = await run("true", [])
    expect(requireSuccess(result)).toBe(result)
  })

  it("throws git's own failure with its arguments, its status and all that it said", () => {
    for (const command of ["git", "/usr/bin/git", "C:\\Git\\git.exe"]) {
      const error = thrownBy({ ...FAILED, command, stderr: bytes("fatal: no\n") })
      expect(isSnapshotError(error, "GIT_FAILED") && error.details).toEqual({
        args: ["one", "two"],
        exitStatus: 2,
        stderr: "fatal: no\n",
      })
    }
  })

  it("throws any other failure as one of the system, under the command's name", () => {
    const cause = new Error("spawn tool ENOENT")
    const missing = { kind: "spawn-failed", reason: "command-missing", errorCode: "ENOENT", cause } as const
    const error = thrownBy({ ...FAILED, ...missing })
    expect(isSnapshotError(error, "IO_FAILED") && error.details).toEqual({
      action: "run tool",
      path: "tool",
      errno: "ENOENT",
    })
    expect((error as Error).cause).toBe(cause)
    expect(isSnapshotError(thrownBy({ ...FAILED, command: "legit" }), "IO_FAILED")).toBe(true)
  })

  it("throws the reason of the signal that aborted a process, as every call does", async () => {
    const reason = new Error("enough")
    expect(thrownBy(await run("true", [], { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })

  it.each<[string, Partial<ProcessResult>, RegExp]>([
    ["the status", { code: 2 }, /^"tool one two" ended with status 2\. .+\.$/],
    ["the signal", { kind: "signaled", code: undefined, signal: "SIGKILL" }, /was ended by SIGKILL\. .+\.$/],
    ["the cause", { kind: "spawn-failed", reason: "cwd-unusable" }, /could not be started: the folder .+\.$/],
    ["an odd cause", { kind: "spawn-failed", reason: "other", cause: new Error("spawn EMFILE") }, /: spawn EMFILE\. /],
    ["the time limit", { kind: "timed-out" }, /took too long and was ended\. .+\.$/],
    ["the output limit", { kind: "output-limit" }, /printed more than the limit .+ maxOutputBytes.+\.$/],
    [
      "the input",
      { kind: "input-failed", code: 0, stdin: { state: "aborted", errorCode: "EPIPE" } },
      /did not get all of its input \(EPIPE\)\. .+\.$/,
    ],
  ])("says how it ended, and what to do: %s", (_name, ending, expected) => {
    expect(messageOf({ ...FAILED, ...ending })).toMatch(expected)
  })

  it("repeats the first lines that the process said, with nothing that steers a terminal", () => {
    const stderr = bytes(`one\n\n\u001B[31mtwo\r\n${"more\n".repeat(100)}`)
    expect(messageOf({ ...FAILED, stderr }).split("\n")).toEqual([
      '"tool one two" ended with status 2:',
      "one",
      "\uFFFD[31mtwo",
      "more",
      "more",
      "more",
      "Mend what it names and try again.",
    ])
  })

  it("names the command in short, and git by its subcommand", () => {
    const args = ["-c", "core.fsmonitor=false", "-C", "/folder", "--no-pager", "add", "x".repeat(5000)]
    expect(messageOf({ ...FAILED, command: "git", args })).toMatch(/^"git add x{80,200}…" ended/)
  })
})
