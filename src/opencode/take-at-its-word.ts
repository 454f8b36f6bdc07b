import type { Keep, PlannedChange, RestorePlan } from "../snapshot-store.js"
import type { Place } from "./place.js"

/**
 * A plan that restores `hash`, with what it keeps as added deleted, and what that makes way for written. Of a bare tree
 * it is not known what was left out, so a plan keeps all that the tree does not have; the caller knows better. `apply`
 * still checks that the safety snapshot holds each of the files.
 */
export async function takeAtItsWord({ store, filter }: Place, hash: string, plan: RestorePlan): Promise<RestorePlan> {
  const added = plan.keeps.filter(({ reason }) => reason === "added")
  if (added.length === 0) return plan
  const blocked = plan.keeps.filter(({ reason, theirs }) => reason === "conflict" && theirs !== undefined)
  const changes = new Map((await store.changes(hash, "worktree", filter)).map((change) => [change.path, change]))
  const deletes: PlannedChange[] = []
  const writes: PlannedChange[] = []
  const settled = new Set<Keep>()
  for (const keep of [...added, ...blocked]) {
    const { path } = keep
    const { before, after } = changes.get(path) ?? {}
    if (keep.theirs === undefined && after !== undefined) deletes.push({ path, before: after })
    else if (keep.theirs !== undefined && before !== undefined) writes.push({ path, after: before })
    else continue
    settled.add(keep)
  }
  return {
    ...plan,
    writes: [...plan.writes, ...writes],
    deletes: [...plan.deletes, ...deletes],
    keeps: plan.keeps.filter((keep) => !settled.has(keep)),
  }
}
