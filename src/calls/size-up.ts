import type { Oid } from "../core/oid.js"
import { baselineRef, type RefName } from "../core/ref-name.js"
import { objectDatabase, type ObjectDatabase } from "../store/object-database.js"
import { readOwnFiles } from "../store/own-files.js"
import { measureStore } from "../store/stored-bytes.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import type { StoreContext } from "./context.js"
import { aliveness } from "./under-lock.js"

/** What to size up. */
export interface SizeUpRequest {
  /** Those that stay, in the order in which they count: what several reach is counted with the first of them. */
  readonly kept: readonly StoredSnapshot[]
  /** Those that go. */
  readonly removed: readonly StoredSnapshot[]
  /** The refs of adopted trees that go, with their trees. */
  readonly adopted: ReadonlyMap<RefName, Oid>
  /** Counts what has to stay beside an object, too, other files and what deltas build on: for a size cap. */
  readonly forCap: boolean
}

/** What snapshots take in a store. */
export interface Sizes {
  /** Bytes of all else in the store that stays; of objects alone, unless it is for a cap. */
  readonly otherBytes: number
  /** Of each that stays, in their order. */
  readonly kept: readonly SnapshotSize[]
  /** Bytes of what only those that go reach. */
  readonly removedBytes: number
  /** All that stays beside the snapshots could be read. */
  readonly isWhole: boolean
}

/** What a snapshot adds to those before it. */
export interface SnapshotSize {
  /** As packs hold it that hold nothing else, with its rows in an index. */
  readonly keptBytes: number
  /** As it is stored now, every copy. */
  readonly storedBytes: number
  /** All that it reaches could be read. */
  readonly isWhole: boolean
}

/** Sizes up the snapshots of a workspace. Refs that cannot be read: REF_INVALID. */
export async function sizeUp(store: StoreContext, request: SizeUpRequest): Promise<Sizes> {
  // One of its own: what is about to go would stay in the memory of the store's, and be read from there when it is gone.
  const objects = objectDatabase({ ...store.platform, objectsFolder: store.layout.objects })
  try {
    return await sizeUpIn(objects, store, request)
  } finally {
    await objects.close()
  }
}

async function sizeUpIn(objects: ObjectDatabase, store: StoreContext, request: SizeUpRequest): Promise<Sizes> {
  const { platform, layout, workspace } = store
  const { kept, removed, adopted, forCap } = request
  const left = new Set<string>([...[...kept, ...removed].map(({ ref }) => ref), ...adopted.keys()])
  // Baselines move with the snapshots.
  const baseline = baselineRef(workspace, undefined)
  const isLeftOut = (ref: string): boolean => left.has(ref) || ref === baseline || ref.startsWith(`${baseline}.`)
  const bytes = await measureStore({
    ...platform,
    layout,
    objects,
    files: await readOwnFiles(platform.fileSystem, layout, forCap ? "all" : "objects"),
    isAlive: aliveness(store),
    nowMs: platform.clock.nowMs(),
    isLeftOut,
    withBases: forCap,
  })
  const { keptBytes: otherBytes } = bytes.counted
  const sizes: SnapshotSize[] = []
  for (const { id } of kept) {
    const { keptBytes, copyBytes } = bytes.counted
    const isWhole = (await bytes.count([id])) === undefined
    sizes.push({
      keptBytes: bytes.counted.keptBytes - keptBytes,
      storedBytes: bytes.counted.copyBytes - copyBytes,
      isWhole,
    })
  }
  const fixedBytes = bytes.fixedBytes()
  const { copyBytes } = bytes.counted
  await bytes.count([...removed.map(({ id }) => id), ...adopted.values()])
  return {
    otherBytes: otherBytes + fixedBytes,
    kept: sizes,
    removedBytes: bytes.counted.copyBytes - copyBytes,
    isWhole: bytes.problem === undefined,
  }
}
