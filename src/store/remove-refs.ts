import { lossyText, utf8 } from "../core/bytes.js"
import { fileMs, type FileSystem } from "../core/file-system.js"
import type { RefName } from "../core/ref-name.js"
import { createExclusively, folderOf, removeIfThere, writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"
import { parsePackedRefs, withoutRefs } from "./packed-refs.js"

/** What removes refs. */
export interface RemovalPorts {
  readonly fileSystem: FileSystem
  readonly layout: GitdirLayout
  readonly nowMs: number
}

/**
 * Removes refs, packed and loose, and syncs that; gives those that are gone. Only for who holds the maintenance lock.
 *
 * packed-refs is changed under Git's own lock, and the loose refs are removed under it, too: `git pack-refs` would pack
 * them again. While another tool holds that lock, nothing is removed; once it is so old that its tool must have been
 * killed, it still stands for the packed refs, and only others are removed.
 */
export async function removeRefs(ports: RemovalPorts, names: readonly RefName[]): Promise<ReadonlySet<RefName>> {
  const { fileSystem, layout } = ports
  const lock = `${layout.gitdir}/packed-refs.lock`
  if (names.length === 0) {
    await removeOwnLock(fileSystem, lock)
    return new Set()
  }
  const isLocked = await takePackedRefs(fileSystem, layout, lock)
  if (!isLocked && !(await isStale(ports, lock))) return new Set()
  try {
    const bytes = (await fileSystem.readFile(`${layout.gitdir}/packed-refs`)) ?? new Uint8Array()
    const packed = packedAmong(bytes, names)
    if (isLocked && packed.size > 0)
      await writeAtomically(
        fileSystem,
        layout.temporary,
        `${layout.gitdir}/packed-refs`,
        withoutRefs(bytes, packed),
        true,
      )
    const gone = isLocked ? names : names.filter((name) => !packed.has(name))
    await removeLoose(fileSystem, layout, gone)
    return new Set(gone)
  } finally {
    // One that stays is taken over by the next maintenance.
    if (isLocked)
      await removeIfThere(fileSystem, lock)
        .catch(() => removeIfThere(fileSystem, lock))
        .catch(() => {})
  }
}

/** Takes Git's lock. False: another tool holds it, or left it. */
async function takePackedRefs(fileSystem: FileSystem, layout: GitdirLayout, lock: string): Promise<boolean> {
  const take = (): Promise<boolean> => createExclusively(fileSystem, layout.temporary, lock, OWN_MARK)
  return (await take()) || ((await removeOwnLock(fileSystem, lock)) && (await take()))
}

/** Removes the lock that a maintenance which was killed left; false when there is none, or it is of another tool. */
async function removeOwnLock(fileSystem: FileSystem, lock: string): Promise<boolean> {
  // What is no file is no lock of ours, and cannot be read.
  const content = (await fileSystem.lstat(lock))?.kind === "file" ? await fileSystem.readFile(lock) : undefined
  if (content === undefined || lossyText(content) !== lossyText(OWN_MARK)) return false
  await removeIfThere(fileSystem, lock)
  return true
}

async function isStale({ fileSystem, nowMs }: RemovalPorts, lock: string): Promise<boolean> {
  const stat = await fileSystem.lstat(lock)
  return stat !== undefined && nowMs - fileMs(stat) > STALE_MS
}

function packedAmong(bytes: Uint8Array, names: readonly RefName[]): ReadonlySet<string> {
  const packed = new Set(parsePackedRefs(lossyText(bytes)).map(({ name }) => name))
  return new Set(names.filter((name) => packed.has(name)))
}

async function removeLoose(fileSystem: FileSystem, { gitdir }: GitdirLayout, names: readonly RefName[]): Promise<void> {
  const folders = new Set<string>()
  for (const name of names) {
    await removeIfThere(fileSystem, `${gitdir}/${name}`)
    folders.add(folderOf(`${gitdir}/${name}`))
  }
  for (const folder of folders) if ((await fileSystem.lstat(folder)) !== undefined) await fileSystem.syncFolder(folder)
}

/** Git writes nothing into its own lock. */
const OWN_MARK = utf8("treeshot maintenance\n")
/** Git holds the lock for seconds. */
const STALE_MS = 3_600_000
