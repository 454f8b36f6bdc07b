/*
 * The lock under which packed-refs is changed: Git's own, so that `git pack-refs` and we never change it at once.
 */
import { lossyText, utf8 } from "../core/bytes.js"
import type { FileSystem } from "../core/file-system.js"
import { createExclusively, removeIfThere } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"

/** What changes the refs of a store. */
export interface RemovalPorts {
  readonly fileSystem: FileSystem
  readonly layout: GitdirLayout
  readonly nowMs: number
}

export function packedRefsLock({ gitdir }: GitdirLayout): string {
  return `${gitdir}/packed-refs.lock`
}

type LockPorts = Pick<RemovalPorts, "fileSystem" | "layout">

/** Runs `step` under the lock. False, with nothing done, while another tool holds it. Only for who holds the maintenance lock. */
export async function underPackedRefsLock(ports: LockPorts, step: () => Promise<void>): Promise<boolean> {
  if (!(await takePackedRefs(ports))) return false
  try {
    await step()
    return true
  } finally {
    await releasePackedRefs(ports)
  }
}

/** Takes the lock. False: another tool holds it, or left it. */
export async function takePackedRefs(ports: LockPorts): Promise<boolean> {
  const { fileSystem, layout } = ports
  const take = (): Promise<boolean> => createExclusively(fileSystem, layout.temporary, packedRefsLock(layout), OWN_MARK)
  return (await take()) || ((await dropDeadLock(ports)) && (await take()))
}

/** Gives the lock back. One that stays is taken over by the next maintenance. */
export async function releasePackedRefs({ fileSystem, layout }: LockPorts): Promise<void> {
  const remove = (): Promise<void> => removeIfThere(fileSystem, packedRefsLock(layout))
  await remove()
    .catch(remove)
    .catch(() => {})
}

/** Removes the lock that a maintenance which was killed left; false when there is none, or it is of another tool. */
export async function dropDeadLock({ fileSystem, layout }: LockPorts): Promise<boolean> {
  const lock = packedRefsLock(layout)
  // What is no file is no lock of ours, and cannot be read.
  const content = (await fileSystem.lstat(lock))?.kind === "file" ? await fileSystem.readFile(lock) : undefined
  if (content === undefined || lossyText(content) !== lossyText(OWN_MARK)) return false
  await removeIfThere(fileSystem, lock)
  return true
}

/** Git writes nothing into its own lock. */
const OWN_MARK = utf8("treeshot maintenance\n")
