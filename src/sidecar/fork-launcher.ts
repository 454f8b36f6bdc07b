import { fork, type ChildProcess } from "node:child_process"
import { endTree, hasSignalled, signalGroup } from "./end-group.js"
import { nodeSystem, type ProcessSystem } from "./process-system.js"
import { readStderr } from "./read-stderr.js"
import type { LaunchedSidecar, LaunchEvents, SidecarLauncher } from "./sidecar-launcher.js"

/** Launches by Node's `fork`. On POSIX a sidecar leads a group of its own, which ends with it. */
export function forkLauncher(): SidecarLauncher {
  return forkLauncherOn(nodeSystem)
}

/** The same on any system. */
export function forkLauncherOn(system: ProcessSystem): SidecarLauncher {
  return {
    launch({ module, args, execArgv, cwd, env }, events) {
      const child = fork(module, args, {
        ...(cwd === undefined ? {} : { cwd }),
        execArgv: [...execArgv],
        env,
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        // A group of its own can be ended as a whole, and gets no Ctrl-C that is meant for this process. On Windows this
        // would open a window instead.
        detached: system.platform !== "win32",
      })
      return new ForkedSidecar(system, child, events)
    },
  }
}

class ForkedSidecar implements LaunchedSidecar {
  readonly #system: ProcessSystem
  readonly #child: ChildProcess
  #isGone = false

  constructor(system: ProcessSystem, child: ChildProcess, events: LaunchEvents) {
    this.#system = system
    this.#child = child
    child.on("spawn", () => child.pid !== undefined && events.onSpawn(child.pid))
    child.on("message", (message) => events.onMessage(message))
    // With a pid it tells of something else, such as a message that nobody reads any more.
    child.on("error", (error) => {
      if (child.pid === undefined) this.#end(() => events.onLaunchFailed(error))
    })
    child.on("exit", (code, signal) =>
      this.#end(() => events.onExit({ code: code ?? undefined, signal: signal ?? undefined })),
    )
    readStderr(child.stderr, events)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  send(message: object): void {
    if (!this.#child.connected) return
    // Without a callback, a failure would be an error of the child.
    this.#child.send(message, () => {})
  }

  terminate(): void {
    if (this.#isGone) return
    if (this.#system.platform === "win32") endTree(this.#system, this.#child)
    else signalGroup(this.#system, this.#child, "SIGTERM")
  }

  kill(): void {
    if (this.#isGone) return
    if (this.#system.platform === "win32") endTree(this.#system, this.#child)
    else signalGroup(this.#system, this.#child, "SIGKILL")
  }

  release(): void {
    this.#child.stderr?.destroy()
    if (this.#child.connected) this.#child.disconnect()
  }

  #end(tell: () => void): void {
    if (this.#isGone) return
    this.#isGone = true
    // What it leaves behind would still hold its files, and nobody would end it later.
    if (this.#child.pid !== undefined && this.#system.platform !== "win32")
      hasSignalled(this.#system, -this.#child.pid, "SIGKILL")
    tell()
  }
}
