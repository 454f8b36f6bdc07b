import type { Oid } from "../core/oid.js"
import type { Seed } from "../core/tree-capture.js"
import { isForeign } from "../store/foreign.js"
import type { Lease } from "../store/lease.js"
import { bringPacks, hasPacks, type SeedPacks } from "../store/seed-packs.js"
import { findSeed } from "../tree/seed.js"
import type { StoreContext } from "./context.js"

/** What a first capture takes from the user's own repository. */
export interface CaptureSeed {
  /** Undefined when nothing could be taken. */
  readonly seed?: Seed | undefined
  /** The objects that the store has from there. */
  readonly reaches: Pick<ReadonlySet<Oid>, "has">
  /** The packs that hold them. */
  readonly packs?: SeedPacks
  /** Why the repository could not be used, for people. */
  readonly problem?: string
}

const NO_SEED: CaptureSeed = { reaches: new Set() }

/**
 * Takes what the user's own repository has hashed already, under a capture's lease. It rejects with nothing but the
 * signal's reason: without a seed, the files are read.
 */
export async function takeSeed(
  store: StoreContext,
  lease: Lease,
  signal: AbortSignal | undefined,
): Promise<CaptureSeed> {
  let packs: SeedPacks | undefined
  try {
    const { platform, layout } = store
    // What the other tool would make of the repository's objects is not known.
    if (store.seedRules === undefined || (await isForeign(platform.fileSystem, layout))) return NO_SEED
    // Without executable bits, as on Windows, Git's index holds other times and inodes than the file system gives.
    if (!platform.fileSystem.traits.executableBit) return NO_SEED
    const source = await findSeed(platform, store.worktree, store.seedRules)
    if (source === undefined) return NO_SEED
    if ("problem" in source) return { ...NO_SEED, ...source }
    if (!(await hasPacks(platform.fileSystem, source.objects))) return NO_SEED
    const begun = await source.begin()
    packs = await bringPacks({
      ports: platform,
      from: source.objects,
      to: layout,
      leaseId: lease.id,
      wanted: begun.wanted,
      durable: store.durable,
      signal,
    })
    const seed = await begun.finish(packs.held)
    if (seed !== undefined) return { seed, reaches: packs, packs }
  } catch (error) {
    await packs?.discard()
    signal?.throwIfAborted()
    return { ...NO_SEED, problem: error instanceof Error ? error.message : String(error) }
  }
  await packs.discard()
  return NO_SEED
}
