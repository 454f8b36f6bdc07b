import { adoptRootTrees } from "../store/adopt.js"
import { isForeign } from "../store/foreign.js"
import { liveness, type CountsAsAlive } from "../store/liveness.js"
import { isSnapshotError } from "../core/errors.js"
import { takeLock, type Lock } from "../store/lock.js"
import type { StoreContext } from "./context.js"

/** How long to wait for a live holder. */
export interface LockPatience {
  readonly waitMs: number
  /** How long a holder counts as alive that cannot be checked. Default: a day. */
  readonly unknownMs?: number
  readonly signal?: AbortSignal | undefined
}

type LockedStore = Pick<StoreContext, "platform" | "layout">

/** Runs `step` under a lock that only one process at a time can hold: LOCK_HELD. */
export async function underLock<Value>(
  store: LockedStore,
  name: string,
  step: () => Promise<Value>,
  patience: LockPatience = { waitMs: 0 },
): Promise<Value> {
  const lock = await patientLock(store, name, patience)
  try {
    return await step()
  } finally {
    await lock.release()
  }
}

async function patientLock(
  store: LockedStore,
  name: string,
  { waitMs, unknownMs, signal }: LockPatience,
): Promise<Lock> {
  const { fileSystem, owner, clock } = store.platform
  const startedMs = performance.now()
  for (;;) {
    try {
      return await takeLock({
        fileSystem,
        locks: store.layout.locks,
        temporary: store.layout.temporary,
        name,
        owner: await owner.current(),
        nowMs: clock.nowMs(),
        isAlive: aliveness(store, unknownMs),
      })
    } catch (error) {
      if (!isSnapshotError(error, "LOCK_HELD") || performance.now() - startedMs >= waitMs) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    signal?.throwIfAborted()
  }
}

const RETRY_MS = 50

/** The lock of who removes refs and objects. */
export const MAINTENANCE = "maintenance"

/** For short work under the lock of maintenance: another such holder ends soon, mostly. */
export const SHORT_WAIT: LockPatience = { waitMs: 10_000 }

/** The lock of who restores the work tree. */
export function restoreLock(workspace: string): string {
  return `restore-${workspace}`
}

/**
 * For the lock of a restore: another one ends soon, mostly. None takes ten minutes, so that one of a process that cannot
 * be checked, as in browsers, is over by then.
 */
export const RESTORE_PATIENCE: Required<Omit<LockPatience, "signal">> = { waitMs: 10_000, unknownMs: 600_000 }

/** Who counts as alive, by this store's clock. */
export function aliveness({ platform }: Pick<StoreContext, "platform">, unknownMs?: number): CountsAsAlive {
  return liveness(platform.owner, () => platform.clock.nowMs(), unknownMs)
}

/** Gives refs to the trees that another tool counts on without one; gives how many. Before anything of theirs may go. */
export async function adoptIfForeign(store: Pick<StoreContext, "platform" | "layout" | "refs">): Promise<number> {
  const { platform, layout, refs } = store
  return (await isForeign(platform.fileSystem, layout)) ? adoptRootTrees(platform, layout, refs) : 0
}
