import { SnapshotError } from "../core/errors.js"
import { dropRejection, Listeners } from "../core/listeners.js"
import type { OnProgress } from "../core/progress.js"
import type { RetentionPolicy } from "../core/retention.js"
import type { MaintainOptions, MaintainReport, RestoreReport, SnapshotStore, StoreEvents } from "../snapshot-store.js"
import { capture } from "./capture.js"
import type { StoreContext } from "./context.js"
import { list } from "./list.js"
import { readFile } from "./read-file.js"
import { resolveSnapshot } from "./resolve.js"
import { currentView } from "./snapshot-view.js"
import { Tender } from "./tend.js"

/** The public face of an open store: counts running calls, tells listeners, and refuses calls after close. */
export function snapshotStore(
  opened: Omit<StoreContext, "onRecovered">,
  retention: RetentionPolicy | false | undefined,
  recovered?: RestoreReport,
): SnapshotStore {
  const listeners = new Listeners<StoreEvents>()
  const context: StoreContext = { ...opened, onRecovered: (report) => listeners.tell("recovered", report) }
  const running = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined
  let restoring: Promise<unknown> = Promise.resolve()

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
      listeners.tell("restored", report)
      return report
    })
  }

  function withProgress<Options extends { readonly onProgress?: OnProgress }>(options: Options): Options {
    checkCall(options)
    const onProgress: OnProgress = (progress) => {
      dropRejection(options.onProgress?.(progress))
      listeners.tell("progress", progress)
    }
    return { ...options, onProgress }
  }

  async function maintain(options: MaintainOptions & { readonly isBackground?: boolean }): Promise<MaintainReport> {
    return (await import("./maintain.js")).maintain(context, options)
  }

  const tender = new Tender(context, retention, {
    prune: async (policy) => (await import("./prune.js")).prune(context, policy),
    maintain: (signal) => maintain({ signal, isBackground: true }),
    onMaintained: (report) => listeners.tell("maintained", report),
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
        listeners.tell("captured", result)
        if (result.changed) tender.captured()
        return result
      }),
    list: (options = {}) => call(async () => list(context, checkCall(options))),
    resolve: (rev) => call(async () => currentView(context, await resolveSnapshot(context, rev))),
    // What a session may never ask for is loaded by those that do.
    summary: (rev) => call(async () => (await import("./summary.js")).summary(context, rev)),
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
      call(async () => (await import("./prune.js")).prune(context, policy, checkCall(options))),
    pin: (rev, pinned = true) => call(async () => (await import("./pin.js")).pin(context, rev, pinned)),
    forget: (rev) => call(async () => (await import("./forget.js")).forget(context, rev)),
    verify: (options = {}) => call(async () => (await import("./verify.js")).verify(context, withProgress(options))),
    status: () => call(async () => (await import("./status.js")).status(context)),
    maintain: (options = {}) =>
      call(async () => {
        const report = await maintain(withProgress(options))
        listeners.tell("maintained", report)
        return report
      }),
    maintenanceDue: () => call(() => tender.isDue()),
    on(name, listener) {
      if (!EVENTS.has(name)) throw badArgument("name", `There is no event "${String(name)}".`)
      if (typeof listener !== "function") throw badArgument("listener", "A listener is a function.")
      return listeners.on(name, listener)
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
