/*
 * A pin is a ref beside a snapshot's own, refs/pins/<workspace>/<name>, that names the same commit: retention lets no
 * snapshot go that has one.
 */
import { isSnapshotError } from "../core/errors.js"
import { pinFolder, pinnedRef, pinRef, type RefName } from "../core/ref-name.js"
import type { StoreContext } from "./context.js"

/** The refs of the snapshots of this workspace that are pinned; `unreadable` as Refs.names has it. */
export async function pinnedRefs(
  { refs, workspace }: StoreContext,
  unreadable?: "pass-over",
): Promise<ReadonlySet<RefName>> {
  return new Set((await refs.names(pinFolder(workspace), unreadable)).map(pinnedRef))
}

/** Whether the snapshot at `snapshot`, of any workspace, is pinned. A damaged pin is one. */
export async function isPinned({ refs }: StoreContext, snapshot: RefName): Promise<boolean> {
  try {
    return (await refs.read(pinRef(snapshot))) !== undefined
  } catch (error) {
    if (isSnapshotError(error, "REF_INVALID")) return true
    throw error
  }
}
