import { adoptRootTrees } from "../store/adopt.js"
import { isForeign } from "../store/foreign.js"
import { liveness, type CountsAsAlive } from "../store/liveness.js"
import { takeLock } from "../store/lock.js"
import type { StoreContext } from "./context.js"

/** Runs `step` under the lock that only one process at a time can hold: LOCK_HELD. */
export async function underLock<Value>(store: StoreContext, step: () => Promise<Value>): Promise<Value> {
  const { fileSystem, owner, clock } = store.platform
  const lock = await takeLock({
    fileSystem,
    locks: store.layout.locks,
    temporary: store.layout.temporary,
    name: "maintenance",
    owner: await owner.current(),
    nowMs: clock.nowMs(),
    isAlive: aliveness(store),
  })
  try {
    return await step()
  } finally {
    await lock.release()
  }
}

/** Who counts as alive, by this store's clock. */
export function aliveness({ platform }: StoreContext): CountsAsAlive {
  return liveness(platform.owner, () => platform.clock.nowMs())
}

/** Gives refs to the trees that another tool counts on without one; gives how many. Before anything of theirs may go. */
export async function adoptIfForeign(store: StoreContext): Promise<number> {
  const { platform, layout, refs } = store
  return (await isForeign(platform.fileSystem, layout)) ? adoptRootTrees(platform, layout, refs) : 0
}
