import { SnapshotError } from "../core/errors.js"
import type { Manifest } from "../core/manifest.js"
import type { Oid } from "../core/oid.js"
import type { RestoreOptions, RestoreTarget, Rev } from "../snapshot-store.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import type { RestoreSteps } from "../tree/finish-restore.js"
import { pathFilter, type PathFilter } from "../tree/path-filter.js"
import type { StoreContext } from "./context.js"
import { refuseOthers, resolve } from "./resolve.js"
import { stepsBack } from "./restore-history.js"
import { scopeFilter } from "./side.js"

/** What to restore, and what of it. */
export interface Goal {
  readonly target: RestoreTarget
  /** Where contents come from. */
  readonly tree: Oid
  /** Undefined for a bare tree. */
  readonly snapshot: StoredSnapshot | undefined
  /** What the snapshot left out; undefined for a bare tree, and when its manifest cannot be read. */
  readonly then: Manifest | undefined
  readonly filter: PathFilter
  readonly added: "remove" | "keep"
  /** Of a revert: what is taken back led to this. */
  readonly from?: { readonly tree: Oid; readonly manifest: Manifest } | undefined
  /** Of an undo or a redo: the steps, and the record that they take back. */
  readonly back?: { readonly steps: RestoreSteps; readonly record: string } | undefined
}

/** What a target names: NOT_FOUND, AMBIGUOUS, WRONG_WORKSPACE, NOTHING_TO_UNDO. */
export async function goalOf(store: StoreContext, target: RestoreTarget, options: RestoreOptions): Promise<Goal> {
  const { added = "remove" } = options
  if (added !== "remove" && added !== "keep") throw refused("added", `"added" is "remove" or "keep".`)
  const filter = wanted(store, options)
  const given: Partial<Record<"to" | "revert" | "undo" | "redo", unknown>> =
    typeof target === "object" && target !== null ? { ...target } : {}
  if (given.undo === true || given.redo === true) {
    const { record, safety, steps } = await stepsBack(store, given.undo === true ? "undo" : "redo")
    return {
      target,
      tree: safety.commit.tree,
      snapshot: safety,
      then: await manifestOf(store, safety),
      filter,
      added,
      back: { steps, record },
    }
  }
  if (typeof given.revert === "object" && given.revert !== null) {
    const { from, to } = given.revert as { readonly from: Rev; readonly to: Rev }
    const [before, after] = [await ownRevision(store, from), await ownRevision(store, to)]
    const manifest = after.snapshot === undefined ? undefined : await manifestOf(store, after.snapshot)
    if (manifest === undefined)
      throw refused("to", `What led to "${to}" cannot be taken back: it is no snapshot with a readable manifest.`)
    const then = before.snapshot === undefined ? undefined : await manifestOf(store, before.snapshot)
    return {
      target,
      tree: before.tree,
      snapshot: before.snapshot,
      then,
      filter,
      added,
      from: { tree: after.tree, manifest },
    }
  }
  if (!("to" in given))
    throw refused("target", "A target is { to }, { revert: { from, to } }, { undo: true } or { redo: true }.")
  const { tree, snapshot } = await ownRevision(store, given.to as Rev)
  const then = snapshot === undefined ? undefined : await manifestOf(store, snapshot)
  return { target, tree, snapshot, then, filter, added }
}

/** What a target is called, for people. */
export function nameOfTarget(target: RestoreTarget): string {
  if ("to" in target) return target.to
  return "revert" in target ? target.revert.from : "undo" in target ? "undo" : "redo"
}

/** A revision of this workspace, or a bare tree. */
async function ownRevision(
  store: StoreContext,
  rev: Rev,
): Promise<{ readonly tree: Oid; readonly snapshot: StoredSnapshot | undefined }> {
  const found = await resolve(store, rev)
  refuseOthers(store, rev, found.snapshot)
  return found
}

/** Without the manifest it is not known what was left out, so nothing is deleted. */
export async function manifestOf(store: StoreContext, snapshot: StoredSnapshot): Promise<Manifest | undefined> {
  try {
    return await store.log.manifestOf(snapshot)
  } catch (error) {
    if (error instanceof SnapshotError && (error.code === "OBJECT_MISSING" || error.code === "OBJECT_CORRUPT"))
      return undefined
    throw error
  }
}

function wanted(store: StoreContext, options: RestoreOptions): PathFilter {
  const asked = pathFilter(options)
  const scope = scopeFilter(store)
  return Object.assign((path: string) => asked(path) && scope(path), {
    reaches: (folder: string) => asked.reaches(folder) && scope.reaches(folder),
  })
}

function refused(argument: string, message: string): SnapshotError {
  return new SnapshotError("INVALID_ARGUMENT", message, { argument })
}
