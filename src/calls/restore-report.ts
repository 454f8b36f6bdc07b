import { comparePaths } from "../core/path.js"
import type { Keep, Outcome } from "../core/restore.js"
import type { RestoreReport } from "../snapshot-store.js"

/** What became of all paths, sorted. Paths that the plan kept take nothing from a restore's being complete. */
export function report(keeps: readonly Keep[], outcomes: readonly Outcome[]): RestoreReport {
  const all: Outcome[] = [...keeps.map((keep): Outcome => ({ ...keep, action: "kept" })), ...outcomes]
  const complete = outcomes.every(({ action }) => action !== "kept" && action !== "failed")
  return { outcomes: all.sort((a, b) => comparePaths(a.path, b.path)), complete }
}
