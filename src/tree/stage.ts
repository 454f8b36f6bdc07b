import pLimit from "p-limit"
import { openBlob, type BlobSource } from "../core/blob-source.js"
import { errnoOf, SnapshotError } from "../core/errors.js"
import type { FileBatches } from "../core/file-batches.js"
import type { FileSystem } from "../core/file-system.js"
import type { GitObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { escapePath, parentOf, type RepoPath } from "../core/path.js"
import type { PlannedChange } from "../core/restore.js"
import { settleAll } from "../core/settle-all.js"
import type { Folders } from "./folders.js"
import { nearestFolders } from "./nearest-folder.js"
import { removeTemporaries, type Temporary } from "./remove-temporary.js"
import type { RestoreNames } from "./restore-name.js"
import { permissionsOf, stageTogether } from "./stage-together.js"

/** A file's new content, complete and checked, under a name for the moment. */
export type Staged = Temporary

/** What staging needs. */
export interface StageRequest {
  readonly fileSystem: FileSystem
  readonly folders: Folders
  readonly blobs: BlobSource
  readonly names: RestoreNames
  /** For many files at once. */
  readonly batches?: FileBatches | undefined
  readonly durable: boolean
  readonly signal?: AbortSignal | undefined
  readonly onStaged: () => void
}

/** The staged files by path, and the errors of those that could not be staged. */
export interface StagedFiles {
  /** What has got its place is taken out. */
  readonly staged: Map<string, Staged>
  readonly failed: ReadonlyMap<string, string>
}

/**
 * Writes the new content of every file beside where it goes, before anything is touched. A full disk, a missing or a
 * damaged object, or an abort ends all of it: everything staged is removed, and it throws. A folder that refuses
 * files fails those paths only.
 */
export async function stageFiles(request: StageRequest, changes: readonly PlannedChange[]): Promise<StagedFiles> {
  const staged = new Map<string, Staged>()
  const failed = new Map<string, string>()
  const nearestFolder = nearestFolders(request.folders)
  const limit = pLimit(CONCURRENCY)
  let ended = false
  const onStaged = (change: PlannedChange, temporary: Staged): void => {
    staged.set(change.path, temporary)
    request.onStaged()
  }
  const stage = async (change: PlannedChange, read: ReadonlyMap<Oid, GitObject> | undefined): Promise<void> => {
    if (ended) return
    try {
      request.signal?.throwIfAborted()
      const blob = read?.get(change.after?.oid as Oid)
      const temporary = {
        folder: await nearestFolder(parentOf(change.path as RepoPath)),
        name: request.names.staged(change.path),
      }
      await stageFile(request, change, temporary, blob?.type === "blob" ? blob : undefined)
      onStaged(change, temporary)
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === undefined || (error as SnapshotError).code === "NO_SPACE") ended = true
      if (ended) throw error
      failed.set(change.path, errno as string)
    }
  }
  try {
    const left = await stageTogether({ ...request, nearestFolder, onStaged }, changes)
    const readFrom = (at: number): Promise<ReadonlyMap<Oid, GitObject> | undefined> =>
      Promise.resolve(request.blobs.readTogether?.(oidsOf(left.slice(at, at + READ_AT_ONCE))))
    let ahead = readFrom(0)
    for (let at = 0; at < left.length && !ended; at += READ_AT_ONCE) {
      const read = await ahead
      ahead = readFrom(at + READ_AT_ONCE)
      const some = left.slice(at, at + READ_AT_ONCE)
      const staging = some.map((change) => limit(() => stage(change, read)))
      await settleAll([...staging, ahead])
    }
  } catch (error) {
    await unstage(request, [...staged.values()])
    throw error
  }
  return { staged, failed }
}

function oidsOf(changes: readonly PlannedChange[]): Oid[] {
  return changes.map(({ after }) => after?.oid as Oid)
}

/** Removes staged files that were not used. Never throws. */
export async function unstage({ fileSystem, folders }: StageRequest, staged: readonly Staged[]): Promise<void> {
  await removeTemporaries(fileSystem, folders, staged)
}

const CONCURRENCY = 8

const READ_AT_ONCE = 128

/** `read` is the blob, where it has been read already. */
async function stageFile(
  request: StageRequest,
  { after }: PlannedChange,
  staged: Staged,
  read: GitObject | undefined,
): Promise<void> {
  const permissions = permissionsOf(after)
  let written: true | undefined
  try {
    written = await request.folders.within(staged.folder, (handle) =>
      writeBlob(request, handle.at(staged.name), read ?? (after?.oid as Oid), permissions),
    )
  } catch (error) {
    await unstage(request, [staged])
    throw error
  }
  if (written === undefined) throw vanished(staged.folder)
}

async function writeBlob(
  { fileSystem, blobs, durable }: StageRequest,
  address: string,
  blob: GitObject | Oid,
  permissions: number,
): Promise<true> {
  const isRead = typeof blob !== "string"
  const chunks = isRead ? [blob.bytes] : (await openBlob(blobs, blob)).chunks
  const file = await fileSystem.open(address, "create", permissions)
  try {
    let at = 0
    for await (const piece of chunks) {
      await file.write(piece, at)
      at += piece.length
    }
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
  return true
}

/** A folder of the work tree went away while it was worked in. */
function vanished(folder: RepoPath): SnapshotError {
  return new SnapshotError(
    "IO_FAILED",
    `The folder ${escapePath(folder)} went away during the restore. Restore again.`,
    {
      action: "write into",
      path: folder,
      errno: "ENOENT",
    },
  )
}
