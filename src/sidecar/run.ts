import type { ChildProcess, SpawnOptions } from "node:child_process"
import { unusedInput } from "./process-input.js"
import type { ProcessResult } from "./process-result.js"
import { nodeSystem, type ProcessSystem } from "./process-system.js"
import { checkRun, demandOptions, type RunOptions } from "./run-options.js"
import { RunningProcess, type ProcessCall } from "./running-process.js"
import { spawnFailure, type SpawnFailure } from "./spawn-failure.js"

/**
 * Runs a command, without a shell, and gives how it ended.
 *
 * Whatever the process does, this resolves, once, with nothing left behind: no timer, no open stream, and no error that
 * could end this process later. It rejects only for what the caller did: INVALID_ARGUMENT for an argument that no
 * process can be run with, and with what `onStdout`, `onStderr` or the input threw, after the process was ended.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<ProcessResult> {
  return runWith(nodeSystem, command, args, options)
}

/** The same on any system. */
export async function runWith(
  system: ProcessSystem,
  command: string,
  args: readonly string[],
  given: RunOptions = {},
): Promise<ProcessResult> {
  demandOptions(given)
  const options = { ...given }
  checkRun(command, args, options)
  const call: ProcessCall = { command, args: [...args], options }
  if (options.signal?.aborted === true) return notStarted(call, { kind: "aborted", cause: options.signal.reason })
  let child: ChildProcess
  try {
    child = system.spawn(command, call.args, spawnOptions(system, options))
  } catch (error) {
    return notStarted(call, { kind: "spawn-failed", ...(await spawnFailure(error, options.cwd)) })
  }
  return new RunningProcess(system, child, call).result()
}

function spawnOptions(system: ProcessSystem, { cwd, env, input }: RunOptions): SpawnOptions {
  return {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    // A group of its own can be ended as a whole. On Windows this would open a window instead.
    detached: system.platform !== "win32",
    windowsHide: true,
  }
}

function notStarted(
  { command, args, options }: ProcessCall,
  why: { readonly kind: "aborted"; readonly cause: unknown } | ({ readonly kind: "spawn-failed" } & SpawnFailure),
): ProcessResult {
  return {
    ok: false,
    code: undefined,
    signal: undefined,
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
    stdoutTruncated: false,
    stderrTruncated: false,
    outputIncomplete: false,
    stdin: unusedInput(options.input),
    durationMs: 0,
    command,
    args,
    ...why,
  }
}
