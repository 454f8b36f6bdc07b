import { SnapshotError } from "../core/errors.js"
import type { VerifyOptions, VerifyReport } from "../snapshot-store.js"
import type { StoreContext } from "./context.js"

export async function verify(_store: StoreContext, _options: VerifyOptions): Promise<VerifyReport> {
  throw new SnapshotError("UNSUPPORTED", "Not there yet.", { capability: "verify" })
}
