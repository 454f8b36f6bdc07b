import { readFile, readlink } from "node:fs/promises"
import { hostname } from "node:os"
import type { Owner, OwnerSource } from "../../core/owner.js"

/** This process, as far as the system tells: on Linux all of it from /proc, elsewhere host and pid. */
export function nodeOwner(): OwnerSource {
  let owner: Promise<Owner> | undefined
  return {
    current(): Promise<Owner> {
      owner ??= describe()
      return owner
    },
  }
}

/** When the process started, in ticks since boot; undefined where /proc does not tell. Source: proc(5). */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const stat = await text(`/proc/${pid}/stat`)
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const afterName = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")
  return afterName?.[START_TIME]
}

async function describe(): Promise<Owner> {
  const bootId = await text("/proc/sys/kernel/random/boot_id")
  const pidNamespace = await readlink("/proc/self/ns/pid").catch(() => undefined)
  const startTime = await startTimeOf(process.pid)
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

/** Field 22 of /proc/<pid>/stat, counted from the third. */
const START_TIME = 22 - 3
