/*
 * What interrupted processes left in a store, in words for people.
 */
import { fileMs } from "../core/file-system.js"
import { leaseOfTemporary } from "../store/candidates.js"
import { lookAtLeases, type LiveLeases } from "../store/live-leases.js"
import { isHeld } from "../store/lock.js"
import type { OwnFiles } from "../store/own-files.js"
import { pendingWorkspaces } from "../store/restore-records.js"
import { sum } from "../store/stored-bytes.js"
import type { StoreContext } from "./context.js"
import { aliveness, restoreLock, RESTORE_PATIENCE } from "./under-lock.js"

/** One short sentence for each kind of thing that was left; none in a store in which every process came to its end. */
export async function findLeftovers(store: StoreContext, files: OwnFiles): Promise<string[]> {
  const { platform, layout } = store
  const { live, ended } = await lookAtLeases(platform.fileSystem, layout.leases, aliveness(store))
  return [
    ...temporaryFiles(files, live, platform.clock.nowMs()),
    ...(ended.length > 0 ? [`${counted(ended.length, "lease")} of captures whose processes have ended.`] : []),
    ...(await oldLocks(store)),
    ...(await unfinishedRestores(store)),
  ]
}

function temporaryFiles({ temporary }: OwnFiles, live: LiveLeases, nowMs: number): string[] {
  const left = temporary.filter(({ name, writtenMs }) => {
    const lease = leaseOfTemporary(name)
    return lease === undefined ? nowMs - writtenMs > HOUR_MS : !live.has(lease)
  })
  return left.length > 0 ? [`${counted(left.length, "file")} in tmp/ that nobody writes, ${sum(left)} bytes.`] : []
}

/** Of other tools: they stop nothing here but the removal of packed refs. */
async function oldLocks({ platform, layout }: StoreContext): Promise<string[]> {
  const told: string[] = []
  for (const name of ["index.lock", "packed-refs.lock"]) {
    const stat = await platform.fileSystem.lstat(`${layout.gitdir}/${name}`)
    if (stat !== undefined && platform.clock.nowMs() - fileMs(stat) > HOUR_MS)
      told.push(`${name} is older than an hour. Delete it if no Git runs here.`)
  }
  return told
}

async function unfinishedRestores(store: StoreContext): Promise<string[]> {
  const { fileSystem } = store.platform
  const { locks } = store.layout
  const isAlive = aliveness(store, RESTORE_PATIENCE.unknownMs)
  const told: string[] = []
  for (const workspace of await pendingWorkspaces(fileSystem, store.layout))
    if (!(await isHeld({ fileSystem, locks, name: restoreLock(workspace), isAlive })))
      told.push(
        `A restore of the workspace ${workspace} was interrupted. Opening the store of its work tree sees to it.`,
      )
  return told
}

function counted(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? "" : "s"}`
}

const HOUR_MS = 3_600_000
