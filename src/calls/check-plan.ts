import type { FileVersion } from "../core/change.js"
import { SnapshotError } from "../core/errors.js"
import { toOid } from "../core/oid.js"
import { escapePath, isUnsafeName, parsePath } from "../core/path.js"
import type { RestorePlan } from "../snapshot-store.js"
import { isRestoreName } from "../tree/restore-name.js"

/** A plan may come from elsewhere: its paths must stay inside the work tree, and its oids must be oids. */
export function checkPlan(made: RestorePlan): void {
  const refuse = (): never => {
    throw notAPlan()
  }
  if (typeof made !== "object" || made === null || ![made.writes, made.deletes, made.keeps].every(Array.isArray))
    refuse()
  if (![...made.writes, ...made.deletes, ...made.keeps].every((one) => typeof one?.path === "string")) refuse()
  for (const { path, before, after } of [...made.writes, ...made.deletes]) {
    if (parsePath(path) !== path || path === "") refuse()
    checkSafe(path)
    for (const version of [before, after]) if (version !== undefined && !isVersion(version)) refuse()
  }
  if (made.writes.some(({ after }) => after === undefined)) refuse()
  if (made.deletes.some(({ before, after }) => before === undefined || after !== undefined)) refuse()
}

function isVersion(version: FileVersion | null): boolean {
  if (version === null || toOid(version.oid) === undefined || !MODES.has(version.mode)) return false
  const { permissions = 0 } = version
  return Number.isInteger(permissions) && permissions >= 0 && permissions <= 0o777
}

export function notAPlan(): SnapshotError {
  return new SnapshotError("INVALID_ARGUMENT", "This is no plan of this store. Make one with plan().", {
    argument: "plan",
  })
}

/** A tree from elsewhere may name what no work tree should hold, such as .git/hooks. */
export function checkSafe(path: string): void {
  if (!path.split("/").some((name) => isUnsafeName(name) || isRestoreName(name))) return
  throw new SnapshotError(
    "PATH_UNSAFE",
    `${escapePath(path)} is no name that a restore may write. Restore the other paths by naming them.`,
    { path: escapePath(path) },
  )
}

const MODES: ReadonlySet<string> = new Set(["100644", "100755", "120000", "40000"])
