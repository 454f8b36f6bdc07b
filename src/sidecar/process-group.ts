import { readdirSync, readFileSync } from "node:fs"
import { parseProcessStat } from "../core/process-stat.js"
import type { ProcessSystem } from "./process-system.js"

/**
 * Whether a process of this group is still there, on POSIX.
 *
 * A process that has ended counts as one until somebody has asked for its status. In a container that may be never, so
 * Linux is asked for the states.
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
  try {
    const stat = parseProcessStat(readFileSync(`/proc/${pid}/stat`, "latin1"))
    return stat?.group === group && !stat.hasEnded
  } catch {
    return false
  }
}
