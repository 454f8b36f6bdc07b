import { SnapshotError } from "../core/errors.js"
import type { OnProgress } from "../core/progress.js"
import type { RetentionPolicy } from "../core/retention.js"
import type { MaintainReport, RestoreReport, SnapshotStore, StoreEvents, VerifyReport } from "../snapshot-store.js"
import { capture } from "./capture.js"
import type { StoreContext } from "./context.js"
import { list } from "./list.js"
import { readFile } from "./read-file.js"
import { resolveSnapshot } from "./resolve.js"
import { currentView } from "./snapshot-view.js"
import { Tender, type TendOptions } from "./tend.js"

/** The public face of an open store: counts running calls, tells listeners, and refuses calls after close. */
export function snapshotStore(
  opened: Omit<StoreContext, "onRecovered">,
  retention: RetentionPolicy | false | undefined,
  recovered?: RestoreReport,
): SnapshotStore {
  const context: StoreContext = { ...opened, onRecovered: (report) => tell("recovered", report) }
  const listeners = new Map<keyof StoreEvents, Set<(event: never) => void>>()
  const running = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined
  let restoring: Promise<unknown> = Promise.resolve()

  function tell<Name extends keyof StoreEvents>(name: Name, event: StoreEvents[Name]): void {
    for (const listener of listeners.get(name) ?? []) {
      try {
        dropRejection((listener as (event: StoreEvents[Name]) => void)(event))
      } catch {
        // What has been done stands, whatever a listener makes of it.
      }
    }
  }

  async function call<Value>(step: () => Promise<Value>): Promise<Value> {
    if (closing !== undefined)
      throw new SnapshotError("CLOSED", "This store has been closed. Open it again to go on.", {})
    const started = step()
    running.add(started)
    try {
      return await started
    } finally {
      running.delete(started)
    }
  }

  /** Two restores of one store would each see the other's half-done work as conflicts. */
  async function restoreCall(step: () => Promise<RestoreReport>): Promise<RestoreReport> {
    return call(async () => {
      const turn = restoring.then(step, step)
      restoring = turn
      const report = await turn
      tell("restored", report)
      return report
    })
  }

  /** Works under the lock that automatic maintenance works under. */
  function lockedCall<Value>(step: () => Promise<Value>): Promise<Value> {
    return call(() => tender.asideFor(step))
  }

  function withProgress<Options extends { readonly onProgress?: OnProgress }>(options: Options): Options {
    checkCall(options)
    const onProgress: OnProgress = (progress) => {
      dropRejection(options.onProgress?.(progress))
      tell("progress", progress)
    }
    return { ...options, onProgress }
  }

  async function maintain(options: TendOptions): Promise<MaintainReport> {
    return (await import("./maintain.js")).maintain(context, options)
  }

  const tender = new Tender(context, retention, {
    prune: async (policy, terms) => (await import("./prune.js")).prune(context, policy, {}, terms),
    maintain,
    onMaintained: (report) => tell("maintained", report),
  })

  async function close(): Promise<void> {
    await tender.close()
    await Promise.allSettled(running)
    await context.treeCapture.close()
    await context.objects.close()
  }

  const store: SnapshotStore = {
    worktree: context.worktree,
    gitdir: context.layout.gitdir,
    workspace: context.workspace,
    ...(recovered === undefined ? {} : { recovered }),
    capture: (options = {}) =>
      call(async () => {
        const result = await capture(context, withProgress(options))
        tell("captured", result)
        if (result.changed) tender.captured()
        return result
      }),
    list: (options = {}) => call(async () => list(context, checkCall(options))),
    resolve: (rev) => call(async () => currentView(context, await resolveSnapshot(context, rev))),
    // What a session may never ask for is loaded by those that do.
    changes: (from, to, options = {}) =>
      call(async () => (await import("./compare.js")).changes(context, from, to, checkCall(options))),
    diff: (from, to, options = {}) =>
      call(async () => (await import("./compare.js")).diff(context, from, to, checkCall(options))),
    patch: (from, to, options = {}) =>
      call(async () => (await import("./compare.js")).patch(context, from, to, checkCall(options))),
    readFile: (rev, path) => call(() => readFile(context, rev, path)),
    plan: (target, options = {}) =>
      call(async () => (await import("./restore.js")).plan(context, target, withProgress(options))),
    apply: (made, options = {}) =>
      restoreCall(async () => (await import("./restore.js")).apply(context, made, withProgress(options))),
    restore: (rev, options = {}) =>
      restoreCall(async () => (await import("./restore.js")).restoreTo(context, { to: rev }, withProgress(options))),
    revert: (from, to, options = {}) =>
      restoreCall(async () =>
        (await import("./restore.js")).restoreTo(context, { revert: { from, to } }, withProgress(options)),
      ),
    undo: (options = {}) =>
      restoreCall(async () => (await import("./restore.js")).restoreTo(context, { undo: true }, withProgress(options))),
    redo: (options = {}) =>
      restoreCall(async () => (await import("./restore.js")).restoreTo(context, { redo: true }, withProgress(options))),
    prune: (policy, options = {}) =>
      lockedCall(async () => (await import("./prune.js")).prune(context, policy, checkCall(options))),
    pin: (rev, pinned = true) => lockedCall(async () => (await import("./pin.js")).pin(context, rev, pinned)),
    forget: (rev) => lockedCall(async () => (await import("./forget.js")).forget(context, rev)),
    verify(options = {}) {
      const verify = async (): Promise<VerifyReport> =>
        (await import("./verify.js")).verify(context, withProgress(options))
      return options?.repair === true ? lockedCall(verify) : call(verify)
    },
    status: () => call(async () => (await import("./status.js")).status(context)),
    maintain: (options = {}) =>
      lockedCall(async () => {
        const { automatic = false, ...rest } = withProgress(options)
        if (typeof automatic !== "boolean") throw badArgument("automatic", "automatic is true or false.")
        if (automatic) return tender.run(rest)
        const report = await maintain(rest)
        tell("maintained", report)
        return report
      }),
    maintenanceDue: () => call(() => tender.isDue()),
    on(name, listener) {
      if (!EVENTS.has(name)) throw badArgument("name", `There is no event "${String(name)}".`)
      if (typeof listener !== "function") throw badArgument("listener", "A listener is a function.")
      const known = listeners.get(name) ?? new Set()
      listeners.set(name, known)
      known.add(listener)
      return () => void known.delete(listener)
    },
    close() {
      closing ??= close()
      return closing
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
  return store
}

const EVENTS: ReadonlySet<unknown> = new Set<keyof StoreEvents>([
  "progress",
  "captured",
  "restored",
  "maintained",
  "recovered",
])

/** A listener may be an async function, whatever its type says: left alone, its failure would end a Node host. */
function dropRejection(given: unknown): void {
  if (typeof given === "object" && given !== null) void settled(given)
}

async function settled(given: unknown): Promise<void> {
  try {
    await given
  } catch {
    // Nobody has waited for it.
  }
}

/** The options of a call, checked for what every call may have. */
function checkCall<Options extends object>(options: Options): Options {
  if (typeof options !== "object" || options === null) throw badArgument("options", "Options are an object.")
  const { signal, onProgress } = options as { signal?: unknown; onProgress?: unknown }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw badArgument("signal", "signal has to be an AbortSignal.")
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw badArgument("onProgress", "onProgress has to be a function.")
  return options
}

function badArgument(argument: string, message: string): SnapshotError {
  return new SnapshotError("INVALID_ARGUMENT", message, { argument })
}
