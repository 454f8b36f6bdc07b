import { randomHex } from "../core/random.js"
import type { Deadline } from "./deadline.js"
import type { ExitInitiator, ExitReason, ExitRecord, RestartDecision, SidecarPhase } from "./exit-record.js"
import { isWell, type HealthTarget } from "./health-check.js"
import { HealthWatch } from "./health-watch.js"
import type { LaunchedSidecar, ProcessExit } from "./sidecar-launcher.js"
import { GENERATION_VARIABLE, loopbackUrl, toChildMessage, TOKEN_VARIABLE } from "./sidecar-protocol.js"
import type { CurrentSidecar } from "./sidecar-state.js"
import { StderrTail } from "./stderr-tail.js"
import { StopLadder } from "./stop-ladder.js"
import type { CheckedOptions } from "./supervisor-options.js"

/** What a supervisor is told of one sidecar. */
export interface InstanceEvents {
  /** Its process runs. */
  onSpawn(instance: SidecarInstance, pid: number): void
  /** It can be worked with. */
  onReady(instance: SidecarInstance): void
  /** Its phase has turned from ready to unhealthy, or back. */
  onHealth(instance: SidecarInstance): void
  onStderr(instance: SidecarInstance, line: string): void
  /** It has ended, or never ran. Told once. `record` gives what there is to say of it, when its stderr has been read. */
  onExit(instance: SidecarInstance, record: (restart: RestartDecision) => Promise<ExitRecord>): void
}

interface InstanceEnd {
  readonly exit: ProcessExit
  readonly hasRun: boolean
  readonly atMs: number
}

/** One start of a sidecar, from its launch to its record. It is itself its identity: pid, port and name prove nothing. */
export class SidecarInstance {
  readonly generation: number
  readonly token: string = randomHex(32)
  readonly #options: CheckedOptions
  readonly #events: InstanceEvents
  readonly #process: LaunchedSidecar
  readonly #ladder: StopLadder
  readonly #tail: StderrTail
  readonly #startedMs: number
  readonly #stderrRead: Promise<void>
  #onStderrRead: () => void = () => {}
  /** Aborted when nothing is asked of it any more. */
  readonly #noMore = new AbortController()
  #phase: SidecarPhase = "starting"
  #asked: { readonly initiator: ExitInitiator; readonly reason: ExitReason } | undefined
  #isReplaced = false
  #startLimit: Deadline | undefined
  #nextCheck: Deadline | undefined
  #watch: HealthWatch | undefined
  #url: string | undefined
  #toldPid: number | undefined
  #readyMs: number | undefined
  #isOver = false

  /** Launches it. */
  constructor(options: CheckedOptions, generation: number, events: InstanceEvents) {
    this.#options = options
    this.#events = events
    this.generation = generation
    this.#startedMs = options.clock.nowMs()
    this.#stderrRead = new Promise((resolve) => (this.#onStderrRead = resolve))
    this.#tail = new StderrTail((line) => events.onStderr(this, line))
    this.#process = this.#launch()
    this.#ladder = new StopLadder(options.clock, this.#process, options.limits)
    this.#awaitNews()
  }

  get phase(): SidecarPhase {
    return this.#phase
  }

  /** Whether the caller has asked it to go. */
  get isExpectedToEnd(): boolean {
    return this.#asked?.initiator === "caller"
  }

  /** How to work with it; undefined before it is ready. */
  get address(): CurrentSidecar | undefined {
    const pid = this.#process.pid ?? this.#toldPid
    if (this.#url === undefined || this.#readyMs === undefined || pid === undefined) return undefined
    return { generation: this.generation, url: this.#url, token: this.token, pid }
  }

  /** Begins to end it for the caller. Who asked first is written down, before it hears of it. */
  end(reason: "stop" | "replace"): void {
    if (reason === "replace") this.#isReplaced = true
    this.#ask("caller", reason)
  }

  /** Ends it at once, and without a word: this process exits. */
  kill(): void {
    this.#process.kill()
  }

  /** What it sent can come after its end. */
  get #isStarting(): boolean {
    return this.#phase === "starting" && !this.#isOver
  }

  #launch(): LaunchedSidecar {
    const { module, args, execArgv, cwd, env, launcher } = this.#options
    const own = { [TOKEN_VARIABLE]: this.token, [GENERATION_VARIABLE]: String(this.generation) }
    try {
      return launcher.launch(
        { module, args, execArgv, cwd, env: { ...definedOf(env), ...own } },
        {
          onSpawn: (pid) => this.#events.onSpawn(this, pid),
          onMessage: (message) => this.#hear(message),
          onStderr: (chunk) => this.#tail.take(chunk),
          onStderrEnd: () => this.#onStderrRead(),
          onExit: (exit) => this.#close(exit, true),
          onLaunchFailed: (error) => this.#close(failed(error), false),
        },
      )
    } catch (error) {
      this.#onStderrRead()
      // Whoever launches it gets it first, and hears of its end then.
      queueMicrotask(() => this.#close(failed(error), false))
      return NOBODY
    }
  }

  /** Its start has failed unless there is news of it in time. */
  #awaitNews(): void {
    this.#startLimit?.clear()
    const { clock, limits } = this.#options
    this.#startLimit = clock.after(limits.startMs, () => this.#ask("supervisor", "start-timeout"))
  }

