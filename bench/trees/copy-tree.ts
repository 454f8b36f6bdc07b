import { spawnSync } from "node:child_process"
import { cp } from "node:fs/promises"

/** Copies a folder with modes and times. The times that a system call cannot set are those of the copying. */
export async function copyTree(from: string, to: string): Promise<void> {
  if (process.platform !== "win32" && spawnSync("cp", ["-a", from, to]).status === 0) return
  await cp(from, to, { recursive: true, preserveTimestamps: true, force: true })
}

/** Has the system write out what is still to be written: it must not slow down what is measured next. */
export function settleDisk(): void {
  if (process.platform !== "win32") spawnSync("sync")
}
