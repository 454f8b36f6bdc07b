import type { CallKind, Fault, FileSystemCall } from "./faulty-file-system.js"

/** What a fault does to a store: an error that the caller hears of, or the end of the process. */
export function isKill(fault: Fault): boolean {
  return fault.how === "kill" || fault.how === "kill-after"
}

/**
 * The ways in which the calls of a recorded run may go wrong, one fault each: an I/O error for all; no space and a short
 * write for those that write; no access, for those that change something below `gitdir`; and the end of the process
 * before each change, which is also after the change before it.
 */
export function faultsOf(calls: readonly FileSystemCall[], gitdir: string): Fault[] {
  return calls.flatMap(({ number: call, kind, path }): Fault[] => {
    const faults: Fault[] = [{ call, how: "fail", errno: "EIO" }]
    if (TAKES_SPACE.has(kind)) faults.push({ call, how: "fail", errno: "ENOSPC" })
    if (kind === "file.write") faults.push({ call, how: "short", errno: "ENOSPC" })
    if (CHANGES.has(kind) && path.startsWith(gitdir)) faults.push({ call, how: "fail", errno: "EACCES" })
    if (CHANGES.has(kind)) faults.push({ call, how: "kill" })
    return faults
  })
}

/** Names a fault and the call that it strikes, for a failed test. */
export function describeFault(fault: Fault, calls: readonly FileSystemCall[]): string {
  const call = calls[fault.call - 1]
  return `${fault.how} ${fault.errno ?? ""} at call ${fault.call}, ${call?.kind} ${call?.path}`
}

const TAKES_SPACE: ReadonlySet<CallKind> = new Set<CallKind>([
  "file.write",
  "file.sync",
  "file.close",
  "linkFile",
  "makeFolder",
  "makeLink",
  "rename",
])

const CHANGES: ReadonlySet<CallKind> = new Set<CallKind>([
  "chmodFolder",
  "file.chmod",
  "file.truncate",
  "file.write",
  "linkFile",
  "makeFolder",
  "makeLink",
  "open",
  "removeFolder",
  "rename",
  "unlink",
])
