import { comparePaths } from "../core/path.js"
import type { Keep, Outcome } from "../core/restore.js"
import type { RestoreReport } from "../snapshot-store.js"

/**
 * What became of all paths, sorted. Paths that a plan keeps take nothing from a restore's being complete; a conflict takes
 * it from a revert, an undo or a redo, which are about certain changes (`isOfChanges`).
 */
export function report(keeps: readonly Keep[], outcomes: readonly Outcome[], isOfChanges = false): RestoreReport {
  const all: Outcome[] = [...keeps.map((keep): Outcome => ({ ...keep, action: "kept" })), ...outcomes]
  const isDone = outcomes.every(({ action }) => action !== "kept" && action !== "failed")
  const complete = isDone && !(isOfChanges && keeps.some(({ reason }) => reason === "conflict"))
  return { outcomes: all.sort((a, b) => comparePaths(a.path, b.path)), complete }
}
