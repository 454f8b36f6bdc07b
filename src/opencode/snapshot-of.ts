import { SnapshotError } from "../core/errors.js"
import { toOid } from "../core/oid.js"
import type { Snapshot, SnapshotStore } from "../snapshot-store.js"

/** `hash` when it has the form of an oid; any other text is the name of no tree: NOT_FOUND; no text: INVALID_ARGUMENT. */
export function requireHash(hash: unknown): string {
  if (typeof hash !== "string")
    throw new SnapshotError("INVALID_ARGUMENT", "A hash is a text, as track gives it.", { argument: "hash" })
  if (toOid(hash) !== undefined) return hash
  throw new SnapshotError("NOT_FOUND", `"${hash.slice(0, 60)}" is not the hash of a tree.`, { rev: hash })
}

/**
 * The newest snapshot with this tree. It knows more than the tree: what was left out and by which rules, permissions,
 * empty folders. Undefined for trees of which nothing else is known, such as those that OpenCode stored.
 */
export async function snapshotOf(store: SnapshotStore, tree: string): Promise<Snapshot | undefined> {
  const latest = await store.list({ kind: "all", limit: FIRST_LOOK })
  const found = latest.find((snapshot) => snapshot.tree === tree)
  if (found !== undefined || latest.length < FIRST_LOOK) return found
  return (await store.list({ kind: "all" })).find((snapshot) => snapshot.tree === tree)
}

/** Most hashes that are asked for are recent. */
const FIRST_LOOK = 50
