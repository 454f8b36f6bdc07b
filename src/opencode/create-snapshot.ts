import { isSnapshotError, SnapshotError } from "../core/errors.js"
import type { OpenOptions } from "../snapshot-store.js"
import { cleanup, startSchedule } from "./cleanup.js"
import { diff } from "./diff.js"
import { diffFull, type FileDiff } from "./diff-full.js"
import { patch, type Patch } from "./patch.js"
import { holdPlace } from "./held-place.js"
import { parsePlace, type Place } from "./place.js"
import { restore } from "./restore.js"
import { revert } from "./revert.js"
import { track } from "./track.js"

/** Where to take snapshots, and how. */
export interface CreateSnapshotOptions extends Pick<
  OpenOptions,
  "gitdir" | "backend" | "newFileLimitBytes" | "durability" | "allowAnyRoot"
> {
  /** The folder that everything is limited to. It is resolved once, here. */
  readonly directory: string
  /** The folder that trees begin at; it is `directory` or holds it. Default: `directory`. */
  readonly worktree?: string
  /** False: every call gives nothing, and nothing on disk is touched. Default: true. */
  readonly enabled?: boolean
  /** How long `cleanup` keeps what `track` gave, in days. Default: 7. */
  readonly keepDays?: number
  /**
   * Is told of every failure, mostly as a SnapshotError, and in which call. What it throws is dropped. Without it
   * failures go unseen: no call rejects.
   */
  readonly onError?: (error: unknown, call: SnapshotCall) => void
}

/** The calls that may fail. */
export type SnapshotCall = "track" | "patch" | "restore" | "revert" | "diff" | "diffFull" | "cleanup"

/**
 * The calls of OpenCode's snapshot service, as promises that never reject. They run one after the other in the order in
 * which they were made, except `cleanup`, which runs beside them. A hash is the oid of a tree.
 */
export interface SnapshotCalls extends AsyncDisposable {
  /** Begins to clean up: a minute from now, then every hour. Does not keep the process alive. Touches nothing yet. */
  init(): Promise<void>
  /** The tree oid of the folder as it is; undefined when that could not be stored, and when switched off. */
  track(): Promise<string | undefined>
  /** Which files differ from `hash` now. None for a hash that does not exist. */
  patch(hash: string): Promise<Patch>
  /** Makes all files what they were in `hash`; files that were added since stay, unless one stands where a folder was. */
  restore(hash: string): Promise<void>
  /** Makes each file what it was in the first patch that names it: writes it, or deletes it where the tree has none. */
  revert(patches: readonly { readonly hash: string; readonly files: readonly string[] }[]): Promise<void>
  /** What changed since `hash`, as Git writes a patch for people; "" for a hash that does not exist. */
  diff(hash: string): Promise<string>
  /** What changed between two hashes, file by file, sorted by path. None for a hash that does not exist. */
  diffFull(from: string, to: string): Promise<FileDiff[]>
  /** Lets go of what is older than `keepDays`, and gives its space back. Nothing when there is no gitdir yet; without the
   * option `gitdir`, nothing before another call of this object has opened the store. */
  cleanup(): Promise<void>
  /**
   * Stops the cleaning, ends captures and looks, and waits for a restore that changes files already; what was ended or
   * not begun, and later calls, give nothing and tell of CLOSED. May be called more than once.
   */
  close(): Promise<void>
}

/**
 * The snapshot service of OpenCode for one folder. The store is opened at the first call that needs it, and again at the
 * next one when that failed.
 *
 * Errors: INVALID_ARGUMENT for options of the wrong form, at once; all else goes to `onError`.
 */
export function createSnapshot(options: CreateSnapshotOptions): SnapshotCalls {
  const closing = new AbortController()
  const place = holdPlace(parsePlace(options, closing.signal))
  const { enabled = true, keepDays = 7, onError } = options
  const demand = (argument: string, isRight: boolean, what: string): void => {
    if (!isRight) throw new SnapshotError("INVALID_ARGUMENT", `${argument} is ${what}.`, { argument })
  }
  demand("keepDays", Number.isFinite(keepDays) && keepDays > 0, "a number of days above 0")
  demand("enabled", typeof enabled === "boolean", "true or false")
  demand("onError", onError === undefined || typeof onError === "function", "a function")

  let queue: Promise<unknown> = Promise.resolve()
  let cleaning: Promise<void> | undefined
  let stopSchedule: (() => void) | undefined
  let closed: Promise<void> | undefined

  function tell(error: unknown, call: SnapshotCall): void {
    try {
      // It may be an async function, whatever its type says.
      const given: unknown = onError?.(error, call)
      if (typeof given === "object" && given !== null) Promise.resolve(given).catch(() => undefined)
    } catch {
      // Who listens cannot make a call fail.
    }
  }

  async function attempt<Value>(
    call: SnapshotCall,
    nothing: Value,
    step: (place: Place) => Promise<Value>,
  ): Promise<Value> {
    try {
      closing.signal.throwIfAborted()
      return await step(await place.open())
    } catch (error) {
      if (!(READS.has(call) && isSnapshotError(error, "NOT_FOUND"))) tell(error, call)
      return nothing
    }
  }

  /** Whether a call may begin; tells why not. */
  function isOpen(call: SnapshotCall): boolean {
    if (!enabled) return false
    if (closed !== undefined) tell(closedError(), call)
    return closed === undefined
  }

  function inTurn<Value>(call: SnapshotCall, nothing: Value, step: (place: Place) => Promise<Value>): Promise<Value> {
    if (!isOpen(call)) return Promise.resolve(nothing)
    const turn = queue.then(() => attempt(call, nothing, step))
    queue = turn
    return turn
  }

  async function clean(): Promise<void> {
    try {
      if (!(await place.isThere())) return
    } catch (error) {
      return tell(error, "cleanup")
    }
    if (closing.signal.aborted) return
    await attempt("cleanup", undefined, ({ store }) => cleanup(store, keepDays, closing.signal))
  }

  const calls: SnapshotCalls = {
    async init() {
      if (enabled && closed === undefined) stopSchedule ??= startSchedule(() => calls.cleanup())
    },
    track: () =>
      inTurn("track", undefined, ({ store }) => track(store, (error) => tell(error, "track"), closing.signal)),
    patch: (hash) => inTurn<Patch>("patch", { hash, files: [] }, (place) => patch(place, hash)),
    restore: (hash) => inTurn("restore", undefined, (place) => restore(place, hash, (error) => tell(error, "restore"))),
    revert: (patches) =>
      inTurn("revert", undefined, (place) => revert(place, patches, (error) => tell(error, "revert"))),
    diff: (hash) => inTurn("diff", "", (place) => diff(place, hash)),
    diffFull: (from, to) => inTurn<FileDiff[]>("diffFull", [], (place) => diffFull(place, from, to)),
    cleanup() {
      if (!isOpen("cleanup")) return Promise.resolve()
      cleaning ??= clean().finally(() => (cleaning = undefined))
      return cleaning
    },
    close() {
      closed ??= end()
      return closed
    },
    [Symbol.asyncDispose]: () => calls.close(),
  }

  async function end(): Promise<void> {
    stopSchedule?.()
    closing.abort(closedError())
    await Promise.all([queue, cleaning])
    await place.close()
  }

  return calls
}

/** The calls that a hash which does not exist is no failure for. */
const READS: ReadonlySet<SnapshotCall> = new Set<SnapshotCall>(["patch", "diff", "diffFull"])

function closedError(): SnapshotError {
  return new SnapshotError("CLOSED", "These snapshots have been closed. Create them again to go on.", {})
}
