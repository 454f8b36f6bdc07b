/** What Linux tells of a process in `/proc/<pid>/stat`. */
export interface ProcessStat {
  /** A process that has ended is there until somebody has asked for its status. */
  readonly hasEnded: boolean
  /** The process group that it belongs to. */
  readonly group: number
  /** When it started, in ticks since boot: tells a process from a later one with its pid. */
  readonly startTime: string
}

/** Reads such a file; undefined when it is none. Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  const [state, , group] = fields
  const startTime = fields[START_TIME]
  if (state === undefined || group === undefined || startTime === undefined) return undefined
  return { hasEnded: ENDED.has(state), group: Number(group), startTime }
}

/** Field 22, counted from the third. */
const START_TIME = 22 - 3
/** Not yet reaped, or about to end. */
const ENDED: ReadonlySet<string> = new Set(["Z", "X", "x"])
