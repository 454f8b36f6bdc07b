/*
 * Removing a store for good: it is renamed first, so that it is whole or gone, whatever happens in between.
 */
import { SnapshotError } from "../core/errors.js"
import type { Platform } from "../core/platform.js"
import { randomHex } from "../core/random.js"
import { folderOf } from "../store/atomic-file.js"
import { isForeign } from "../store/foreign.js"
import { layoutOf, type GitdirLayout } from "../store/gitdir.js"
import { lookAtLeases } from "../store/live-leases.js"
import { liveness, type CountsAsAlive } from "../store/liveness.js"
import { isHeld, takeLock } from "../store/lock.js"
import { removeGitdir } from "../store/remove-gitdir.js"
import { pendingWorkspaces } from "../store/restore-records.js"
import { MAINTENANCE } from "./under-lock.js"
import { describeStore } from "./user-stores.js"

/**
 * Removes the store at `gitdir`, whose work trees have to be gone: INVALID_ARGUMENT otherwise. One that a live process
 * works with: LOCK_HELD; one with an unfinished restore: RESTORE_PENDING.
 */
export async function removeStore(platform: Platform, gitdir: string): Promise<void> {
  const { fileSystem, owner, clock } = platform
  const layout = layoutOf(gitdir)
  const isAlive = liveness(owner, () => clock.nowMs())
  const isFolder = (await fileSystem.lstat(gitdir))?.kind === "folder"
  if (!isFolder || (await describeStore(fileSystem, gitdir)).worktree !== "gone")
    throw new SnapshotError(
      "INVALID_ARGUMENT",
      `${gitdir} stays: it is no store whose work tree is known and gone. Delete the folder yourself if nobody needs it.`,
      { argument: "gitdir" },
    )
  const { locks, temporary } = layout
  const lock = await takeLock({
    fileSystem,
    locks,
    temporary,
    name: MAINTENANCE,
    owner: await owner.current(),
    nowMs: clock.nowMs(),
    isAlive,
  })
  const removed = `${folderOf(gitdir)}/${REMOVED}${randomHex(16)}`
  try {
    await refuseInUse(platform, layout, isAlive)
    await fileSystem.rename(gitdir, removed)
  } catch (error) {
    await lock.release()
    throw error
  }
  // The lock has gone with the rest: by its old path it may be that of a store that was made there meanwhile.
  await removeGitdir(fileSystem, removed)
}

/** Removes what a removal that was killed has left in `folder`. */
export async function finishRemovals({ fileSystem }: Platform, folder: string): Promise<void> {
  for (const { name, kind } of (await fileSystem.list(folder)) ?? []) {
    const gitdir = `${folder}/${name}`
    if (kind !== "folder" || !/^\.removed-[0-9a-f]{32}$/.test(name)) continue
    const isEmpty = (await fileSystem.list(gitdir))?.length === 0
    if (isEmpty || !(await isForeign(fileSystem, layoutOf(gitdir)))) await removeGitdir(fileSystem, gitdir)
  }
}

async function refuseInUse({ fileSystem }: Platform, layout: GitdirLayout, isAlive: CountsAsAlive): Promise<void> {
  const { gitdir, locks, restores } = layout
  const inUse = (lock: string): SnapshotError =>
    new SnapshotError("LOCK_HELD", `A process works with the store at ${gitdir}. Try again when it has ended.`, {
      lock,
      holder: "a process",
    })
  if ((await lookAtLeases(fileSystem, layout.leases, isAlive)).live.size > 0) throw inUse("lease")
  for (const { name } of (await fileSystem.list(locks)) ?? [])
    if (name.startsWith("restore-") && !name.includes(".") && (await isHeld({ fileSystem, locks, name, isAlive })))
      throw inUse(name)
  const [pending] = await pendingWorkspaces(fileSystem, layout)
  if (pending !== undefined)
    throw new SnapshotError(
      "RESTORE_PENDING",
      `A restore in the store at ${gitdir} is not finished: its work tree may only be away. Delete the store's folder yourself if it is not.`,
      { journal: `${restores}/${pending}/running` },
    )
}

const REMOVED = ".removed-"
