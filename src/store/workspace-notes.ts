/*
 * Small files of the store that say something of each workspace: a JSON object with a value for the name of each.
 */
import { exactText, utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"

/** What such a file says, by workspace; undefined when there is none, or it is damaged. */
export async function readNotes(
  fileSystem: FileSystem,
  path: string,
): Promise<ReadonlyMap<string, unknown> | undefined> {
  const bytes = await fileSystem.readFile(path)
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(exactText(bytes) ?? "")
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return new Map(Object.entries(value))
  } catch {
    // As if it were not there.
  }
  return undefined
}

/**
 * Puts what `next` makes of the value of a workspace in its place; undefined: it stays. Not in a gitdir that another tool
 * made, and never fails for the system's sake. Of two that write at once, one may be lost: whoever opens the store next
 * notes it again.
 */
export async function note<Value>(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  path: string,
  workspace: string,
  next: (known: unknown) => Value | undefined,
): Promise<void> {
  try {
    const notes = (await readNotes(fileSystem, path)) ?? new Map<string, unknown>()
    const value = next(notes.get(workspace))
    if (value === undefined) return
    // Mostly it is known, and what this needs need not be loaded.
    if (await (await import("./foreign.js")).isForeign(fileSystem, layout)) return
    const text = JSON.stringify(Object.fromEntries(new Map(notes).set(workspace, value)))
    await writeAtomically(fileSystem, layout.temporary, path, utf8(`${text}\n`), false)
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error
  }
}
