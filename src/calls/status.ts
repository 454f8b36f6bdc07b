import { SnapshotError } from "../core/errors.js"
import { SNAPSHOTS, snapshotFolder, workspaceOf } from "../core/ref-name.js"
import type { StoreStatus } from "../snapshot-store.js"
import { isForgottenDue } from "../store/forgotten-note.js"
import { readMaintenance } from "../store/maintenance-note.js"
import { readOwnFiles, type OwnFiles } from "../store/own-files.js"
import { measureStore, ownBytes, sum } from "../store/stored-bytes.js"
import type { StoreContext } from "./context.js"
import { findLeftovers } from "./leftovers.js"
import { pinnedRefs } from "./pins.js"
import { aliveness } from "./under-lock.js"

/** What is in the store. What is damaged, or may not be read, is told among the leftovers and bars nothing else. */
export async function status(store: StoreContext): Promise<StoreStatus> {
  const { platform, layout, worktree, workspace } = store
  const problems: string[] = []
  const trying = async <Value>(what: string, step: Promise<Value>, otherwise: Value): Promise<Value> => {
    try {
      return await step
    } catch (error) {
      if (!(error instanceof SnapshotError) || error.code === "CLOSED") throw error
      problems.push(`${what}: ${error.message}`)
      return otherwise
    }
  }
  const { unreadable, ...snapshots } = await trying("The snapshots cannot be counted", countSnapshots(store), NONE)
  if (unreadable > 0)
    problems.push(`${unreadable} snapshots of this workspace cannot be read. Verify the store to see what is wrong.`)
  const files = await readOwnFiles(platform.fileSystem, layout)
  problems.push(...files.unreadable.map((path) => `${path} may not be read, and does not count.`))
  const { atMs, isCompactDue = false } = await readMaintenance(platform.fileSystem, layout)
  const isCompact =
    isCompactDue ||
    (await trying("What was forgotten cannot be told", isForgottenDue(platform.fileSystem, layout), false))
  const reclaiming = reclaimableBytes(store, files, isCompact)
  const reclaimable = await trying("What could be reclaimed cannot be told", reclaiming, 0)
  return {
    worktree,
    gitdir: layout.gitdir,
    workspace,
    ...snapshots,
    bytes: bytesOf(files),
    packs: files.packs.filter(({ isWhole }) => isWhole).length,
    reclaimable,
    ...(atMs === undefined ? {} : { maintainedAt: new Date(atMs) }),
    leftovers: [...(await trying("What was left over cannot be told", findLeftovers(store, files), [])), ...problems],
  }
}

/** How many snapshots there are, and from when. */
interface Counts extends Pick<StoreStatus, "snapshots" | "otherWorkspaces" | "oldest" | "newest"> {
  readonly unreadable: number
}

const NONE: Counts = { snapshots: { captures: 0, safety: 0, pinned: 0 }, otherWorkspaces: 0, unreadable: 0 }

async function countSnapshots(store: StoreContext): Promise<Counts> {
  const { refs, log, workspace } = store
  const names = await refs.names(SNAPSHOTS)
  const own = names.filter((name) => name.startsWith(snapshotFolder(workspace)))
  const pins = await pinnedRefs(store, "pass-over")
  const counts = { captures: 0, safety: 0, pinned: 0 }
  const times: number[] = []
  let unreadable = 0
  for (const name of own) {
    const snapshot = await log.at(name).catch((error: unknown) => {
      if (error instanceof SnapshotError && error.code !== "CLOSED") return undefined
      throw error
    })
    // One that was let go meanwhile is no damage.
    if (snapshot === undefined && (await isThere(store, name))) unreadable++
    if (snapshot === undefined) continue
    times.push(snapshot.record.createdMs)
    if (snapshot.record.kind === "safety") counts.safety++
    else counts.captures++
    if (pins.has(name)) counts.pinned++
  }
  const [oldest, newest] = [times[0], times.at(-1)]
  return {
    snapshots: counts,
    otherWorkspaces: new Set(names.map(workspaceOf).filter((name) => name !== workspace)).size,
    unreadable,
    ...(oldest === undefined ? {} : { oldest: new Date(oldest) }),
    ...(newest === undefined ? {} : { newest: new Date(newest) }),
  }
}

async function isThere({ refs }: StoreContext, name: Parameters<StoreContext["refs"]["read"]>[0]): Promise<boolean> {
  return (await refs.read(name).catch(() => "damaged")) !== undefined
}

function bytesOf(files: OwnFiles): StoreStatus["bytes"] {
  const own = files.packs.filter((pack) => !pack.isShared)
  return {
    total: ownBytes(files) + files.asideBytes,
    packs: sum(own),
    loose: sum(files.loose),
    caches: files.cacheBytes,
    other: files.otherBytes + files.asideBytes + sum(files.temporary),
    shared: sum(files.packs.filter((pack) => pack.isShared)),
  }
}

/** Throws when something that is reached cannot be read: a collection would give nothing back. */
async function reclaimableBytes(store: StoreContext, files: OwnFiles, isCompact: boolean): Promise<number> {
  const { platform, layout, objects } = store
  const nowMs = platform.clock.nowMs()
  const bytes = await measureStore({ ...platform, layout, objects, files, isAlive: aliveness(store), nowMs })
  if (bytes.problem !== undefined) throw bytes.problem
  return bytes.reclaimableBytes(isCompact)
}
