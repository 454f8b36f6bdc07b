import type { SnapshotError } from "../core/errors.js"
import { Listeners } from "../core/listeners.js"
import type { Deadline } from "./deadline.js"
import { ChildNotes } from "./child-notes.js"
import type { ExitRecord, NoRestart, RestartDecision } from "./exit-record.js"
import { forkLauncher } from "./fork-launcher.js"
import { askByHttp } from "./health-check.js"
import { decideRestart, recentExits } from "./restart-policy.js"
import { nodeClock } from "./sidecar-clock.js"
import { SidecarInstance, type InstanceEvents } from "./sidecar-instance.js"
import type { CurrentSidecar, SidecarEvents, SidecarState } from "./sidecar-state.js"
import { StateStream } from "./state-stream.js"
import { closedError, failedError } from "./supervisor-errors.js"
import { demand } from "./run-options.js"
import { checkSupervisor, type CheckedOptions, type SidecarOptions } from "./supervisor-options.js"

/**
 * Keeps one sidecar running: a child process with a local server. Starts it, asks how it is, starts it again when it
 * ends unasked, gives it up when that comes too often, and lets none behind.
 *
 * docs/SIDECAR.md has the states, the protocol, and what each exit comes to.
 */
export class SidecarSupervisor implements AsyncDisposable {
  readonly #options: CheckedOptions
  readonly #notes: ChildNotes | undefined
  readonly #listeners = new Listeners<SidecarEvents>()
  readonly #states = new StateStream("idle")
  /** All that were launched and are not recorded yet. */
  readonly #live = new Set<SidecarInstance>()
  readonly #exits: ExitRecord[] = []
  readonly #killAll = (): void => {
    for (const instance of this.#live) instance.kill()
  }
  #state: SidecarState = "idle"
  #generation = 0
  #current: SidecarInstance | undefined
  /** The one that is starting, to become the current one. */
  #coming: SidecarInstance | undefined
  #unaskedMs: readonly number[] = []
  #restart: Deadline | undefined
  #waiting: Waiting[] = []
  #cleaned: Promise<void> | undefined
  #stopped: Promise<void> | undefined
  #onStopped: () => void = () => {}
  #isStartWanted = false
  #isDisposed = false

  /** Starts nothing yet. Throws INVALID_ARGUMENT for options that are none. */
  constructor(options: SidecarOptions) {
    const defaults = { env: process.env, launcher: forkLauncher(), clock: nodeClock, askHealth: askByHttp }
    this.#options = checkSupervisor(options, defaults)
    const { recordFolder, clock } = this.#options
    if (recordFolder !== undefined) this.#notes = new ChildNotes(recordFolder, clock)
  }

  get state(): SidecarState {
    return this.#state
  }

  /** The present state, and each later one, in order. Ends when the supervisor is disposed of. */
  get states(): AsyncIterable<SidecarState> {
    return this.#states
  }

  /** The sidecar to work with; undefined while there is none. */
  get current(): CurrentSidecar | undefined {
    return this.#current?.address
  }

