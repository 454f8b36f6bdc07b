import type { MaintainOptions, MaintainReport } from "../snapshot-store.js"
import { collect } from "../store/collect.js"
import { isForeign } from "../store/foreign.js"
import { dropForgotten, isForgottenDue } from "../store/forgotten-note.js"
import { abandonedTargets } from "../store/held-target.js"
import { noteMaintenance, readMaintenance } from "../store/maintenance-note.js"
import { bytesOf, packFiles } from "../store/pack-files.js"
import { packRefs } from "../store/pack-refs.js"
import { removeRefs } from "../store/remove-refs.js"
import { pendingWorkspaces } from "../store/restore-records.js"
import type { StoreContext } from "./context.js"
import { adoptIfForeign, aliveness } from "./under-lock.js"

/** The parts of a store that are tidied up. */
export interface UntidyStore extends Pick<StoreContext, "platform" | "layout" | "objects" | "refs" | "largestDelta"> {
  readonly refsToPack?: number | undefined
}

/**
 * Removes what nothing in the store counts on, folds packs, and packs refs: the failures of a collection. Only for who
 * holds the maintenance lock.
 */
export async function tidyUp(store: UntidyStore, { signal, onProgress }: MaintainOptions): Promise<MaintainReport> {
  const { fileSystem, hasher, deflater, clock } = store.platform
  const { layout, objects, refs, largestDelta } = store
  const nowMs = clock.nowMs()
  const adopted = await adoptIfForeign(store)
  signal?.throwIfAborted()
  const pending = await pendingWorkspaces(fileSystem, layout)
  const ports = { fileSystem, layout, nowMs }
  await removeRefs(ports, await abandonedTargets(refs, pending, nowMs))
  const { isCompactDue = false } = await readMaintenance(fileSystem, layout)
  const { report, isHeld } = await collect({
    ...{ fileSystem, hasher, deflater, layout, objects, nowMs, largestDelta, signal, onProgress },
    isCompact: isCompactDue || (await isForgottenDue(fileSystem, layout)),
    isAlive: aliveness(store),
  })
  const refsPacked = (await isForeign(fileSystem, layout)) ? 0 : await packRefs(ports, store.refsToPack)
  const packs = await packFiles(fileSystem, layout)
  await noteMaintenance(fileSystem, layout, {
    atMs: nowMs,
    packs: packs.length,
    bytes: await bytesOf(fileSystem, packs),
    hasPackedRefs: (await fileSystem.lstat(`${layout.gitdir}/packed-refs`)) !== undefined,
  })
  // What is held now is to be gone, too, once it is not.
  if (!isHeld) await dropForgotten(fileSystem, layout)
  return { ...report, refsPacked, adopted }
}
