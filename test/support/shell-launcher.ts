import { spawn } from "node:child_process"
import { hasSignalled } from "../../src/sidecar/end-group.js"
import { nodeSystem } from "../../src/sidecar/process-system.js"
import { readStderr } from "../../src/sidecar/read-stderr.js"
import type { LaunchedSidecar, SidecarLauncher } from "../../src/sidecar/sidecar-launcher.js"
import { TOKEN_VARIABLE } from "../../src/sidecar/sidecar-protocol.js"

/** A process that a shell launcher has launched. */
export interface ShellSidecar {
  readonly pid: number
  readonly token: string
  /** Has it exit by itself with that code, if it hears. */
  exit(code: number): void
}

/**
 * Launches real processes that cost next to nothing: a shell that runs the order's module as its script. What it prints on
 * stdout is a message each line: "ready" is that. What it is sent comes on its stdin: "stop", or "exit" and a code.
 */
export function shellLauncher(onLaunch: (sidecar: ShellSidecar) => void): SidecarLauncher {
  return {
    launch({ module, env }, events) {
      const child = spawn("sh", ["-c", module], { env, stdio: "pipe", detached: true })
      const token = env[TOKEN_VARIABLE] ?? ""
      const { pid } = child
      if (pid === undefined) throw new Error("there is no shell")
      const write = (line: string): void => void child.stdin.write(`${line}\n`)
      let isGone = false
      const signal = (name: NodeJS.Signals): void => {
        if (!isGone) hasSignalled(nodeSystem, -pid, name)
      }
      child.stdin.on("error", () => {})
      child.on("spawn", () => events.onSpawn(pid))
      child.stdout.on("data", () => events.onMessage({ type: "ready", token, url: "http://127.0.0.1:1", pid }))
      child.on("exit", (code, by) => {
        signal("SIGKILL")
        isGone = true
        events.onExit({ code: code ?? undefined, signal: by ?? undefined })
      })
      readStderr(child.stderr, events)
      onLaunch({ pid, token, exit: (code) => write(`exit ${code}`) })
      const launched: LaunchedSidecar = {
        pid,
        send: () => write("stop"),
        terminate: () => signal("SIGTERM"),
        kill: () => signal("SIGKILL"),
        release: () => child.stdin.destroy(),
      }
      return launched
    },
  }
}
