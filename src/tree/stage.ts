import pLimit from "p-limit"
import { openBlob, type BlobSource } from "../core/blob-source.js"
import { errnoOf, SnapshotError } from "../core/errors.js"
import type { FileSystem, FolderHandle } from "../core/file-system.js"
import { PLAIN_PERMISSIONS } from "../core/manifest.js"
import type { Oid } from "../core/oid.js"
import { escapePath, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { PlannedChange } from "../core/restore.js"
import { settleAll } from "../core/settle-all.js"
import type { Folders } from "./folders.js"
import { KEPT_PERMISSIONS } from "./permissions.js"
import { removeTemporary, type Temporary } from "./remove-temporary.js"
import { restoreName } from "./restore-name.js"

/** A file's new content, complete and checked, under a name for the moment. */
export type Staged = Temporary

/** What staging needs. */
export interface StageRequest {
  readonly fileSystem: FileSystem
  readonly folders: Folders
  readonly blobs: BlobSource
  readonly durable: boolean
  readonly signal?: AbortSignal | undefined
  readonly onStaged: () => void
}

/** The staged files by path, and the errors of those that could not be staged. */
export interface StagedFiles {
  readonly staged: ReadonlyMap<string, Staged>
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
  const limit = pLimit(CONCURRENCY)
  let ended = false
  try {
    await settleAll(
      changes.map((change) =>
        limit(async () => {
          if (ended) return
          try {
            request.signal?.throwIfAborted()
            staged.set(change.path, await stageFile(request, change))
            request.onStaged()
          } catch (error) {
            const errno = errnoOf(error)
            if (errno === undefined || (error as SnapshotError).code === "NO_SPACE") ended = true
            if (ended) throw error
            failed.set(change.path, errno as string)
          }
        }),
      ),
    )
  } catch (error) {
    for (const one of staged.values()) await unstage(request, one)
    throw error
  }
  return { staged, failed }
}

/** Removes a staged file that was not used. Never throws. */
export async function unstage({ fileSystem, folders }: StageRequest, staged: Staged): Promise<void> {
  await removeTemporary(fileSystem, folders, staged)
}

const CONCURRENCY = 8

async function stageFile(request: StageRequest, { path, after }: PlannedChange): Promise<Staged> {
  const folder = await nearestFolder(request.folders, parentOf(path as RepoPath))
  // A bare tree tells of no permissions but the executable bit.
  const permissions =
    (after?.permissions ?? PLAIN_PERMISSIONS[after?.mode === "100755" ? "executable" : "file"]) & KEPT_PERMISSIONS
  const staged: Staged = { folder, name: restoreName() }
  let written: true | undefined
  try {
    written = await request.folders.within(folder, (handle) =>
      writeBlob(request, handle, staged.name, after?.oid as Oid, permissions),
    )
  } catch (error) {
    await unstage(request, staged)
    throw error
  }
  if (written === undefined) throw vanished(folder)
  return staged
}

/** The folder itself or the nearest above it that is there: of the same file system, so that a file can be moved in. */
async function nearestFolder(folders: Folders, wanted: RepoPath): Promise<RepoPath> {
  for (let folder = wanted; folder !== ROOT; folder = parentOf(folder))
    if ((await folders.within(folder, async () => true)) === true) return folder
  return ROOT
}

async function writeBlob(
  { fileSystem, blobs, durable }: StageRequest,
  folder: FolderHandle,
  name: string,
  oid: Oid,
  permissions: number,
): Promise<true> {
  const blob = await openBlob(blobs, oid)
  const file = await fileSystem.open(folder.at(name), "create", permissions)
  try {
    let at = 0
    for await (const piece of blob.chunks) {
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
