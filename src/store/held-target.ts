import type { Oid } from "../core/oid.js"
import { randomHex } from "../core/random.js"
import type { RefName, Workspace } from "../core/ref-name.js"
import type { Refs } from "./refs.js"

/** A ref that keeps a tree from being collected. */
export interface HeldTarget {
  /** Never throws: a ref that cannot be removed holds a tree, and no more. */
  release(): Promise<void>
}

/** Holds what a restore reads, for as long as it runs: retention may let its snapshot go meanwhile. */
export async function holdTarget(refs: Refs, workspace: Workspace, tree: Oid, durable: boolean): Promise<HeldTarget> {
  const name = `refs/restores/${workspace}/${randomHex(16)}` as RefName
  const release = async (): Promise<void> => {
    await refs
      .removeLoose(name)
      .catch(() => refs.removeLoose(name))
      .catch(() => {})
  }
  try {
    await refs.write(name, tree, durable)
  } catch (error) {
    await release()
    throw error
  }
  return { release }
}
