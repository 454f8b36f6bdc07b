import type { ChildProcess } from "node:child_process"
import { after, type Deadline } from "./deadline.js"
import { endTree, signalGroup } from "./end-group.js"
import { isGroupThere } from "./process-group.js"
import type { ProcessSystem } from "./process-system.js"

/**
 * Ends a process with all of its group, once, however often it is asked to.
 *
 * POSIX: SIGTERM to the group, SIGKILL after a grace time. Windows: its tool for ending a tree, at once.
 */
export class ProcessStop {
  readonly #system: ProcessSystem
  readonly #child: ChildProcess
  readonly #graceMs: number
  readonly #onGivenUp: () => void
  #isRequested = false
  #isGivenUp = false
  #deadline: Deadline | undefined
  #look: Deadline | undefined
  #whenGone: (() => void) | undefined

  /** `onGivenUp` is called when the process is still there long after SIGKILL. */
  constructor(system: ProcessSystem, child: ChildProcess, graceMs: number, onGivenUp: () => void) {
    this.#system = system
    this.#child = child
    this.#graceMs = graceMs
    this.#onGivenUp = onGivenUp
  }

  /** Begins to end it. */
  request(): void {
    if (this.#isRequested || this.#child.pid === undefined) return
    this.#isRequested = true
    this.#deadline = after(this.#graceMs, () => this.#kill())
    if (this.#system.platform === "win32") endTree(this.#system, this.#child)
    else signalGroup(this.#system, this.#child, "SIGTERM")
  }

  /**
   * The process itself has ended. Resolves when the rest of its group has, too, if it was to be ended: what is left of
   * it has what is left of the grace time.
   */
  async groupGone(): Promise<void> {
    if (this.#isRequested && !this.#isGivenUp && this.#isGroupThere())
      await new Promise<void>((resolve) => {
        this.#whenGone = resolve
        this.#lookAgain(FIRST_LOOK_MS)
      })
    this.#deadline?.clear()
    this.#look?.clear()
  }

  #lookAgain(waitMs: number): void {
    this.#look = after(waitMs, () => {
      if (this.#isGroupThere()) this.#lookAgain(Math.min(waitMs * 2, LONGEST_LOOK_MS))
      else this.#whenGone?.()
    })
  }

  #kill(): void {
    if (this.#system.platform === "win32") this.#child.kill("SIGKILL")
    else signalGroup(this.#system, this.#child, "SIGKILL")
    this.#deadline = after(GIVE_UP_MS, () => {
      this.#isGivenUp = true
      this.#whenGone?.()
      this.#onGivenUp()
    })
  }

  #isGroupThere(): boolean {
    const { pid } = this.#child
    return pid !== undefined && this.#system.platform !== "win32" && isGroupThere(this.#system, pid)
  }
}

const FIRST_LOOK_MS = 5
const LONGEST_LOOK_MS = 200
/** A process that SIGKILL does not end waits for a device, or belongs to another user. */
const GIVE_UP_MS = 2000
