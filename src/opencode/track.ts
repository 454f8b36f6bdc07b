import { SnapshotError } from "../core/errors.js"
import { escapePath } from "../core/path.js"
import type { SkipReason } from "../core/skipped.js"
import type { CaptureResult, SnapshotStore } from "../snapshot-store.js"

/**
 * Captures the work tree; gives the oid of its tree. A capture that changes nothing gives the snapshot of before; one
 * that is older than RENEW_AFTER_MS is taken again, so that cleaning counts from the last time a tree was asked for.
 * `tell` gets CAPTURE_INCOMPLETE when files could not be read; what is left out by its kind or size is no failure.
 */
export async function track(
  store: SnapshotStore,
  tell: (error: unknown) => void,
  signal: AbortSignal,
): Promise<string> {
  const first = await store.capture({ signal })
  const { snapshot, changed } = first
  const isRecent = changed || Date.now() - snapshot.createdAt.getTime() < RENEW_AFTER_MS
  const last = isRecent ? first : await store.capture({ metadata: { renews: snapshot.id }, signal })
  tellUnread(last.skipped, tell)
  return last.snapshot.tree
}

/** How much older than its last use a snapshot may be: an hour. */
export const RENEW_AFTER_MS: number = 60 * 60 * 1000

function tellUnread(skipped: CaptureResult["skipped"], tell: (error: unknown) => void): void {
  const paths = skipped.filter(({ reason }) => UNREAD.has(reason)).map(({ path, reason }) => ({ path, reason }))
  if (paths.length === 0) return
  const shown = paths.slice(0, SHOWN).map(({ path, reason }) => `${escapePath(path)} (${reason})`)
  const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : ""
  const message = `Some paths could not be read and are not captured as they are: ${shown.join(", ")}${more}.`
  tell(new SnapshotError("CAPTURE_INCOMPLETE", message, { paths }))
}

const SHOWN = 5

const UNREAD: ReadonlySet<SkipReason> = new Set<SkipReason>(["unreadable", "changed-while-reading"])