  /** How the last 100 ended, in the order of their records. */
  get exits(): readonly ExitRecord[] {
    return [...this.#exits]
  }

  /** Calls `listener` at each such event. Gives what takes it away again. */
  on<Name extends keyof SidecarEvents>(name: Name, listener: (event: SidecarEvents[Name]) => unknown): () => void {
    demand("name", EVENTS.has(name), `There is no event "${String(name)}".`)
    demand("listener", typeof listener === "function", "A listener is a function.")
    return this.#listeners.on(name, listener)
  }

  /**
   * Gives the sidecar to work with, and starts one if there is none and none is on its way. Called after a stop, or after
   * it was given up, it begins anew, and what ended before counts no more.
   *
   * Waits through restarts. Rejects with CLOSED when it is stopped meanwhile, and with IO_FAILED when it is given up.
   * Nobody has to wait for it: states and exit records say the same.
   */
  start(): Promise<CurrentSidecar> {
    const current = this.current
    if (current !== undefined) return Promise.resolve(current)
    return this.#wait(() => {
      if (this.#state === "stopping") this.#isStartWanted = true
      else if (AT_REST.has(this.#state)) this.#begin()
    })
  }

  /**
   * Starts another one, and gives it once it is ready. The one before is asked to go then, and goes on until then. It stays
   * when the new one fails: that rejects with IO_FAILED.
   */
  replace(): Promise<CurrentSidecar> {
    // What is only about to be launched is new already.
    const isYetToLaunch = this.#state === "starting" && this.#coming === undefined
    if (isYetToLaunch || this.#state === "stopping" || AT_REST.has(this.#state)) return this.start()
    return this.#wait(() => {
      this.#restart?.clear()
      const before = this.#coming
      // Before anything is ended: at its end, the next one has to be on its way.
      this.#launch()
      before?.end("replace")
    })
  }

  /**
   * Asks all of them to go: by a message, after 3 s by SIGTERM, after 3 s more by SIGKILL. Resolves when every process has
   * ended and is recorded. May be called at any time and more than once: calls until the next start get one promise.
   */
  stop(): Promise<void> {
    this.#isStartWanted = false
    for (const { reject } of this.#waiting.splice(0)) reject(closedError())
    if (this.#stopped !== undefined) return this.#stopped
    this.#stopped = new Promise<void>((resolve) => (this.#onStopped = resolve))
    this.#listeners.together(() => this.#endAll())
    return this.#stopped
  }

  /** Stops it for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await this.stop()
    this.#states.end()
  }

  /** A promise for the next one that becomes current, after `step`. */
  #wait(step: () => void): Promise<CurrentSidecar> {
    if (this.#isDisposed) return Promise.reject(closedError())
    const promise = new Promise<CurrentSidecar>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    // Whoever does not wait for it must not be ended by it.
    promise.catch(() => {})
    this.#listeners.together(step)
    return promise
  }

  #begin(): void {
    this.#stopped = undefined
    this.#unaskedMs = []
    this.#setState("starting")
    this.#cleaned ??= this.#notes?.endEarlier()
    if (this.#cleaned === undefined) this.#launch()
    else void this.#launchAfter(this.#cleaned)
  }

  async #launchAfter(cleaned: Promise<void>): Promise<void> {
    await cleaned
    // There may have been a stop meanwhile, and another start.
    if (this.#state === "starting" && this.#coming === undefined) this.#launch()
  }

  #launch(): void {
    if (this.#live.size === 0) process.on("exit", this.#killAll)
    this.#generation += 1
    const instance = new SidecarInstance(this.#options, this.#generation, this.#events)
    this.#live.add(instance)
    this.#coming = instance
    if (this.#current === undefined) this.#setState("starting")
  }

  #endAll(): void {
    this.#restart?.clear()
    this.#coming = undefined
    this.#clearCurrent()
    if (this.#live.size === 0) return this.#rest()
    this.#setState("stopping")
    for (const instance of this.#live) instance.end("stop")
  }

  readonly #events: InstanceEvents = {
    onSpawn: ({ token }, pid) => void this.#notes?.add(pid, token),
    onStderr: ({ generation }, line) => this.#listeners.tell("stderr", { generation, line }),
    onReady: (instance) => {
      const { address } = instance
      if (instance === this.#coming && address !== undefined)
        this.#listeners.together(() => this.#takeOver(instance, address))
    },
    onHealth: (instance) => {
      if (instance === this.#current && instance.phase !== "stopping") this.#setState(instance.phase)
    },
    onExit: (instance, record) => {
      const { restart, unlucky } = this.#listeners.together(() => this.#decide(instance))
      void this.#file(instance, record(restart), unlucky)
    },
  }

  #takeOver(instance: SidecarInstance, address: CurrentSidecar): void {
    const before = this.#current
    this.#coming = undefined
    this.#current = instance
    before?.end("replace")
    this.#setState("ready")
    this.#listeners.tell("current", address)
    for (const { resolve } of this.#waiting.splice(0)) resolve(address)
  }

  /** What comes of its end, and who has waited for it in vain. */
  #decide(instance: SidecarInstance): Decided {
    const isCurrent = instance === this.#current
    const isComing = instance === this.#coming
    if (isCurrent) this.#clearCurrent()
    if (isComing) this.#coming = undefined
    if (instance.isExpectedToEnd) return none("expected")
    if (this.#state === "stopping") return none("stopping")
    if (isComing && this.#current !== undefined) return none("old-one-stays", this.#waiting.splice(0))
    if (!isCurrent && !isComing) return none("another-starts")
    const nowMs = this.#options.clock.nowMs()
    this.#unaskedMs = [...recentExits(this.#unaskedMs, nowMs), nowMs]
    if (this.#coming !== undefined) {
      this.#setState("starting")
      return none("another-starts")
    }
    const restart = decideRestart(this.#unaskedMs, nowMs, this.#options.random())
    if (restart.action === "restart") {
      this.#restart = this.#options.clock.after(restart.delayMs, () => this.#launch())
      this.#setState("backoff")
      return { restart, unlucky: [] }
    }
    const unlucky = this.#waiting.splice(0)
    this.#setState("failed")
    return { restart, unlucky }
  }

  async #file(instance: SidecarInstance, recording: Promise<ExitRecord>, unlucky: readonly Waiting[]): Promise<void> {
    const record = await recording
    this.#live.delete(instance)
    if (this.#live.size === 0) process.off("exit", this.#killAll)
    void this.#notes?.remove(instance.token)
    this.#exits.push(record)
    if (this.#exits.length > KEPT_EXITS) this.#exits.shift()
    this.#listeners.tell("exit", record)
    for (const { reject } of unlucky) reject(failedError(this.#options.module, record))
    if (this.#live.size === 0 && this.#state === "stopping") this.#listeners.together(() => this.#rest())
  }

  /** None is left. */
  #rest(): void {
    this.#setState("stopped")
    this.#onStopped()
    if (!this.#isStartWanted) return
    this.#isStartWanted = false
    this.#begin()
  }

  #setState(state: SidecarState): void {
    if (state === this.#state) return
    const previous = this.#state
    this.#state = state
    this.#states.push(state)
    this.#listeners.tell("state", { state, previous, at: new Date(this.#options.clock.nowMs()) })
  }

  #clearCurrent(): void {
    if (this.#current === undefined) return
    this.#current = undefined
    this.#listeners.tell("current", undefined)
  }
}

/** Somebody who waits for a sidecar to work with. */
interface Waiting {
  readonly resolve: (current: CurrentSidecar) => void
  readonly reject: (error: SnapshotError) => void
}

interface Decided {
  readonly restart: RestartDecision
  readonly unlucky: readonly Waiting[]
}

function none(because: NoRestart, unlucky: readonly Waiting[] = []): Decided {
  return { restart: { action: "none", because }, unlucky }
}

const EVENTS: ReadonlySet<unknown> = new Set<keyof SidecarEvents>(["state", "current", "exit", "stderr"])
/** Nothing runs, and nothing is about to. */
const AT_REST: ReadonlySet<SidecarState> = new Set<SidecarState>(["idle", "stopped", "failed"])
const KEPT_EXITS = 100
