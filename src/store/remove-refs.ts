import { lossyText } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import { fileMs, type FileSystem } from "../core/file-system.js"
import type { RefName } from "../core/ref-name.js"
import { folderOf, removeIfThere, writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"
import {
  dropDeadLock,
  packedRefsLock,
  releasePackedRefs,
  takePackedRefs,
  type RemovalPorts,
} from "./packed-refs-lock.js"
import { parsePackedRefs, withoutRefs } from "./packed-refs.js"

/**
 * Removes refs, packed and loose, and syncs that; gives those that are gone. Only for who holds the maintenance lock.
 *
 * packed-refs is changed under Git's own lock, and the loose refs are removed under it, too: `git pack-refs` would pack
 * them again. While another tool holds that lock, nothing is removed; once it is so old that its tool must have been
 * killed, it still stands for the packed refs, and only others are removed.
 */
export async function removeRefs(ports: RemovalPorts, names: readonly RefName[]): Promise<ReadonlySet<RefName>> {
  const { fileSystem, layout } = ports
  if (names.length === 0) {
    await dropDeadLock(ports)
    return new Set()
  }
  const isLocked = await takePackedRefs(ports)
  if (!isLocked && !(await isStale(ports))) return new Set()
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
    if (isLocked) await releasePackedRefs(ports)
  }
}

/** The error for refs that stay because another tool holds the lock of the packed ones. */
export function packedRefsHeld({ gitdir }: GitdirLayout): SnapshotError<"LOCK_HELD"> {
  return new SnapshotError(
    "LOCK_HELD",
    `Another tool holds ${gitdir}/packed-refs.lock, so the ref stays. Try again when that tool has ended; delete the file if none runs.`,
    { lock: "packed-refs.lock", holder: "another tool" },
  )
}

async function isStale({ fileSystem, layout, nowMs }: RemovalPorts): Promise<boolean> {
  const stat = await fileSystem.lstat(packedRefsLock(layout))
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

/** Git holds the lock for seconds. */
const STALE_MS = 3_600_000
