import { fork, type ChildProcess } from "node:child_process"
import { EventEmitter } from "node:events"
import { constants } from "node:os"
import { PassThrough } from "node:stream"
import { fileURLToPath } from "node:url"
import type { ElectronChild, ElectronForkOptions, ElectronUtilityProcess } from "../../src/sidecar/electron-launcher.js"

const PARENT_PORT = fileURLToPath(new URL("./electron-parent-port.mjs", import.meta.url))

/** What was done with a process of Electron that does harm there. */
export type ElectronHarm = "posted in its exit"

/**
 * Electron's `utilityProcess` on Node's `fork`, with the ways of Electron 32 that differ from Node's: no pid before it has
 * spawned, nor after its exit; `kill` does nothing before, and knows only SIGTERM; the exit is told twice, with the system's
 * own code; then its streams lose their listeners.
 */
export function electronUtilityProcess(harms: ElectronHarm[] = []): ElectronUtilityProcess {
  return { fork: (module, args, options) => new UtilityProcess(module, args ?? [], options ?? {}, harms) }
}

class UtilityProcess extends EventEmitter implements ElectronChild {
  readonly #child: ChildProcess
  readonly #harms: ElectronHarm[]
  #isSpawned = false
  #isExiting = false
  #isGone = false
  #stderr: PassThrough | null = new PassThrough()

  constructor(module: string, args: readonly string[], options: ElectronForkOptions, harms: ElectronHarm[]) {
    super()
    this.#harms = harms
    const { env, execArgv = [], cwd, stdio } = options
    if (stdio?.[0] !== "ignore") throw new Error("stdin value other than ignore is not supported.")
    this.#child = fork(module, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      execArgv: [...execArgv, "--import", PARENT_PORT],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    })
    if (this.#stderr !== null) this.#child.stderr?.pipe(this.#stderr)
    // Electron's spawns take their time.
    this.#child.on("spawn", () =>
      setTimeout(() => {
        this.#isSpawned = true
        this.emit("spawn")
      }, 20),
    )
    this.#child.on("message", (message) => this.emit("message", message))
    this.#child.on("exit", (code, signal) => this.#exit(signal === null ? (code ?? 0) : constants.signals[signal]))
  }

  get pid(): number | undefined {
    return this.#isSpawned && !this.#isGone ? this.#child.pid : undefined
  }

  get stderr(): PassThrough | null {
    return this.#stderr
  }

  postMessage(message: unknown): void {
    if (this.#isExiting) this.#harms.push("posted in its exit")
    if (this.#child.connected) this.#child.send(message as object, () => {})
  }

  kill(): boolean {
    return this.#isSpawned && !this.#isGone && this.#child.kill("SIGTERM")
  }

  #exit(code: number): void {
    for (let time = 0; time < 2; time++) {
      this.#isExiting = true
      this.emit("exit", code)
      this.#isExiting = false
      this.#isGone = true
      this.#stderr?.removeAllListeners()
      // What was piped into it comes all the same.
      if (this.#stderr !== null) this.#child.stderr?.pipe(this.#stderr)
      this.#stderr = null
    }
  }
}
