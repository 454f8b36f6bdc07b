import { settleAll } from "../core/settle-all.js"
import { demand, isTimer, TIMER_RANGE } from "./run-options.js"
import { parentChannel, type ParentChannel } from "./parent-channel.js"
import { watchParent } from "./parent-watch.js"
import {
  GENERATION_VARIABLE,
  TOKEN_VARIABLE,
  toStopMessage,
  type ReadyMessage,
  type StartingMessage,
} from "./sidecar-protocol.js"

/** How the child's side works. */
export interface SidecarChildOptions {
  /** So long may what is to be finished take, in milliseconds. Default: 5000. The supervisor sends SIGTERM after 3000. */
  readonly stopLimitMs?: number
  /** How often to look whether the parent is there. Default: 500. */
  readonly parentEveryMs?: number
}

/** The child's side of a supervisor's protocol. */
export interface SidecarChild {
  /** What each request to this process has to carry. */
  readonly token: string
  /** Which start of its supervisor this is. */
  readonly generation: number
  /** The start goes on: it gets another 30 s. */
  starting(): void
  /** It answers at `url`, such as `http://127.0.0.1:41233`, to requests that carry the token. */
  ready(url: string): void
  /**
   * Calls `listener` once, when this process has to go, with the reason: the supervisor's ("stop", "replace", …) or
   * "parent-gone". When all listeners are done, or their time is up, this process exits: with 0 when they were, else with 1.
   */
  onStop(listener: (reason: string) => unknown): void
}

/**
 * This process's side of the protocol; undefined when no supervisor started it. To be called once, first of all: it takes
 * the token out of the environment, so that no process started from here has it.
 *
 * From then on this process ends when the supervisor says so, and when its parent has gone.
 */
export function sidecarChild(options: SidecarChildOptions = {}): SidecarChild | undefined {
  const { stopLimitMs = 5000, parentEveryMs = 500 } = options
  demand("stopLimitMs", isTimer(stopLimitMs), `stopLimitMs has to be ${TIMER_RANGE}.`)
  demand("parentEveryMs", isTimer(parentEveryMs), `parentEveryMs has to be ${TIMER_RANGE}.`)
  const token = process.env[TOKEN_VARIABLE]
  const channel = parentChannel(process)
  if (token === undefined || channel === undefined) return undefined
  const generation = Number(process.env[GENERATION_VARIABLE])
  delete process.env[TOKEN_VARIABLE]
  delete process.env[GENERATION_VARIABLE]
  return new Child(channel, token, generation, stopLimitMs, parentEveryMs)
}

class Child implements SidecarChild {
  readonly token: string
  readonly generation: number
  readonly #channel: ParentChannel
  readonly #stopLimitMs: number
  readonly #listeners: ((reason: string) => unknown)[] = []
  #isStopping = false

  constructor(channel: ParentChannel, token: string, generation: number, stopLimitMs: number, parentEveryMs: number) {
    this.#channel = channel
    this.token = token
    this.generation = generation
    this.#stopLimitMs = stopLimitMs
    const onGone = (): void => void this.#stop("parent-gone")
    channel.onMessage((message) => {
      const stop = toStopMessage(message)
      if (stop !== undefined) void this.#stop(stop.reason)
    })
    // Whoever called this has had the time to listen then.
    channel.onClose(() => setImmediate(onGone))
    watchParent(process, parentEveryMs, onGone)
    // When the parent has gone, so have the pipes. A line that nobody reads must not end what is being finished.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
  }

  starting(): void {
    this.#channel.send({ type: "starting", token: this.token } satisfies StartingMessage)
  }

  ready(url: string): void {
    this.#channel.send({ type: "ready", token: this.token, url, pid: process.pid } satisfies ReadyMessage)
  }

  onStop(listener: (reason: string) => unknown): void {
    demand("listener", typeof listener === "function", "A listener is a function.")
    this.#listeners.push(listener)
  }

  async #stop(reason: string): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    setTimeout(() => process.exit(1), this.#stopLimitMs)
    try {
      await settleAll(this.#listeners.map(async (listener) => listener(reason)))
      process.exit(0)
    } catch (error) {
      // Node says what it was, and the supervisor keeps that.
      process.exitCode = 1
      setImmediate(() => process.exit(1))
      throw error
    }
  }
}
