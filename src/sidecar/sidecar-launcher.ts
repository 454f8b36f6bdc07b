/** Port: how a sidecar's process comes to be, and how it is talked to. */
export interface SidecarLauncher {
  /** Launches it. What it throws counts as a launch that failed. No event but `onStderrEnd` is told before it has given its result. */
  launch(order: LaunchOrder, events: LaunchEvents): LaunchedSidecar
}

/** What to launch. */
export interface LaunchOrder {
  /** The path of the module to run. */
  readonly module: string
  readonly args: readonly string[]
  /** Options for Node itself. */
  readonly execArgv: readonly string[]
  /** Default: this process's. */
  readonly cwd: string | undefined
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>
}

/** What a launcher tells of one process. */
export interface LaunchEvents {
  /** It runs. */
  onSpawn(pid: number): void
  onMessage(message: unknown): void
  onStderr(chunk: Uint8Array): void
  /** Nothing more comes on stderr. May come before or after its end, more than once, or not at all. */
  onStderrEnd(): void
  /** It has ended. Told once. */
  onExit(exit: ProcessExit): void
  /** It never ran. Told once, in place of `onExit`. */
  onLaunchFailed(error: unknown): void
}

/** How a process ended, as far as its launcher can tell. */
export interface ProcessExit {
  readonly code: number | undefined
  readonly signal: string | undefined
  /** What else there is to say. */
  readonly error?: string
}

/** A process that was launched. None of its methods throws, and all of them are harmless after its end. */
export interface LaunchedSidecar {
  /** Undefined until it runs. Stays the same after its end. */
  readonly pid: number | undefined
  /** Hands a message over, as JSON has it, if it still can be. */
  send(message: object): void
  /** Asks it to end: SIGTERM, where there is such a thing. */
  terminate(): void
  /** Ends it and, where it has one, all of its group, without waiting: it may be called as this process exits. */
  kill(): void
  /** It has ended, and nothing more is wanted of it. */
  release(): void
}
