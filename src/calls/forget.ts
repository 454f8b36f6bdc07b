import { SnapshotError } from "../core/errors.js"
import type { Rev } from "../snapshot-store.js"
import type { StoreContext } from "./context.js"

export async function forget(_store: StoreContext, _rev: Rev): Promise<void> {
  throw new SnapshotError("UNSUPPORTED", "Not there yet.", { capability: "forget" })
}
