/*
 * worktrees.json says which work trees a store belongs to: an object with the name of each workspace, and for each the
 * real paths of the work trees that were opened as it, the first one first. It is only there to tell people, and whoever
 * cleans up; a store without it works all the same.
 */
import { exactText, utf8 } from "../core/bytes.js"
import type { FileSystem } from "../core/file-system.js"
import { SnapshotError } from "../core/errors.js"
import { writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"

/** The real paths of the work trees of each workspace. */
export type WorktreePaths = ReadonlyMap<string, readonly string[]>

/** What a store says of its work trees; undefined when it says nothing that can be understood. */
export async function readWorktreePaths(
  fileSystem: FileSystem,
  layout: Pick<GitdirLayout, "gitdir">,
): Promise<WorktreePaths | undefined> {
  const bytes = await fileSystem.readFile(pathOf(layout))
  return bytes === undefined ? undefined : parsed(exactText(bytes) ?? "")
}

/**
 * Notes that the work tree at `path` was opened as `workspace`, but not in a gitdir that another tool made. Never fails for
 * the system's sake. Of two that write at once, one may be lost: whoever opens that work tree next notes it again.
 */
export async function noteWorktreePath(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  workspace: string,
  path: string,
): Promise<void> {
  try {
    const known = (await readWorktreePaths(fileSystem, layout)) ?? new Map<string, readonly string[]>()
    const paths = known.get(workspace) ?? []
    if (paths.includes(path)) return
    // Mostly it is known, and what this needs need not be loaded.
    if (await (await import("./foreign.js")).isForeign(fileSystem, layout)) return
    const text = JSON.stringify(Object.fromEntries(new Map(known).set(workspace, [...paths, path])))
    await writeAtomically(fileSystem, layout.temporary, pathOf(layout), utf8(`${text}\n`), false)
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error
  }
}

function pathOf({ gitdir }: Pick<GitdirLayout, "gitdir">): string {
  return `${gitdir}/worktrees.json`
}

function parsed(text: string): WorktreePaths | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  const paths = new Map<string, readonly string[]>()
  for (const [workspace, given] of Object.entries(value)) {
    if (!Array.isArray(given) || !given.every((path) => typeof path === "string")) return undefined
    paths.set(workspace, given)
  }
  return paths
}
