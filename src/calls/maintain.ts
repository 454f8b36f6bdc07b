import type { MaintainOptions, MaintainReport } from "../snapshot-store.js"
import type { StoreContext } from "./context.js"
import { MAINTENANCE, underLock } from "./under-lock.js"

/**
 * Tidies the store up, in a thread where there is one; the lock is this thread's, so that it is given back wherever the
 * other one ends. LOCK_HELD, and the failures of `tidyUp`.
 */
export async function maintain(
  store: StoreContext,
  options: MaintainOptions & { readonly isBackground?: boolean },
): Promise<MaintainReport> {
  options.signal?.throwIfAborted()
  return underLock(store, MAINTENANCE, () => maintainLocked(store, options))
}

/** As `maintain`, for who holds the lock. */
export async function maintainLocked(
  store: StoreContext,
  options: MaintainOptions & { readonly isBackground?: boolean },
): Promise<MaintainReport> {
  const { maintainer, layout } = store
  const report =
    (await maintainer?.(layout.gitdir, options)) ?? (await (await import("./tidy-up.js")).tidyUp(store, options))
  // Packs that are gone are not kept open, and their objects not found any more.
  await store.objects.refresh().catch(() => {})
  return report
}
