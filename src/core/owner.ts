/** Port: who this process is, in terms that another process on the same machine can check, and whether another one still is. */
export interface OwnerSource {
  current(): Promise<Owner>
  /** Whether `owner` still runs, as far as it can be told from here. Never throws. */
  isAlive(owner: Owner): Promise<Liveness>
}

/** `unknown`: of another machine or another container, or named in terms that this platform cannot check. */
export type Liveness = "alive" | "dead" | "unknown"

/** A process, as leases and locks name it. Fields that the platform cannot tell are absent. */
export interface Owner {
  readonly host?: string
  /** Changes with each boot of the machine. */
  readonly bootId?: string
  /** The process id namespace: two containers may both have a process 7. */
  readonly pidNamespace?: string
  readonly pid?: number
  /** When the process started, in the system's own unit since boot: tells a process from a later one with its pid. */
  readonly startTime?: string
  /** Where no start time is to be had: when the machine started, by its clock. */
  readonly bootMs?: number
}

/** The owner that a stored value describes; fields of another type than theirs are left out. */
export function toOwner(value: unknown): Owner {
  if (typeof value !== "object" || value === null) return {}
  const owner: Record<string, unknown> = {}
  for (const [name, type] of Object.entries(FIELDS)) {
    const field: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
    if (typeof field === type) owner[name] = field
  }
  return owner
}

/** An owner in words, for messages. */
export function describeOwner({ pid, host }: Owner): string {
  const process = pid === undefined ? "a process" : `process ${pid}`
  return host === undefined ? process : `${process} on ${host}`
}

const FIELDS: Readonly<Record<keyof Owner, string>> = {
  host: "string",
  bootId: "string",
  pidNamespace: "string",
  pid: "number",
  startTime: "string",
  bootMs: "number",
}
