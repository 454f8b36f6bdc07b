import { readFile, readlink } from "node:fs/promises"
import { hostname } from "node:os"
import type { Liveness, Owner, OwnerSource } from "../../core/owner.js"
import { parseProcessStat, type ProcessStat } from "../../core/process-stat.js"

/** This process, as far as the system tells: on Linux all of it from /proc, elsewhere host and pid. */
export function nodeOwner(): OwnerSource {
  let owner: Promise<Owner> | undefined
  const current = (): Promise<Owner> => {
    owner ??= describe()
    return owner
  }
  return {
    current,
    async isAlive(other) {
      const own = await current()
      if (other.host !== own.host) return "unknown"
      if (isOther(other.bootId, own.bootId)) return "dead"
      // A pid tells nothing outside of its namespace.
      if (other.pidNamespace !== own.pidNamespace || other.bootId !== own.bootId) return "unknown"
      return other.pid === undefined ? "unknown" : livenessOf(other.pid, other.startTime)
    },
  }
}

function isOther(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other
}

async function livenessOf(pid: number, startTime: string | undefined): Promise<Liveness> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return "unknown"
  if (!isThere(pid)) return "dead"
  const found = await processAt(pid)
  // Without a start time it may be a later process with the same pid.
  if (found === undefined || startTime === undefined) return isThere(pid) ? "unknown" : "dead"
  return found.startTime === startTime && !found.hasEnded ? "alive" : "dead"
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"
  }
}

/** What /proc tells of a process; undefined where it does not. */
async function processAt(pid: number): Promise<ProcessStat | undefined> {
  return parseProcessStat((await text(`/proc/${pid}/stat`)) ?? "")
}

async function describe(): Promise<Owner> {
  const bootId = await text("/proc/sys/kernel/random/boot_id")
  const pidNamespace = await readlink("/proc/self/ns/pid").catch(() => undefined)
  const startTime = (await processAt(process.pid))?.startTime
  return {
    host: hostname(),
    pid: process.pid,
    ...(bootId === undefined ? {} : { bootId }),
    ...(pidNamespace === undefined ? {} : { pidNamespace }),
    ...(startTime === undefined ? {} : { startTime }),
  }
}

async function text(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").then(
    (content) => content.trim(),
    () => undefined,
  )
}
