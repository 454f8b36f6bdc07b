/*
 * retention.json says what automatic maintenance keeps of each workspace: what whoever opened the store last asked for by
 * name. Whoever opens it without asking for anything goes by that, so that nobody's snapshots go by a default.
 */
import { isSnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { checkPolicy, type RetentionPolicy } from "../core/retention.js"
import type { GitdirLayout } from "./gitdir.js"
import { note, readNotes } from "./workspace-notes.js"

/** What was asked for; `false`: nothing goes by itself. Undefined when nobody did, or it cannot be understood. */
export async function readRetention(
  fileSystem: FileSystem,
  layout: Pick<GitdirLayout, "gitdir">,
  workspace: string,
): Promise<RetentionPolicy | false | undefined> {
  const value = (await readNotes(fileSystem, pathOf(layout)))?.get(workspace)
  if (value === false) return value
  try {
    checkPolicy(value as RetentionPolicy)
    return value as RetentionPolicy
  } catch (error) {
    if (isSnapshotError(error, "INVALID_ARGUMENT")) return undefined
    throw error
  }
}

/** Notes what was asked for. Nothing is noted in a gitdir that another tool made. */
export async function noteRetention(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  workspace: string,
  retention: RetentionPolicy | false,
): Promise<void> {
  await note(fileSystem, layout, pathOf(layout), workspace, (known) =>
    JSON.stringify(known) === JSON.stringify(retention) ? undefined : retention,
  )
}

function pathOf({ gitdir }: Pick<GitdirLayout, "gitdir">): string {
  return `${gitdir}/retention.json`
}
