import { fileURLToPath } from "node:url"
import type { Variables } from "./git-environment.js"
import type { AskHealth } from "./health-check.js"
import { demand, demandOptions, demandTexts, demandVariables, isTimer, TIMER_RANGE } from "./run-options.js"
import type { SidecarClock } from "./sidecar-clock.js"
import type { SidecarLauncher } from "./sidecar-launcher.js"

/** What to run, and how. */
export interface SidecarOptions {
  /** The module to run: its path, or its address as a `file:` URL. */
  readonly module: string | URL
  readonly args?: readonly string[]
  /** Options for Node itself. Default: none. This process's own, such as a debugger's port, are not handed on. */
  readonly execArgv?: readonly string[]
  /** The folder to run in. Default: this process's. */
  readonly cwd?: string
  /** Its environment, to which token and generation are added. Default: this process's. */
  readonly env?: Variables
  /**
   * A folder for notes of the sidecars that run, made when it is missing. When this process is killed, the next
   * supervisor with the same folder ends what is left. Default: none, and nothing is noted.
   */
  readonly recordFolder?: string
  /** The path that is asked how it is. Default: `/api/health`. */
  readonly healthPath?: string
  /** Default: Node's `fork`. */
  readonly launcher?: SidecarLauncher
  readonly limits?: Partial<SidecarLimits>
  /** Default: this machine's. */
  readonly clock?: SidecarClock
  /** A number from 0 to below 1. Default: Math.random. */
  readonly random?: () => number
  /** Default: by HTTP. */
  readonly askHealth?: AskHealth
}

/** How long things may take, in milliseconds. */
export interface SidecarLimits {
  /** A start, since the last news of it. Default: 30,000. */
  readonly startMs: number
  /** From one question for its health to the next. Default: 5000. */
  readonly healthEveryMs: number
  /** The answer to one. Default: 3000. */
  readonly healthMs: number
  /** From the stop message to SIGTERM. Default: 3000. */
  readonly stopMs: number
  /** From SIGTERM to SIGKILL. Default: 3000. */
  readonly terminateMs: number
}

/** The options, with every default in its place. */
export interface CheckedOptions extends Required<Omit<SidecarOptions, "module" | "limits" | "cwd" | "recordFolder">> {
  readonly module: string
  readonly limits: SidecarLimits
  readonly cwd: string | undefined
  readonly recordFolder: string | undefined
}

/** Checks the options, since a type is only a promise, and fills in the defaults. Throws INVALID_ARGUMENT. */
export function checkSupervisor(given: SidecarOptions, defaults: SupervisorDefaults): CheckedOptions {
  demandOptions(given)
  const { args = [], execArgv = [], cwd, recordFolder, healthPath = "/api/health", limits = {} } = given
  const { env = defaults.env, launcher = defaults.launcher, askHealth = defaults.askHealth } = given
  const { clock = defaults.clock, random = Math.random } = given
  demandTexts("args", args)
  demandTexts("execArgv", execArgv)
  demandVariables("env", env)
  demand("cwd", cwd === undefined || typeof cwd === "string", "The folder to run in has to be a text.")
  const isFolder = recordFolder === undefined || (typeof recordFolder === "string" && recordFolder !== "")
  demand("recordFolder", isFolder, "The folder for notes has to be a text that is not empty.")
  const isPath = typeof healthPath === "string" && healthPath.startsWith("/")
  demand("healthPath", isPath, "healthPath has to be a text that begins with a slash.")
  demand("limits", typeof limits === "object" && limits !== null, "Limits have to be an object.")
  const allLimits = { ...LIMITS, ...limits }
  for (const [name, ms] of Object.entries(allLimits)) demand(name, isTimer(ms), `${name} has to be ${TIMER_RANGE}.`)
  return {
    module: modulePath(given.module),
    args: [...args],
    execArgv: [...execArgv],
    cwd,
    env: { ...env },
    recordFolder,
    healthPath,
    launcher,
    limits: allLimits,
    clock,
    random,
    askHealth,
  }
}

/** What stands in for what is not given. */
export type SupervisorDefaults = Required<Pick<SidecarOptions, "env" | "launcher" | "clock" | "askHealth">>

function modulePath(module: unknown): string {
  const isUrl = module instanceof URL && module.protocol === "file:"
  const isMet = isUrl || (typeof module === "string" && module !== "")
  demand("module", isMet, "The module has to be a path, or a file: URL.")
  return isUrl ? fileURLToPath(module) : String(module)
}

const LIMITS: SidecarLimits = {
  startMs: 30_000,
  healthEveryMs: 5000,
  healthMs: 3000,
  stopMs: 3000,
  terminateMs: 3000,
}
