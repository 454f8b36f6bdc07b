/*
 * Snapshots of durability "process" are published without syncing. Each leaves a marker first, named after its lease
 * and holding its ref, so that a capture of durability "power" can sync what it builds on.
 */
import { lossyText, utf8 } from "../core/bytes.js"
import { errnoOf } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { toRefName, type RefName } from "../core/ref-name.js"
import { folderOf, removeIfThere, writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"
import type { Refs } from "./refs.js"

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
  const markers = (await fileSystem.list(layout.unsynced)) ?? []
  if (markers.length === 0) return
  const packs = (await fileSystem.list(layout.packs)) ?? []
  for (const marker of markers) {
    const ref = await fileSystem.readFile(`${layout.unsynced}/${marker.name}`)
    const name = toRefName(lossyText(ref ?? new Uint8Array()).trim())
    for (const pack of packs)
      if (pack.name.startsWith(`pack-${marker.name}`)) await syncIfThere(fileSystem, `${layout.packs}/${pack.name}`)
    await fileSystem.syncFolder(layout.packs)
    // Without its ref the snapshot is not published yet, and may still be.
    if (name === undefined || (await refs.read(name)) === undefined) continue
    await syncRef(fileSystem, layout.gitdir, name)
    await unmarkUnsynced(fileSystem, layout, marker.name)
  }
}

/** Takes a marker away: what it stood for is synced, or was never published. */
export async function unmarkUnsynced(fileSystem: FileSystem, layout: GitdirLayout, leaseId: string): Promise<void> {
  await removeIfThere(fileSystem, `${layout.unsynced}/${leaseId}`)
}

async function syncRef(fileSystem: FileSystem, gitdir: string, ref: RefName): Promise<void> {
  const loose = `${gitdir}/${ref}`
  const packed = `${gitdir}/packed-refs`
  const file = (await syncIfThere(fileSystem, loose)) ? loose : packed
  if (file === packed) await syncIfThere(fileSystem, packed)
  for (let folder = folderOf(file); folder.length >= gitdir.length; folder = folderOf(folder))
    await fileSystem.syncFolder(folder)
}

async function syncIfThere(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    const file = await fileSystem.open(path, "read")
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false
    throw error
  }
}