  #hear(message: unknown): void {
    const told = toChildMessage(message)
    if (told === undefined || !this.#isStarting) return
    const url = told.type === "ready" ? loopbackUrl(told.url) : undefined
    if (told.token !== this.token || (told.type === "ready" && url === undefined))
      return this.#ask("supervisor", "bad-ready")
    this.#awaitNews()
    if (told.type === "starting" || this.#url !== undefined) return
    this.#url = url
    this.#toldPid = told.pid
    void this.#check()
  }

  /** It says that it is ready; now it has to answer, again and again until it does. */
  async #check(): Promise<void> {
    const isFine = await this.#isWell()
    if (!this.#isStarting) return
    if (isFine) return this.#becomeReady()
    this.#nextCheck = this.#options.clock.after(CHECK_AGAIN_MS, () => void this.#check())
  }

  #becomeReady(): void {
    const { clock, limits } = this.#options
    this.#startLimit?.clear()
    this.#phase = "ready"
    this.#readyMs = clock.nowMs()
    this.#watch = new HealthWatch(clock, limits, () => this.#isWell(), {
      onWell: () => this.#turn("ready"),
      onUnwell: () => this.#turn("unhealthy"),
    })
    this.#events.onReady(this)
  }

  #turn(phase: "ready" | "unhealthy"): void {
    this.#phase = phase
    this.#events.onHealth(this)
  }

  #isWell(): Promise<boolean> {
    const { clock, askHealth, healthPath, limits } = this.#options
    const target: HealthTarget = { url: `${this.#url}${healthPath}`, token: this.token }
    return isWell(clock, askHealth, target, limits.healthMs, this.#noMore.signal)
  }

  #ask(initiator: ExitInitiator, reason: ExitReason): void {
    if (this.#isOver || this.#asked !== undefined) return
    this.#asked = { initiator, reason }
    this.#settleDown()
    this.#phase = "stopping"
    this.#ladder.begin(reason)
  }

  #close(exit: ProcessExit, hasRun: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    const end: InstanceEnd = { exit, hasRun, atMs: this.#options.clock.nowMs() }
    this.#settleDown()
    this.#ladder.end()
    this.#events.onExit(this, (restart) => this.#record(end, restart))
  }

  async #record({ exit, hasRun, atMs }: InstanceEnd, restart: RestartDecision): Promise<ExitRecord> {
    const limit = this.#options.clock.after(STDERR_MS, this.#onStderrRead)
    await this.#stderrRead
    limit.clear()
    this.#process.release()
    this.#tail.end()
    const { initiator, reason } = this.#asked ?? { initiator: "nobody", reason: hasRun ? "unasked" : "launch-failed" }
    return {
      generation: this.generation,
      pid: this.#process.pid,
      expected: this.isExpectedToEnd,
      initiator,
      reason,
      phase: this.#phase,
      code: exit.code,
      signal: exit.signal,
      startedAt: new Date(this.#startedMs),
      readyAt: this.#readyMs === undefined ? undefined : new Date(this.#readyMs),
      endedAt: new Date(atMs),
      uptimeMs: Math.max(0, atMs - this.#startedMs),
      stderr: this.#tail.lines,
      late: this.#isReplaced,
      escalation: this.#ladder.step,
      restart,
      error: exit.error,
    }
  }

  /** Nothing is asked of it any more. */
  #settleDown(): void {
    this.#startLimit?.clear()
    this.#nextCheck?.clear()
    this.#watch?.end()
    this.#noMore.abort()
  }
}

/** In place of a process that could not be launched. */
const NOBODY: LaunchedSidecar = { pid: undefined, send() {}, terminate() {}, kill() {}, release() {} }

function failed(error: unknown): ProcessExit {
  return { code: undefined, signal: undefined, error: error instanceof Error ? error.message : String(error) }
}

function definedOf(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const defined: Record<string, string> = {}
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) defined[name] = value
  return defined
}

const CHECK_AGAIN_MS = 250
/** So long may stderr take to end after its process has. */
const STDERR_MS = 500
