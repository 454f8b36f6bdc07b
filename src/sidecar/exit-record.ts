/** How one sidecar ended, and what came of it. */
export interface ExitRecord {
  readonly generation: number
  /** Undefined when it never ran. */
  readonly pid: number | undefined
  /** Whether the caller asked for it, by `stop()` or `replace()`. Code and signal do not decide it. */
  readonly expected: boolean
  readonly initiator: ExitInitiator
  readonly reason: ExitReason
  /** In which phase its end found it. */
  readonly phase: SidecarPhase
  /** Its exit code; undefined when a signal ended it, or when it never ran. */
  readonly code: number | undefined
  /** The signal that ended it, where the launcher can tell. */
  readonly signal: string | undefined
  readonly startedAt: Date
  /** When it became ready; undefined when it never did. */
  readonly readyAt: Date | undefined
  readonly endedAt: Date
  /** From its launch to its end. */
  readonly uptimeMs: number
  /** The last 40 lines of its stderr, each cut after 2000 characters. */
  readonly stderr: readonly string[]
  /** Another one had taken its place before it ended: its end changed nothing. */
  readonly late: boolean
  /** How far it had to be pushed. */
  readonly escalation: StopStep
  readonly restart: RestartDecision
  /** Why it could not be launched, or what its launcher had to say of its end. */
  readonly error: string | undefined
}

/** Who asked it to go: the owner of the supervisor, the supervisor itself since the start failed, or nobody. */
export type ExitInitiator = "caller" | "supervisor" | "nobody"

export type ExitReason =
  | "stop"
  | "replace"
  /** It sent no news for too long before it was ready. */
  | "start-timeout"
  /** It said that it was ready with another token than its own, or at an address that is not of this machine. */
  | "bad-ready"
  /** It never ran. */
  | "launch-failed"
  /** Nobody asked it to go. */
  | "unasked"

export type SidecarPhase = "starting" | "ready" | "unhealthy" | "stopping"

/** `none`: it was not asked, or was gone before the first step. The others in their order: the stop message, SIGTERM, SIGKILL. */
export type StopStep = "none" | "message" | "terminate" | "kill"

/** What the supervisor does after an exit. */
export type RestartDecision =
  /** Starts again after `delayMs`. `attempt` counts the unasked exits of the last hour. */
  | { readonly action: "restart"; readonly attempt: number; readonly delayMs: number }
  /** Starts no more: it ended unasked more than `most` times in `withinMs`. */
  | { readonly action: "give-up"; readonly most: number; readonly withinMs: number }
  | { readonly action: "none"; readonly because: NoRestart }

export type NoRestart =
  /** The caller asked for the end. */
  | "expected"
  /** The caller has asked for a stop meanwhile. */
  | "stopping"
  /** Another one is on its way already. */
  | "another-starts"
  /** It was to replace one that goes on. */
  | "old-one-stays"
