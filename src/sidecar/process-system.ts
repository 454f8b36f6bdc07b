import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process"

/** What running a process needs of the system: a seam, so that tests can stand in for a platform that they do not have. */
export interface ProcessSystem {
  readonly platform: NodeJS.Platform
  /** Where Windows itself is installed; of no use elsewhere. */
  readonly windowsFolder: string
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess
  /** As process.kill: a negative pid is a group, signal 0 only asks whether it is there. Throws when it is not. */
  kill(pid: number, signal: NodeJS.Signals | 0): void
}

/** The system that this process runs on. */
export const nodeSystem: ProcessSystem = {
  platform: process.platform,
  windowsFolder: process.env["SystemRoot"] ?? "C:\\Windows",
  spawn: (command, args, options) => spawn(command, args, options),
  kill: (pid, signal) => void process.kill(pid, signal),
}
