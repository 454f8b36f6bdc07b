import { SnapshotError } from "../core/errors.js"
import { pinRef, type RefName } from "../core/ref-name.js"
import type { Rev } from "../snapshot-store.js"
import { packedRefsHeld, removeRefs } from "../store/remove-refs.js"
import type { StoreContext } from "./context.js"
import { isPinned } from "./pins.js"
import { refuseGone, resolveOwn } from "./resolve.js"
import { MAINTENANCE, SHORT_WAIT, underLock } from "./under-lock.js"

/** Pins a snapshot of this workspace, or takes that back: NOT_FOUND, NOT_A_SNAPSHOT, WRONG_WORKSPACE, LOCK_HELD. */
export async function pin(store: StoreContext, rev: Rev, pinned: boolean): Promise<void> {
  if (typeof pinned !== "boolean")
    throw new SnapshotError("INVALID_ARGUMENT", "pinned is true or false.", { argument: "pinned" })
  const snapshot = await resolveOwn(store, rev)
  const { id, ref } = snapshot
  const name = pinRef(ref)
  // Whoever removes snapshots looks at the pins under the same lock: either it sees this one, or the snapshot is gone.
  await underLock(
    store,
    MAINTENANCE,
    async () => {
      await refuseGone(store, rev, snapshot)
      if (pinned) await store.refs.write(name, id, true)
      else if (await isPinned(store, ref)) await unpin(store, name)
    },
    SHORT_WAIT,
  )
}

async function unpin({ platform, layout }: StoreContext, name: RefName): Promise<void> {
  const { fileSystem, clock } = platform
  const gone = await removeRefs({ fileSystem, layout, nowMs: clock.nowMs() }, [name])
  if (!gone.has(name)) throw packedRefsHeld(layout)
}
