import type { MaintainOptions, MaintainReport } from "../snapshot-store.js"
import { collect } from "../store/collect.js"
import { abandonedTargets } from "../store/held-target.js"
import { removeRefs } from "../store/remove-refs.js"
import { pendingWorkspaces } from "../store/restore-records.js"
import type { StoreContext } from "./context.js"
import { adoptIfForeign, aliveness, MAINTENANCE, underLock } from "./under-lock.js"

/** Removes what nothing in the store counts on: LOCK_HELD, and the failures of a collection. */
export async function maintain(store: StoreContext, options: MaintainOptions = {}): Promise<MaintainReport> {
  const { signal, onProgress } = options
  const { fileSystem, hasher, deflater, clock } = store.platform
  const { layout, objects, refs } = store
  signal?.throwIfAborted()
  return underLock(store, MAINTENANCE, async () => {
    const nowMs = clock.nowMs()
    const adopted = await adoptIfForeign(store)
    signal?.throwIfAborted()
    const pending = await pendingWorkspaces(fileSystem, layout)
    await removeRefs({ fileSystem, layout, nowMs }, await abandonedTargets(refs, pending, nowMs))
    const isAlive = aliveness(store)
    const report = await collect({ fileSystem, hasher, deflater, layout, objects, nowMs, isAlive, signal, onProgress })
    // Packs that are gone are not kept open. Whoever looks for an object in one lists them again in any case.
    await objects.rescan().catch(() => {})
    return { ...report, packsWritten: 0, refsPacked: 0, adopted }
  })
}
