import type { Outcome, PlannedChange } from "../core/restore.js"

/** The outcome of a change that was carried out. */
export function written(change: PlannedChange): Outcome {
  return { path: change.path, action: change.merged === true ? "merged" : "written", ...oids(change) }
}

/** The outcome of a path that went away. */
export function deleted(change: PlannedChange): Outcome {
  return { path: change.path, action: "deleted", ...oids(change) }
}

/** The outcome of a change that the system refused, by its name for the reason; `aside` is what could not be put back. */
export function failed(change: PlannedChange, reason: string, aside?: string): Outcome {
  return { path: change.path, action: "failed", reason, ...(aside === undefined ? {} : { aside }), ...oids(change) }
}

/** The outcome of a path that is not what the plan saw. */
export function conflict(change: PlannedChange): Outcome {
  return { path: change.path, action: "kept", reason: "conflict", ...oids(change) }
}

function oids({ before, after }: PlannedChange): { readonly ours?: string; readonly theirs?: string } {
  return { ...(before && { ours: before.oid }), ...(after && { theirs: after.oid }) }
}
