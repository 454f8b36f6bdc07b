import { SnapshotError } from "../core/errors.js"
import type { ListOptions, Snapshot } from "../snapshot-store.js"
import type { SnapshotRecord } from "../core/snapshot-commit.js"
import type { StoreContext } from "./context.js"
import { pinnedRefs } from "./pins.js"
import { viewOf } from "./snapshot-view.js"

/** The snapshots of the workspace, newest first. Reads no further than the limit needs. */
export async function list(store: StoreContext, options: ListOptions = {}): Promise<Snapshot[]> {
  checkOptions(options)
  const { limit = Number.POSITIVE_INFINITY, since } = options
  const found: Snapshot[] = []
  if (limit === 0) return found
  const pinned = await pinnedRefs(store, "pass-over")
  for await (const stored of store.log.newestFirst(store.workspace)) {
    // Names sort by time, so all that come after are older still.
    if (since !== undefined && stored.record.createdMs < since.getTime()) break
    if (!fits(stored.record, options)) continue
    found.push(viewOf(stored, pinned.has(stored.ref)))
    if (found.length >= limit) break
  }
  return found
}

const KINDS: readonly unknown[] = [undefined, "capture", "safety", "all"]

function checkOptions({ kind, limit, since, until, metadata }: ListOptions): void {
  const refuse = (argument: string, message: string): never => {
    throw new SnapshotError("INVALID_ARGUMENT", message, { argument })
  }
  if (!KINDS.includes(kind)) refuse("kind", `"${kind}" is no kind of snapshot. Use "capture", "safety" or "all".`)
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0))
    refuse("limit", "A limit is a whole number, 0 or more.")
  for (const [argument, date] of Object.entries({ since, until }))
    if (date !== undefined && !(date instanceof Date && !Number.isNaN(date.getTime())))
      refuse(argument, `${argument} has to be a valid Date.`)
  if (metadata !== undefined && (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)))
    refuse("metadata", "Metadata is an object of texts.")
}

function fits(record: SnapshotRecord, { kind = "capture", until, metadata = {} }: ListOptions): boolean {
  if (kind !== "all" && record.kind !== kind) return false
  if (until !== undefined && record.createdMs > until.getTime()) return false
  return Object.entries(metadata).every(
    ([key, value]) => Object.hasOwn(record.metadata, key) && record.metadata[key] === value,
  )
}
