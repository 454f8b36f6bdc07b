import { request } from "node:http"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished } from "vitest"
import type { ExitRecord } from "../../src/sidecar/exit-record.js"
import type { CurrentSidecar, SidecarState, StateChange } from "../../src/sidecar/sidecar-state.js"
import { SidecarSupervisor } from "../../src/sidecar/supervisor.js"
import type { SidecarLimits, SidecarOptions } from "../../src/sidecar/supervisor-options.js"
import type { FakeClock } from "./fake-clock.js"
import { isRunning } from "./processes.js"

/** What a sidecar by hand does. */
export interface SidecarRule {
  readonly start?: "ready" | "noisy" | "news" | "never" | "exit" | "wrong token" | "elsewhere"
  /** For `exit`: its code. */
  readonly code?: number
  /** For `elsewhere`: where it says that it is. */
  readonly url?: string
  /** What it does when it is asked to stop; a number: it exits with that. */
  readonly onStop?: "exit" | "ignore" | number
  /** The same for SIGTERM. */
  readonly onTerm?: "exit" | "ignore" | number
  /** What it does when its parent has gone. */
  readonly onGone?: "exit" | "ignore"
  /** What it prints on stderr first. */
  readonly says?: readonly string[]
  /** Whether it starts another process, and prints its pid. */
  readonly starts?: boolean
}

/** A supervisor, and all that it has told. */
export interface Supervised {
  readonly supervisor: SidecarSupervisor
  /** Its states, from the first step on. */
  readonly states: SidecarState[]
  readonly changes: StateChange[]
  readonly currents: (CurrentSidecar | undefined)[]
  readonly exits: ExitRecord[]
  readonly lines: string[]
}

/** Rules by generation, "*" for all of them. */
export type SidecarRules = Readonly<Record<string | number, SidecarRule>>

/** Time enough for all that is not to be waited for, on any machine. */
const AMPLE: SidecarLimits = {
  startMs: 300_000,
  healthEveryMs: 5000,
  healthMs: 300_000,
  stopMs: 300_000,
  terminateMs: 300_000,
}

export const SIDECAR_BY_HAND: string = fileURLToPath(new URL("./sidecar-by-hand.mjs", import.meta.url))
export const LONG = { timeout: 60_000 }

/** A supervisor of sidecars that do as the rules say. None of them outlives the test. */
export function supervise(rules: SidecarRules = {}, options: Partial<SidecarOptions> = {}): Supervised {
  const supervisor = new SidecarSupervisor({
    module: SIDECAR_BY_HAND,
    args: [JSON.stringify(rules)],
    ...options,
    limits: { ...AMPLE, ...options.limits },
  })
  return watched(supervisor)
}

/** On a clock where time passes when a test says so, with the limits as they are. */
export function superviseOn(
  clock: FakeClock,
  rules: SidecarRules = {},
  options: Partial<SidecarOptions> = {},
): Supervised {
  const { limits: _limits, ...all } = { ...options }
  return watched(new SidecarSupervisor({ module: SIDECAR_BY_HAND, args: [JSON.stringify(rules)], clock, ...all }))
}

function watched(supervisor: SidecarSupervisor): Supervised {
  const told: Supervised = { supervisor, states: [], changes: [], currents: [], exits: [], lines: [] }
  const pids = new Set<number>()
  supervisor.on("state", (change) => {
    told.states.push(change.state)
    told.changes.push(change)
  })
  supervisor.on("current", (current) => {
    told.currents.push(current)
    if (current !== undefined) pids.add(current.pid)
  })
  supervisor.on("exit", (record) => told.exits.push(record))
  supervisor.on("stderr", ({ line }) => told.lines.push(line))
  onTestFinished(async () => {
    const stopped = supervisor[Symbol.asyncDispose]()
    for (const pid of pids) if (isRunning(pid)) process.kill(pid, "SIGKILL")
    await stopped
  })
  return told
}

/** Resolves once the supervisor is in that state. */
export async function reached(supervisor: SidecarSupervisor, state: SidecarState): Promise<void> {
  await expect.poll(() => supervisor.state, LONG).toBe(state)
}

/** Resolves once so many have ended and are recorded. */
export async function ended(told: Supervised, count: number): Promise<void> {
  await expect.poll(() => told.exits.length, LONG).toBe(count)
}

/** Tells a sidecar by hand what to do: `exit/3`, `news/1`. Resolves when it has heard of it. */
export async function tell(current: Pick<CurrentSidecar, "url">, what: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const asked = request(`${current.url}/${what}`, { agent: false }, (response) => {
      response.on("close", resolve)
      response.resume()
    })
    asked.on("error", () => resolve())
    asked.end()
  })
}

/** A sidecar that is made with the built package. */
export const SIDECAR_PROGRAM: string = fileURLToPath(new URL("./sidecar-program.mjs", import.meta.url))
/** The built package's entry, for another process. */
export const SIDECAR_ENTRY: string = new URL("../../dist/sidecar/index.js", import.meta.url).href

/** Its arguments: `onStop` is what its listener does. */
export function sidecarArgs(onStop: string): string[] {
  return [SIDECAR_ENTRY, onStop]
}
