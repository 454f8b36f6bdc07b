import type { Oid } from "../core/oid.js"
import { randomHex } from "../core/random.js"
import { refTimeMs, restoreRef, RESTORES, type RefName, type Workspace } from "../core/ref-name.js"
import type { Refs } from "./refs.js"

/** A ref that keeps a tree from being collected. */
export interface HeldTarget {
  /** Never throws: a ref that cannot be removed holds a tree for a day, and no more. */
  release(): Promise<void>
}

/** What to hold, and for whom. */
export interface HoldRequest {
  readonly workspace: Workspace
  readonly tree: Oid
  readonly nowMs: number
  readonly durable: boolean
}

/** Holds what a restore reads, for as long as it runs: retention may let its snapshot go meanwhile. */
export async function holdTarget(refs: Refs, request: HoldRequest): Promise<HeldTarget> {
  const name = restoreRef(request.workspace, request.nowMs, randomHex(16))
  const release = async (): Promise<void> => {
    await refs
      .removeLoose(name)
      .catch(() => refs.removeLoose(name))
      .catch(() => {})
  }
  try {
    await refs.write(name, request.tree, request.durable)
  } catch (error) {
    await release()
    throw error
  }
  return { release }
}

/**
 * The refs of restores that were killed, or packed away by another tool: no restore runs for a day. Those of `pending`
 * workspaces stay, however old: their restore is still to be finished.
 */
export async function abandonedTargets(refs: Refs, pending: Iterable<string>, nowMs: number): Promise<RefName[]> {
  const names = await refs.names(RESTORES)
  const needed = Array.from(pending, (workspace) => `${RESTORES}${workspace}/`)
  return names.filter((name) => {
    const sinceMs = refTimeMs(name)
    const isOld = sinceMs !== undefined && Math.abs(nowMs - sinceMs) > DAY_MS
    return isOld && !needed.some((folder) => name.startsWith(folder))
  })
}

const DAY_MS = 86_400_000
