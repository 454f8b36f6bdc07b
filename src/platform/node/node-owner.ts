import { readFile, readlink } from "node:fs/promises"
import { hostname, uptime } from "node:os"
import type { Liveness, Owner, OwnerSource } from "../../core/owner.js"
import { parseProcessStat, type ProcessStat } from "../../core/process-stat.js"

/** This process, as far as the system tells: on Linux all of it from /proc, elsewhere host, pid and when the machine started. */
export function nodeOwner(proc: string = "/proc"): OwnerSource {
  let owner: Promise<Owner> | undefined
  const current = (): Promise<Owner> => {
    owner ??= describe(proc)
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
      return other.pid === undefined ? "unknown" : livenessOf(proc, other.pid, other, own)
    },
  }
}

function isOther(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other
}

async function livenessOf(proc: string, pid: number, { startTime, bootMs }: Owner, own: Owner): Promise<Liveness> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return "unknown"
  if (!isThere(pid)) return "dead"
  const found = await processAt(proc, pid)
  if (found !== undefined && startTime !== undefined)
    return found.startTime === startTime && !found.hasEnded ? "alive" : "dead"
  if (!isThere(pid)) return "dead"
  // Without a start time it may be a later process with the same pid. That is rare, but for after a restart of the
  // machine; taking a live process for dead would be worse.
  return bootMs !== undefined && Math.abs(bootMs - (own.bootMs ?? 0)) < BOOT_DRIFT_MS ? "alive" : "unknown"
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
async function processAt(proc: string, pid: number): Promise<ProcessStat | undefined> {
  return parseProcessStat((await text(`${proc}/${pid}/stat`)) ?? "")
}

async function describe(proc: string): Promise<Owner> {
  const bootId = await text(`${proc}/sys/kernel/random/boot_id`)
  const pidNamespace = await readlink(`${proc}/self/ns/pid`).catch(() => undefined)
  const startTime = (await processAt(proc, process.pid))?.startTime
  return {
    host: hostname(),
    pid: process.pid,
    ...(bootId === undefined ? {} : { bootId }),
    ...(pidNamespace === undefined ? {} : { pidNamespace }),
    ...(startTime === undefined ? { bootMs: Math.round(Date.now() - uptime() * 1000) } : { startTime }),
  }
}

async function text(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").then(
    (content) => content.trim(),
    () => undefined,
  )
}

/** By so much may the clock have been set since; two starts of a machine are further from each other, mostly. */
const BOOT_DRIFT_MS = 600_000
