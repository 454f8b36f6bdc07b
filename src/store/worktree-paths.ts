/*
 * worktrees.json says which work trees a store belongs to: an object with the name of each workspace, and for each the
 * real paths of the work trees that were opened as it, the first one first. It is only there to tell people, and whoever
 * cleans up; a store without it works all the same.
 */
import type { FileSystem } from "../core/file-system.js"
import type { GitdirLayout } from "./gitdir.js"
import { note, readNotes } from "./workspace-notes.js"

/** The real paths of the work trees of each workspace. */
export type WorktreePaths = ReadonlyMap<string, readonly string[]>

/** What a store says of its work trees; undefined when it says nothing that can be understood. */
export async function readWorktreePaths(
  fileSystem: FileSystem,
  layout: Pick<GitdirLayout, "gitdir">,
): Promise<WorktreePaths | undefined> {
  const notes = await readNotes(fileSystem, pathOf(layout))
  if (notes === undefined) return undefined
  const paths = new Map<string, readonly string[]>()
  for (const [workspace, value] of notes) {
    if (!isPaths(value)) return undefined
    paths.set(workspace, value)
  }
  return paths
}

/** Notes that the work tree at `path` was opened as `workspace`, but not in a gitdir that another tool made. */
export async function noteWorktreePath(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  workspace: string,
  path: string,
): Promise<void> {
  await note(fileSystem, layout, pathOf(layout), workspace, (known) => {
    const paths = isPaths(known) ? known : []
    return paths.includes(path) ? undefined : [...paths, path]
  })
}

function pathOf({ gitdir }: Pick<GitdirLayout, "gitdir">): string {
  return `${gitdir}/worktrees.json`
}

function isPaths(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((path) => typeof path === "string")
}
