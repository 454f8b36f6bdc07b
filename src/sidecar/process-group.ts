import { readdirSync, readFileSync } from "node:fs"
import type { ProcessSystem } from "./process-system.js"

/**
 * Whether a process of this group is still there, on POSIX.
 *
 * A process that has ended counts as one until somebody has asked for its status. In a container that may be never, so
 * Linux is asked for the states. Source of their form: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export function isGroupThere(system: ProcessSystem, group: number): boolean {
  try {
    system.kill(-group, 0)
  } catch {
    return false
  }
  return system.platform !== "linux" || hasLiving(group)
}

function hasLiving(group: number): boolean {
  let names: string[]
  try {
    names = readdirSync("/proc")
  } catch {
    return true
  }
  return names.some((name) => /^\d+$/.test(name) && isLivingMember(name, group))
}

function isLivingMember(pid: string, group: number): boolean {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1")
  } catch {
    return false
  }
  // The name of the program stands in parentheses before this, and may hold any character.
  const [state, , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return Number(processGroup) === group && state !== "Z" && state !== "X"
}
