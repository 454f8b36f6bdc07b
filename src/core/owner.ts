/** Port: who this process is, in terms that another process on the same machine can check. */
export interface OwnerSource {
  current(): Promise<Owner>
}

/** A process, as leases name it. Fields that the platform cannot tell are absent. */
export interface Owner {
  readonly host?: string
  /** Changes with each boot of the machine. */
  readonly bootId?: string
  /** The process id namespace: two containers may both have a process 7. */
  readonly pidNamespace?: string
  readonly pid?: number
  /** When the process started, in the system's own unit since boot: tells a process from a later one with its pid. */
  readonly startTime?: string
}
