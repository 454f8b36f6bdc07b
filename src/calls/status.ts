import { SnapshotError } from "../core/errors.js"
import type { StoreStatus } from "../snapshot-store.js"
import type { StoreContext } from "./context.js"

export async function status(_store: StoreContext): Promise<StoreStatus> {
  throw new SnapshotError("UNSUPPORTED", "Not there yet.", { capability: "status" })
}
