import type { ChildProcess } from "node:child_process"
import { readFileSync } from "node:fs"
import { onTestFinished } from "vitest"
import { nodeSystem, type ProcessSystem } from "../../src/sidecar/process-system.js"

/** Whether a process runs: one that has ended and that nobody has asked for yet does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  if (process.platform !== "linux") return true
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2))
  } catch {
    return false
  }
}

/** The pids that a process has printed, a line each. Those that still run are killed when the test is over. */
export function printedPids(stdout: Uint8Array): number[] {
  const pids = new TextDecoder().decode(stdout).trim().split("\n").map(Number)
  onTestFinished(() => {
    for (const pid of pids) if (isRunning(pid)) process.kill(pid, "SIGKILL")
  })
  return pids
}

/** This system, with what it spawned at hand. */
export function watchedSystem(onSpawn: (child: ChildProcess) => void): ProcessSystem {
  return {
    ...nodeSystem,
    spawn(command, args, options) {
      const child = nodeSystem.spawn(command, args, options)
      onSpawn(child)
      return child
    },
  }
}

/** Holds up this whole process until `isOver`, asked again and again, says that it is enough. */
export function block(isOver: () => boolean): void {
  const never = new Int32Array(new SharedArrayBuffer(4))
  while (!isOver()) Atomics.wait(never, 0, 0, 5)
}

/** Text of bytes. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
