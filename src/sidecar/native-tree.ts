import { concat, lossyText, utf8 } from "../core/bytes.js"
import { isSnapshotError } from "../core/errors.js"
import { toOid, type Oid } from "../core/oid.js"
import { encodeName, joinPath, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { TreeEntry } from "../core/tree.js"
import type { BaseTree, CapturedTree } from "../core/tree-capture.js"
import type { ScratchGitdir } from "./scratch-gitdir.js"

/**
 * Builds the trees of a captured work tree by native git, in an index of its own: that of the base, where it can be
 * read, and what differs from it.
 * Source: https://git-scm.com/docs/git-update-index, https://git-scm.com/docs/git-write-tree
 */
export async function writeNativeTree(
  gitdir: ScratchGitdir,
  objects: string,
  base: BaseTree | undefined,
  captured: CapturedTree,
): Promise<Oid | undefined> {
  const known = base !== undefined && (await readTree(gitdir, objects, base.tree)) ? base.files : NO_FILES
  await gitdir.git(["update-index", "-z", "--index-info"], { input: indexInfo(known, filesOf(captured, base)) })
  const printed = await gitdir.git(["write-tree", "--missing-ok"])
  return toOid(lossyText(printed).trim())
}

/** Fills the index from a stored tree. False when the store does not hold it whole. */
async function readTree(gitdir: ScratchGitdir, objects: string, tree: Oid): Promise<boolean> {
  try {
    await gitdir.git(["read-tree", tree], { env: { GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(objects) } })
    return true
  } catch (error) {
    if (!isSnapshotError(error, "GIT_FAILED")) throw error
    await gitdir.git(["read-tree", "--empty"])
    return false
  }
}

/** In quotes, a path may hold what separates paths. Source: GIT_ALTERNATE_OBJECT_DIRECTORIES in https://git-scm.com/docs/git */
function quoted(path: string): string {
  return `"${path.replaceAll(/["\\]/g, (sign) => `\\${sign}`)}"`
}

/** All files and links of a captured work tree. A tree that was not captured anew is what it was in the base. */
function filesOf({ tree, trees }: CapturedTree, base: BaseTree | undefined): Map<RepoPath, TreeEntry> {
  const files = new Map<RepoPath, TreeEntry>()
  const same = new Set<RepoPath>()
  const enter = (oid: Oid, folder: RepoPath): void => {
    const entries = trees.get(oid)
    if (entries === undefined) same.add(folder)
    for (const entry of entries ?? []) {
      const path = joinPath(folder, entry.name)
      if (entry.mode === "40000") enter(entry.oid, path)
      else files.set(path, entry)
    }
  }
  enter(tree, ROOT)
  if (base === undefined || same.size === 0) return files
  for (const path of base.files.keys()) {
    const entry = isInAny(path, same) ? base.files.get(path) : undefined
    if (entry !== undefined) files.set(path, entry)
  }
  return files
}

function isInAny(path: RepoPath, folders: ReadonlySet<RepoPath>): boolean {
  for (let at = path; at !== ROOT; at = parentOf(at)) if (folders.has(parentOf(at))) return true
  return false
}

/** What differs, as `<mode> SP <oid> TAB <path> NUL`. What goes comes first, to make room for what comes. */
function indexInfo(before: BaseTree["files"], after: ReadonlyMap<RepoPath, TreeEntry>): Uint8Array {
  const lines: Uint8Array[] = []
  const add = (mode: string, oid: string, path: RepoPath): void => {
    lines.push(utf8(`${mode} ${oid}\t`), encodeName(path), NUL)
  }
  for (const path of before.keys()) if (!after.has(path)) add("0", NO_OID, path)
  for (const [path, { mode, oid }] of after) {
    const known = before.get(path)
    if (known?.mode !== mode || known.oid !== oid) add(mode, oid, path)
  }
  return concat(lines)
}

const NO_FILES: BaseTree["files"] = new Map()
const NO_OID = "0".repeat(40)
const NUL = new Uint8Array(1)
