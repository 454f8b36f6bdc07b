import { types } from "node:util"
import { SnapshotError } from "../core/errors.js"

/** How to run a process. */
export interface RunOptions {
  /**
   * What it reads on stdin; nothing when absent. An iterable is asked for a chunk when the one before was taken, is asked
   * no more once the process has ended, and is always returned. When it throws, the process is ended, and `run` rejects.
   */
  readonly input?: Uint8Array | AsyncIterable<Uint8Array>
  /** The folder to run in. Default: this process's. */
  readonly cwd?: string
  /** Its whole environment. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Aborting ends the process and all of its group. */
  readonly signal?: AbortSignal
  /** Ends the process and its group after so long. Default: never. */
  readonly timeoutMs?: number
  /** How long after SIGTERM to send SIGKILL. Default: 3000. Windows knows no SIGTERM: there, the end is at once. */
  readonly killGraceMs?: number
  /**
   * How many bytes of stdout, and how many of stderr, it may print: one more ends it. Default: 64 MiB for a stream that
   * is kept, no limit for one that a callback takes. `Infinity` lifts the limit.
   */
  readonly maxOutputBytes?: number
  /** Exit code 0 counts only if all of the input was handed over. */
  readonly requireFullInput?: boolean
  /**
   * Takes stdout chunk by chunk, up to the limit; the result then keeps only its first 64 KiB. When it throws, the
   * process is ended, and `run` rejects. A promise that it gives is not waited for: when it rejects before the result,
   * that is a throw; later, it is dropped.
   */
  readonly onStdout?: (chunk: Uint8Array) => void
  /** The same for stderr. */
  readonly onStderr?: (chunk: Uint8Array) => void
}

/** Throws INVALID_ARGUMENT for what no process can be run with. Nothing is taken for what only its type says it is. */
export function checkRun(command: unknown, args: unknown, options: RunOptions): void {
  demand("command", typeof command === "string" && command !== "", "The command has to be a text that is not empty.")
  demandTexts("args", args)
  const { input, cwd, env, signal, timeoutMs, killGraceMs, maxOutputBytes } = options
  demand("input", input === undefined || isInput(input), "Input has to be a Uint8Array or an async iterable of them.")
  demand("cwd", cwd === undefined || typeof cwd === "string", "The folder to run in has to be a text.")
  if (env !== undefined) demandVariables("env", env)
  demand("signal", signal === undefined || isSignal(signal), "The signal has to be an AbortSignal.")
  demand("timeoutMs", timeoutMs === undefined || isTimer(timeoutMs), `timeoutMs has to be ${TIMER_RANGE}.`)
  demand("killGraceMs", killGraceMs === undefined || isTimer(killGraceMs), `killGraceMs has to be ${TIMER_RANGE}.`)
  const isLimit = maxOutputBytes === undefined || (typeof maxOutputBytes === "number" && maxOutputBytes >= 0)
  demand("maxOutputBytes", isLimit, "maxOutputBytes has to be a number, 0 or more.")
  for (const name of ["onStdout", "onStderr"] as const)
    demand(name, options[name] === undefined || typeof options[name] === "function", `${name} has to be a function.`)
}

/** Throws INVALID_ARGUMENT unless `options` is an object. */
export function demandOptions(options: unknown): void {
  demand("options", typeof options === "object" && options !== null, "Options have to be an object.")
}

/** Throws INVALID_ARGUMENT, by the name of the argument, unless `texts` is an array of texts and nothing else. */
export function demandTexts(argument: string, texts: unknown): void {
  // Of an array with holes, `every` alone would see only what is there.
  const isMet = Array.isArray(texts) && [...(texts as unknown[])].every((text) => typeof text === "string")
  demand(argument, isMet, `${argument} has to be an array of texts.`)
}

/** Throws INVALID_ARGUMENT, by the name of the argument, unless `variables` are environment variables by name. */
export function demandVariables(argument: string, variables: unknown): void {
  const isMet =
    typeof variables === "object" &&
    variables !== null &&
    !Array.isArray(variables) &&
    Object.values(variables).every((value) => value === undefined || typeof value === "string")
  demand(argument, isMet, `${argument} has to be an object of texts by name.`)
}

/** Throws INVALID_ARGUMENT, by the name of the argument, unless it is met. */
export function demand(argument: string, isMet: boolean, message: string): void {
  if (!isMet) throw new SnapshotError("INVALID_ARGUMENT", message, { argument })
}

function isInput(input: unknown): boolean {
  if (types.isUint8Array(input)) return true
  if (typeof input !== "object" || input === null || !(Symbol.asyncIterator in input)) return false
  return typeof input[Symbol.asyncIterator] === "function"
}

function isSignal(signal: unknown): boolean {
  try {
    // The getter refuses what has only the prototype of one.
    return signal instanceof AbortSignal && typeof signal.aborted === "boolean"
  } catch {
    return false
  }
}

/** Whether timers take it. */
export function isTimer(ms: unknown): boolean {
  return typeof ms === "number" && ms >= 0 && ms <= LONGEST_TIMER_MS
}

/** Node's timers fire at once when they are asked for more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** What a timer takes, in words. */
export const TIMER_RANGE: string = `a number of milliseconds from 0 to ${LONGEST_TIMER_MS}`
