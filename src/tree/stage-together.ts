import type { BlobSource } from "../core/blob-source.js"
import type { FileVersion } from "../core/change.js"
import type { FileBatches, NewFile } from "../core/file-batches.js"
import type { FileSystem } from "../core/file-system.js"
import { PLAIN_PERMISSIONS } from "../core/manifest.js"
import type { Oid } from "../core/oid.js"
import { parentOf, type RepoPath } from "../core/path.js"
import type { PlannedChange } from "../core/restore.js"
import { drain } from "../core/settle-all.js"
import type { PackedEntry } from "../core/unpacker.js"
import type { Folders } from "./folders.js"
import { holdingFolders, type HoldFolder } from "./held-set.js"
import type { NearestFolder } from "./nearest-folder.js"
import { KEPT_PERMISSIONS } from "./permissions.js"
import { removeTemporaries, type Temporary } from "./remove-temporary.js"
import type { RestoreNames } from "./restore-name.js"

/** What files are staged together with. */
export interface StageTogetherRequest {
  readonly fileSystem: FileSystem
  readonly folders: Folders
  readonly blobs: BlobSource
  readonly batches?: FileBatches | undefined
  readonly durable: boolean
  readonly signal?: AbortSignal | undefined
  readonly nearestFolder: NearestFolder
  readonly names: RestoreNames
  /** Told of each file that is complete, and synced where it has to be. */
  readonly onStaged: (change: PlannedChange, temporary: Temporary) => void
}

/**
 * Stages the files whose content can be had together, many at once. Gives those that are left, for whatever reason, and of
 * which nothing stands. Throws when aborted, once nothing is under way.
 */
export async function stageTogether(
  request: StageTogetherRequest,
  changes: readonly PlannedChange[],
): Promise<readonly PlannedChange[]> {
  const { blobs, batches, signal } = request
  if (batches === undefined || blobs.packedTogether === undefined) return changes
  const done = new Set<PlannedChange>()
  for (let at = 0; at < changes.length; at += READ_AT_ONCE) {
    const some = changes.slice(at, at + READ_AT_ONCE)
    const packed = await blobs.packedTogether(some.map(({ after }) => after?.oid as Oid))
    const slices: PlannedChange[][] = []
    for (let from = 0; from < some.length; from += SLICE) slices.push(some.slice(from, from + SLICE))
    await drain(slices.reverse(), SLICES_AT_ONCE, async (slice) => {
      signal?.throwIfAborted()
      for (const change of await stageSlice(request, batches, slice, packed)) done.add(change)
    })
  }
  return changes.filter((change) => !done.has(change))
}

/** Many slices, so that whoever works on them has something to do. */
const READ_AT_ONCE = 512
const SLICE = 16
/** Two for a thread, one for whoever else does some; where files are synced, more wait for the medium side by side. */
const SLICES_AT_ONCE = 3

interface Wanted {
  readonly change: PlannedChange
  readonly temporary: Temporary
  readonly file: NewFile
}

/** Those that were staged. */
async function stageSlice(
  request: StageTogetherRequest,
  batches: FileBatches,
  slice: readonly PlannedChange[],
  packed: ReadonlyMap<Oid, PackedEntry>,
): Promise<PlannedChange[]> {
  return holdingFolders(request.folders, async (hold) => {
    const wanted: Wanted[] = []
    for (const change of slice) {
      const entry = packed.get(change.after?.oid as Oid)
      const one = entry && (await wantedFile(request, hold, change, entry))
      if (one !== undefined) wanted.push(one)
    }
    const made = await batches.create(wanted.map(({ file }) => file))
    const whole = await Promise.all(
      wanted.map(async ({ file }, i) => made[i] === true && (await isSynced(request, file))),
    )
    // What came to nothing is made anew, under another name.
    const others = wanted.filter((_, i) => whole[i] !== true)
    await removeTemporaries(
      request.fileSystem,
      request.folders,
      others.map(({ temporary }) => temporary),
    )
    const staged = wanted.filter((_, i) => whole[i] === true)
    for (const { change, temporary } of staged) request.onStaged(change, temporary)
    return staged.map(({ change }) => change)
  })
}

async function wantedFile(
  { nearestFolder, names }: StageTogetherRequest,
  hold: HoldFolder,
  change: PlannedChange,
  packed: PackedEntry,
): Promise<Wanted | undefined> {
  try {
    const folder = await nearestFolder(parentOf(change.path as RepoPath))
    const handle = await hold(folder)
    if (handle === undefined) return undefined
    const temporary = { folder, name: names.staged(change.path) }
    const file = { address: handle.at(temporary.name), permissions: permissionsOf(change.after), packed }
    return { change, temporary, file }
  } catch {
    // Whoever stages it by itself is told what is wrong.
    return undefined
  }
}

/** Syncs a file that was made, where it has to be. */
async function isSynced({ fileSystem, durable }: StageTogetherRequest, { address }: NewFile): Promise<boolean> {
  if (!durable) return true
  try {
    const file = await fileSystem.open(address, "read")
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    return true
  } catch {
    return false
  }
}

/** The bits that a file gets. A bare tree tells of no permissions but the executable bit. */
export function permissionsOf(version: FileVersion | undefined): number {
  const { mode, permissions } = version ?? {}
  return (permissions ?? PLAIN_PERMISSIONS[mode === "100755" ? "executable" : "file"]) & KEPT_PERMISSIONS
}
