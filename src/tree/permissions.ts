import type { Manifest, Permissions } from "../core/manifest.js"
import { parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { Oid } from "../core/oid.js"
import type { Mode } from "../core/tree.js"
import type { TreeReader } from "./compare-trees.js"
import { entriesIn } from "./tree-entry.js"

/** The bits that snapshots keep; set-user-id, set-group-id and sticky are left to the system. */
export const KEPT_PERMISSIONS = 0o777

/** What has permission bits. */
export type PermissionClass = "file" | "executable" | "folder"

export const CLASSES: readonly PermissionClass[] = ["file", "executable", "folder"]

/** The permission bits of a path, by a manifest; undefined for links and gitlinks, which have none. */
export function permissionsAt(permissions: Permissions, path: string, mode: Mode): number | undefined {
  const kind = classOf(mode)
  if (kind === undefined) return undefined
  return Object.hasOwn(permissions.exceptions, path) ? permissions.exceptions[path] : permissions[kind]
}

function classOf(mode: Mode): PermissionClass | undefined {
  if (mode === "100644") return "file"
  if (mode === "100755") return "executable"
  return mode === "40000" ? "folder" : undefined
}

/** The paths of `tree`, that of `after`, whose bits may differ: the exceptions of either side, and everything of a kind whose common bits differ. */
export async function changedPermissions(
  readTree: TreeReader,
  tree: Oid,
  before: Manifest,
  after: Manifest,
): Promise<Set<string>> {
  const { permissions: old } = before
  const { permissions: wanted } = after
  const paths = new Set([...Object.keys(old.exceptions), ...Object.keys(wanted.exceptions)])
  const kinds = CLASSES.filter((kind) => old[kind] !== wanted[kind])
  if (kinds.length === 0) return paths
  for await (const [path, { mode }] of entriesIn(readTree, tree)) {
    const kind = classOf(mode)
    if (kind !== undefined && kinds.includes(kind)) paths.add(path)
  }
  if (kinds.includes("folder"))
    for (const folder of after.emptyFolders)
      for (let at = folder as RepoPath; at !== ROOT; at = parentOf(at)) paths.add(at)
  return paths
}
