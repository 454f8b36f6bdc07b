import type { Mode } from "./tree.js"

/** One side of a change. */
export interface FileVersion {
  /** Git's mode; "40000" with the empty tree's oid for an empty folder. */
  readonly mode: Mode
  readonly oid: string
  /** The nine permission bits, where a restore sets them. */
  readonly permissions?: number
}

/** A path that differs between two trees. */
export interface Change {
  readonly path: string
  /** `typechange`: one side is a link and the other a file. */
  readonly status: "added" | "deleted" | "modified" | "typechange"
  readonly before?: FileVersion
  readonly after?: FileVersion
}

/** A change with its lines. */
export interface FileDiff extends Change {
  /** Lines; 0 for binaries. */
  readonly additions: number
  readonly deletions: number
  readonly binary: boolean
  /** The file's part of the patch, for people: bytes that are no UTF-8 show as U+FFFD. */
  readonly patch: string
}

/** The change between two versions of a path; undefined when they are the same. */
export function changeBetween(
  path: string,
  before: FileVersion | undefined,
  after: FileVersion | undefined,
): Change | undefined {
  if (before === undefined && after === undefined) return undefined
  if (before === undefined) return { path, status: "added", ...(after && { after }) }
  if (after === undefined) return { path, status: "deleted", before }
  if (before.oid === after.oid && before.mode === after.mode) return undefined
  const sameType = before.mode.slice(0, 3) === after.mode.slice(0, 3)
  return { path, status: sameType ? "modified" : "typechange", before, after }
}
