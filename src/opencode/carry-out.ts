import { isSnapshotError, SnapshotError } from "../core/errors.js"
import { escapePath } from "../core/path.js"
import type { Outcome, Progress, RestorePlan, RestoreReport, SnapshotStore } from "../snapshot-store.js"

/**
 * Applies as much of a plan as can be: without the files whose content is damaged or missing, each of which `tell` gets
 * the error of. `tell` also gets RESTORE_INCOMPLETE when paths stayed that the plan would have changed. `settle` gets a
 * plan that writes were taken from, and may take more from it. `closing` ends it as long as no file has been touched.
 */
export async function carryOut(
  store: SnapshotStore,
  plan: RestorePlan,
  tell: (error: unknown) => void,
  closing: AbortSignal,
  settle: (plan: RestorePlan) => RestorePlan = (same) => same,
): Promise<void> {
  let left = plan
  for (let round = 0; ; round++) {
    try {
      const { outcomes } = await applyUnlessClosing(store, left, closing)
      return tellUnfinished(outcomes.filter(isUnfinished), tell)
    } catch (error) {
      const sound = withoutDamaged(left, error)
      if (sound === undefined || round === DAMAGED_LIMIT) throw error
      tell(error)
      left = settle(sound)
    }
  }
}

/** Once it changes files it goes on to its end: a work tree that is restored in part helps nobody. */
async function applyUnlessClosing(
  store: SnapshotStore,
  plan: RestorePlan,
  closing: AbortSignal,
): Promise<RestoreReport> {
  const giveUp = new AbortController()
  const onClosing = (): void => giveUp.abort(closing.reason)
  closing.throwIfAborted()
  closing.addEventListener("abort", onClosing)
  const onProgress = ({ phase }: Progress): void => {
    if (phase === "write" || phase === "delete") closing.removeEventListener("abort", onClosing)
  }
  try {
    return await store.apply(plan, { signal: giveUp.signal, onProgress })
  } finally {
    closing.removeEventListener("abort", onClosing)
  }
}

/** Each damaged content costs a look at the whole work tree; with more of them than this the store is beyond use. */
const DAMAGED_LIMIT = 16

/** RESTORE_INCOMPLETE, unless there is nothing to tell. */
export function tellUnfinished(outcomes: readonly Outcome[], tell: (error: unknown) => void): void {
  if (outcomes.length === 0) return
  const paths = outcomes.map(({ path, reason = "failed" }) => ({ path, reason }))
  const shown = paths.slice(0, SHOWN).map(({ path, reason }) => `${escapePath(path)} (${reason})`)
  const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : ""
  const message = `Some paths could not be restored and are as they were: ${shown.join(", ")}${more}.`
  tell(new SnapshotError("RESTORE_INCOMPLETE", message, { paths }))
}

const SHOWN = 5

/** Files that were added since and are to stay are as they should be. */
function isUnfinished({ action, reason, theirs }: Outcome): boolean {
  return action === "failed" || (action === "kept" && (reason !== "added" || theirs !== undefined))
}

/** The plan without the writes of the content that `error` complains of; undefined when it complains of something else. */
function withoutDamaged(plan: RestorePlan, error: unknown): RestorePlan | undefined {
  if (!isSnapshotError(error, "OBJECT_MISSING") && !isSnapshotError(error, "OBJECT_CORRUPT")) return undefined
  const { oid } = error.details
  const writes = plan.writes.filter(({ after }) => after?.oid !== oid)
  return writes.length === plan.writes.length ? undefined : { ...plan, writes }
}
