import { SnapshotError } from "../core/errors.js"
import type { Rev } from "../snapshot-store.js"
import type { StoreContext } from "./context.js"

export async function pin(_store: StoreContext, _rev: Rev, _pinned: boolean): Promise<void> {
  throw new SnapshotError("UNSUPPORTED", "Not there yet.", { capability: "pin" })
}
