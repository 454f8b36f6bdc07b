import type { ChildProcess } from "node:child_process"
import { join } from "node:path"
import type { ProcessSystem } from "./process-system.js"

/** Sends a signal to a process and all of its group; on POSIX. */
export function signalGroup(system: ProcessSystem, child: ChildProcess, signal: NodeJS.Signals): void {
  // No group, or none that may be signalled: then at least the process.
  if (child.pid === undefined || !hasSignalled(system, -child.pid, signal)) child.kill(signal)
}

/** Whether there was a process, or for a negative number a group, that could be sent the signal. */
export function hasSignalled(system: ProcessSystem, pid: number, signal: NodeJS.Signals): boolean {
  try {
    system.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/** Ends a process and all that it started, by the tool that Windows has for it. */
export function endTree(system: ProcessSystem, child: ChildProcess): void {
  const otherwise = (): void => void child.kill("SIGKILL")
  try {
    const tool = join(system.windowsFolder, "System32", "taskkill.exe")
    const args = ["/PID", String(child.pid), "/T", "/F"]
    const ending = system.spawn(tool, args, { stdio: "ignore", windowsHide: true })
    ending.on("error", otherwise)
    ending.on("exit", (code) => {
      if (code !== 0) otherwise()
    })
  } catch {
    otherwise()
  }
}
