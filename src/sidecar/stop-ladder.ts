import type { Deadline } from "./deadline.js"
import type { StopStep } from "./exit-record.js"
import type { SidecarClock } from "./sidecar-clock.js"
import type { LaunchedSidecar } from "./sidecar-launcher.js"
import { stopMessage } from "./sidecar-protocol.js"
import type { SidecarLimits } from "./supervisor-options.js"

/** Ends a sidecar step by step: by a message, by SIGTERM, by SIGKILL, each when the one before has had its time. */
export class StopLadder {
  readonly #clock: SidecarClock
  readonly #process: LaunchedSidecar
  readonly #limits: SidecarLimits
  #step: StopStep = "none"
  #next: Deadline | undefined

  constructor(clock: SidecarClock, process: LaunchedSidecar, limits: SidecarLimits) {
    this.#clock = clock
    this.#process = process
    this.#limits = limits
  }

  /** How far it went. */
  get step(): StopStep {
    return this.#step
  }

  /** Takes the first step; once only. */
  begin(reason: string): void {
    if (this.#step !== "none") return
    this.#step = "message"
    this.#next = this.#clock.after(this.#limits.stopMs, () => this.#terminate())
    this.#process.send(stopMessage(reason))
  }

  /** It has ended. */
  end(): void {
    this.#next?.clear()
  }

  #terminate(): void {
    this.#step = "terminate"
    this.#next = this.#clock.after(this.#limits.terminateMs, () => this.#kill())
    this.#process.terminate()
  }

  #kill(): void {
    this.#step = "kill"
    this.#process.kill()
  }
}
