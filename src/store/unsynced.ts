/*
 * Snapshots of durability "process" are published without syncing. Each leaves a marker first, named after its lease
 * and holding its ref, so that a capture of durability "power" can sync what it builds on.
 */
import { lossyText, utf8 } from "../core/bytes.js"
import { errnoOf, isSnapshotError } from "../core/errors.js"
import type { FileSystem, FolderItem, OpenFile } from "../core/file-system.js"
import { toRefName, type RefName } from "../core/ref-name.js"
import { folderOf, removeIfThere, writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"
import type { Refs } from "./refs.js"
import { isUnreadable } from "./unreadable.js"

/** Notes that the snapshot at `ref`, made under the lease `leaseId`, is not synced. */
export async function markUnsynced(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  leaseId: string,
  ref: RefName,
): Promise<void> {
  await writeAtomically(fileSystem, layout.temporary, `${layout.unsynced}/${leaseId}`, utf8(`${ref}\n`), false)
}

/** Syncs every snapshot that was published without. */
export async function syncUnsynced(fileSystem: FileSystem, layout: GitdirLayout, refs: Refs): Promise<void> {
  const markers = ((await fileSystem.list(layout.unsynced)) ?? []).filter(isMarker)
  if (markers.length === 0) return
  const packs = (await fileSystem.list(layout.packs)) ?? []
  for (const marker of markers) {
    const name = await refIn(fileSystem, layout, marker.name)
    await syncPacks(fileSystem, layout, packs, marker.name)
    // Without its ref the snapshot is not published yet, and may still be. One that is damaged is not built on.
    if (name === undefined || (await refs.read(name).catch(unlessDamaged)) === undefined) continue
    await syncRef(fileSystem, layout.gitdir, name)
    await unmarkUnsynced(fileSystem, layout, marker.name)
  }
}

/**
 * Removes the markers of these leases, which have ended, unless their snapshot is among `refs`. Its pack is synced first,
 * where it is still there: later snapshots may count on what is in it.
 */
export async function dropMarkers(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  leaseIds: readonly string[],
  refs: ReadonlyMap<string, unknown>,
): Promise<void> {
  if (leaseIds.length === 0) return
  const packs = (await fileSystem.list(layout.packs)) ?? []
  for (const leaseId of leaseIds) {
    const name = await refIn(fileSystem, layout, leaseId)
    if (name !== undefined && refs.has(name)) continue
    await syncPacks(fileSystem, layout, packs, leaseId)
    await unmarkUnsynced(fileSystem, layout, leaseId)
  }
}

/** Whether something in the folder of the markers is one. */
export function isMarker({ name, kind }: FolderItem): boolean {
  return kind === "file" && /^[0-9a-f]{32}$/.test(name)
}

/** Takes a marker away: what it stood for is synced, or was never published. */
export async function unmarkUnsynced(fileSystem: FileSystem, layout: GitdirLayout, leaseId: string): Promise<void> {
  await removeIfThere(fileSystem, `${layout.unsynced}/${leaseId}`)
}

/** The ref that a marker names; undefined for one that is gone, or that a power cut left damaged. */
async function refIn(fileSystem: FileSystem, layout: GitdirLayout, leaseId: string): Promise<RefName | undefined> {
  const bytes = await fileSystem.readFile(`${layout.unsynced}/${leaseId}`).catch(unlessUnreadable)
  return toRefName(lossyText(bytes ?? new Uint8Array()).trim())
}

async function syncPacks(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  packs: readonly FolderItem[],
  leaseId: string,
): Promise<void> {
  for (const { name } of packs)
    if (name.startsWith(`pack-${leaseId}`)) await syncIfThere(fileSystem, `${layout.packs}/${name}`)
  await fileSystem.syncFolder(layout.packs)
}

async function syncRef(fileSystem: FileSystem, gitdir: string, ref: RefName): Promise<void> {
  const loose = `${gitdir}/${ref}`
  const packed = `${gitdir}/packed-refs`
  const file = (await syncIfThere(fileSystem, loose)) ? loose : packed
  if (file === packed) await syncIfThere(fileSystem, packed)
  for (let folder = folderOf(file); folder.length >= gitdir.length; folder = folderOf(folder))
    await fileSystem.syncFolder(folder)
}

/** False for what is not there, or not to be read: nothing builds on it. */
async function syncIfThere(fileSystem: FileSystem, path: string): Promise<boolean> {
  let file: OpenFile
  try {
    file = await fileSystem.open(path, "read")
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || isUnreadable(error)) return false
    throw error
  }
  try {
    await file.sync()
  } finally {
    await file.close()
  }
  return true
}

function unlessDamaged(error: unknown): undefined {
  if (!isSnapshotError(error, "REF_INVALID") && !isUnreadable(error)) throw error
}

function unlessUnreadable(error: unknown): undefined {
  if (!isUnreadable(error)) throw error
}
