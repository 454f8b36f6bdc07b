import { lossyText, utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"

/** What a store knows of its maintenance. */
export interface MaintenanceNote {
  /** When it last came to its end. */
  readonly atMs?: number
  /** So many packs it left. */
  readonly packs?: number
  /** So many bytes they had. */
  readonly bytes?: number
  /** When it last failed, if it did not come to its end since. */
  readonly failedMs?: number
  /** A cap on the store's size let snapshots go: the next maintenance keeps nothing that is unreached. */
  readonly isCompactDue?: boolean
  /** It left refs in packed-refs: Git and we write that file anew, and never remove it. */
  readonly hasPackedRefs?: boolean
}

/** The note; an empty one when there is none, or it is damaged. */
export async function readMaintenance(fileSystem: FileSystem, { maintained }: GitdirLayout): Promise<MaintenanceNote> {
  try {
    const value: unknown = JSON.parse(lossyText((await fileSystem.readFile(maintained)) ?? new Uint8Array()))
    const { atMs, packs, bytes, failedMs, isCompactDue, hasPackedRefs } = (value ?? {}) as Readonly<
      Record<string, unknown>
    >
    return {
      ...(typeof atMs === "number" && Math.abs(atMs) <= LAST_DATE_MS ? { atMs } : {}),
      ...(typeof packs === "number" ? { packs } : {}),
      ...(typeof bytes === "number" ? { bytes } : {}),
      ...(typeof failedMs === "number" ? { failedMs } : {}),
      ...(typeof isCompactDue === "boolean" ? { isCompactDue } : {}),
      ...(typeof hasPackedRefs === "boolean" ? { hasPackedRefs } : {}),
    }
  } catch {
    return {}
  }
}

/** Asks the next maintenance to leave nothing unreached in any pack: a cap on the store's size counts on it. */
export async function askToCompact(fileSystem: FileSystem, layout: GitdirLayout): Promise<void> {
  await noteMaintenance(fileSystem, layout, { ...(await readMaintenance(fileSystem, layout)), isCompactDue: true })
}

/**
 * Two that write at once lose one of the two notes, which is of no harm. Nor is it that the system lets nothing be written:
 * the work that it tells of is done.
 */
export async function noteMaintenance(
  fileSystem: FileSystem,
  { maintained, temporary }: GitdirLayout,
  note: MaintenanceNote,
): Promise<void> {
  try {
    await writeAtomically(fileSystem, temporary, maintained, utf8(`${JSON.stringify(note)}\n`), false)
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error
  }
}

/** The last time that a Date can hold. */
const LAST_DATE_MS = 8.64e15
