import type { ChildProcess } from "node:child_process"
import { setMaxListeners } from "node:events"
import { after, type Deadline } from "./deadline.js"
import { feedInput, noInput, type ProcessInput } from "./process-input.js"
import { ProcessOutputs } from "./process-outputs.js"
import type { InputOutcome, ProcessKind, ProcessResult } from "./process-result.js"
import { ProcessStop } from "./process-stop.js"
import type { ProcessSystem } from "./process-system.js"
import type { RunOptions } from "./run-options.js"
import { spawnFailure } from "./spawn-failure.js"

/** What was asked for. */
export interface ProcessCall {
  readonly command: string
  readonly args: readonly string[]
  readonly options: RunOptions
}

/** How the process itself came to its end. */
type Ending =
  | { readonly how: "exited"; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly how: "not-started"; readonly error: unknown }
  | { readonly how: "given-up" }

/** Why it was ended from here: the first reason counts. */
type StopReason = Extract<ProcessKind, "timed-out" | "aborted" | "output-limit"> | "threw"

/** A process that was just spawned. All of its listeners are attached in the constructor, in the same tick. */
export class RunningProcess {
  readonly #child: ChildProcess
  readonly #call: ProcessCall
  readonly #beganMs = performance.now()
  readonly #ended: Promise<Ending>
  readonly #stop: ProcessStop
  readonly #outputs: ProcessOutputs
  readonly #timeout: Deadline | undefined
  readonly #onAbort = (): void => this.#end("aborted")
  #input: ProcessInput = noInput
  #endedMs: number | undefined
  #reason: StopReason | undefined
  #thrown: { readonly error: unknown } | undefined

  constructor(system: ProcessSystem, child: ChildProcess, call: ProcessCall) {
    this.#child = child
    this.#call = call
    const { input, killGraceMs = KILL_GRACE_MS, timeoutMs } = call.options
    const onThrow = (error: unknown): void => this.#throw(error)
    let onEnding: (ending: Ending) => void = () => {}
    this.#ended = new Promise((resolve) => (onEnding = resolve))
    const end = (ending: Ending): void => {
      this.#endedMs ??= performance.now()
      this.#input.stop()
      onEnding(ending)
    }
    child.on("exit", (code, exitSignal) => end({ how: "exited", code, signal: exitSignal }))
    // With a pid it tells of something else, such as a signal that could not be sent.
    child.on("error", (error) => child.pid === undefined && end({ how: "not-started", error }))
    child.on("close", () => end({ how: "not-started", error: undefined }))
    this.#stop = new ProcessStop(system, child, killGraceMs, () => end({ how: "given-up" }))
    this.#outputs = new ProcessOutputs(child, call.options, { onThrow, onOverflow: () => this.#end("output-limit") })
    if (timeoutMs !== undefined) this.#timeout = after(timeoutMs, () => this.#end("timed-out"))
    try {
      if (input !== undefined) this.#input = feedInput(child.stdin, input, onThrow)
      this.#watch(call.options.signal)
    } catch (error) {
      // It runs already. Whatever comes of what it was given, it has to be ended.
      this.#throw(error)
    }
  }

  #watch(signal: AbortSignal | undefined): void {
    if (signal === undefined) return
    // Many processes may share a signal. Each takes its listener away in the end.
    setMaxListeners(0, signal)
    signal.addEventListener("abort", this.#onAbort)
  }

  /** Resolves once the process, its input and its outputs have settled; rejects only with what the caller's own code threw. */
  async result(): Promise<ProcessResult> {
    const ending = await this.#ended
    this.#timeout?.clear()
    this.#call.options.signal?.removeEventListener("abort", this.#onAbort)
    await this.#stop.groupGone()
    await Promise.all([this.#input.settled(INPUT_MS), this.#outputs.drained()])
    this.#outputs.close()
    this.#child.stdin?.destroy()
    if (ending.how === "given-up") this.#child.unref()
    if (this.#thrown !== undefined) throw this.#thrown.error
    return this.#describe(ending)
  }

  #end(reason: StopReason): void {
    const hasEnded = this.#endedMs !== undefined
    // What it printed before its end can be read after it: that it was too much is true all the same.
    if (this.#reason !== undefined || (hasEnded && reason !== "output-limit")) return
    this.#reason = reason
    if (hasEnded) return
    this.#input.stop()
    this.#stop.request()
  }

  #throw(error: unknown): void {
    this.#thrown ??= { error }
    this.#end("threw")
  }

  async #describe(ending: Ending): Promise<ProcessResult> {
    const { command, args, options } = this.#call
    const { stdout, stderr } = this.#outputs
    const stdin = this.#input.outcome()
    const exit = ending.how === "exited" ? ending : undefined
    const code = exit?.code ?? -1
    const kind = this.#kind(ending, code, stdin)
    return {
      kind,
      ok: kind === "exited" && code === 0,
      code: code < 0 ? undefined : code,
      signal: exit?.signal ?? undefined,
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      stdoutTruncated: stdout.isTruncated,
      stderrTruncated: stderr.isTruncated,
      outputIncomplete: this.#outputs.areIncomplete,
      stdin,
      ...(this.#child.pid === undefined ? {} : { pid: this.#child.pid }),
      durationMs: (this.#endedMs ?? performance.now()) - this.#beganMs,
      command,
      args,
      ...(kind === "spawn-failed" && ending.how === "not-started" ? await spawnFailure(ending.error, options.cwd) : {}),
      ...(kind === "aborted" ? { cause: options.signal?.reason } : {}),
    }
  }

  #kind(ending: Ending, code: number, stdin: InputOutcome): ProcessKind {
    if (this.#reason !== undefined && this.#reason !== "threw") return this.#reason
    if (ending.how !== "exited") return "spawn-failed"
    if (ending.signal !== null) return "signaled"
    const isInputMissing = this.#call.options.requireFullInput === true && stdin.state === "aborted"
    return code === 0 && (stdin.state === "failed" || isInputMissing) ? "input-failed" : "exited"
  }
}

const KILL_GRACE_MS = 3000
/** So long may stdin take to close, and the iterable to return, after the process has ended. */
const INPUT_MS = 1000
