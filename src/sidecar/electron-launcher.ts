import { hasSignalled } from "./end-group.js"
import { nodeSystem, type ProcessSystem } from "./process-system.js"
import { readStderr, type ByteStream } from "./read-stderr.js"
import type { LaunchedSidecar, LaunchEvents, SidecarLauncher } from "./sidecar-launcher.js"

/** Electron's `utilityProcess`, as far as it is used here. Source: https://www.electronjs.org/docs/latest/api/utility-process */
export interface ElectronUtilityProcess {
  fork(modulePath: string, args?: string[], options?: ElectronForkOptions): ElectronChild
}

/** What it is told. */
export interface ElectronForkOptions {
  env?: Record<string, string>
  execArgv?: string[]
  cwd?: string
  stdio?: ("ignore" | "pipe" | "inherit")[]
  serviceName?: string
}

/** What it gives. */
export interface ElectronChild {
  readonly pid: number | undefined
  readonly stderr: ByteStream | null
  on(event: "spawn", listener: () => void): unknown
  on(event: "message", listener: (message: unknown) => void): unknown
  on(event: "exit", listener: (code: number) => void): unknown
  postMessage(message: unknown): void
  kill(): boolean
}

/** What it also tells: the types of older versions of Electron do not say so. */
interface FatalTeller {
  on(event: "error", listener: (type: string, location: string) => void): unknown
}

/** How Electron names the process. */
export interface ElectronLauncherOptions {
  /** Its name in Electron's own lists of processes. */
  readonly serviceName?: string
}

/**
 * Launches by Electron's `utilityProcess`, to be used once the app is ready. It has no groups, and tells of an exit code
 * only: where a signal ended it, the code is the system's own.
 */
export function electronLauncher(
  utilityProcess: ElectronUtilityProcess,
  options: ElectronLauncherOptions = {},
): SidecarLauncher {
  return electronLauncherOn(nodeSystem, utilityProcess, options)
}

/** The same on any system. */
export function electronLauncherOn(
  system: ProcessSystem,
  utilityProcess: ElectronUtilityProcess,
  { serviceName }: ElectronLauncherOptions = {},
): SidecarLauncher {
  return {
    launch({ module, args, execArgv, cwd, env }, events) {
      const child = utilityProcess.fork(module, [...args], {
        env: { ...env },
        execArgv: [...execArgv],
        stdio: ["ignore", "ignore", "pipe"],
        ...(cwd === undefined ? {} : { cwd }),
        ...(serviceName === undefined ? {} : { serviceName }),
      })
      return new ElectronSidecar(system, child, events)
    },
  }
}

class ElectronSidecar implements LaunchedSidecar {
  readonly #system: ProcessSystem
  readonly #child: ElectronChild
  readonly #stderr: ByteStream | null
  #pid: number | undefined
  #isGone = false
  #wanted: "terminate" | "kill" | undefined
  #fatal: string | undefined

  constructor(system: ProcessSystem, child: ElectronChild, events: LaunchEvents) {
    this.#system = system
    this.#child = child
    this.#stderr = child.stderr
    child.on("spawn", () => {
      // After the exit, Electron forgets it.
      this.#pid = child.pid
      if (this.#pid !== undefined) events.onSpawn(this.#pid)
      // Before this, `kill` does nothing.
      if (this.#wanted !== undefined) this[this.#wanted]()
    })
    child.on("message", (message) => events.onMessage(message))
    const teller = child as ElectronChild & FatalTeller
    teller.on("error", (type, location) => (this.#fatal = `${type} at ${location}`))
    child.on("exit", (code) => {
      // Some versions tell of it twice.
      if (this.#isGone) return
      this.#isGone = true
      // After its listeners have heard of the exit, Electron takes those of stderr away, though more may come.
      queueMicrotask(() => readStderr(this.#stderr, events))
      events.onExit({ code, signal: undefined, ...(this.#fatal === undefined ? {} : { error: this.#fatal }) })
    })
    readStderr(this.#stderr, events)
  }

  get pid(): number | undefined {
    return this.#pid
  }

  send(message: object): void {
    // In a listener of the exit, this ends some versions of Electron.
    if (!this.#isGone) this.#child.postMessage(message)
  }

  terminate(): void {
    if (this.#isGone) return
    this.#wanted = "terminate"
    this.#child.kill()
  }

  kill(): void {
    if (this.#isGone) return
    this.#wanted = "kill"
    // Electron's own sends SIGTERM on POSIX, and waits for the end on this thread; on Windows it ends it at once.
    const isSent =
      this.#pid !== undefined && this.#system.platform !== "win32" && hasSignalled(this.#system, this.#pid, "SIGKILL")
    if (!isSent) this.#child.kill()
  }

  release(): void {}
}
