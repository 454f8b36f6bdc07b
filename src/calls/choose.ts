import { SnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { ADOPTED, adoptedTree, refTimeMs, type RefName } from "../core/ref-name.js"
import { newestFirst, retain, type KeptItem, type RetentionItem, type RetentionPolicy } from "../core/retention.js"
import { inCapOrder, withinCap } from "../core/size-cap.js"
import { lookAtLeases } from "../store/live-leases.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import type { StoreContext } from "./context.js"
import { pinnedRefs } from "./pins.js"
import { pendingNeeds } from "./restore-history.js"
import { sizeUp, type Sizes } from "./size-up.js"
import { aliveness } from "./under-lock.js"

/** What a policy makes of the snapshots of a workspace. */
export interface Choice {
  /** Newest first. */
  readonly kept: readonly KeptItem<Listed>[]
  /** Newest first. */
  readonly removed: readonly Removed[]
  /** The refs of adopted trees that go, with their trees. */
  readonly adopted: ReadonlyMap<RefName, Oid>
  /** The trees whose adopted refs stay. */
  readonly adoptedKept: ReadonlySet<Oid>
  /** Bytes of what only those that go reach; 0 when something that stays cannot be read. */
  readonly bytesFreed: number
  /** By how many bytes what stays is above `maxBytes`. */
  readonly bytesOver: number
}

/** A snapshot, with what retention looks at. */
export interface Listed extends RetentionItem {
  readonly ref: RefName
  readonly snapshot: StoredSnapshot
  readonly pinned: boolean
}

/** A snapshot that goes. */
export interface Removed {
  readonly item: Listed
  readonly reason: "no-rule" | "max-bytes"
}

/** What a choice is about. */
export interface ChoiceTerms {
  /** Default: true. Otherwise, where no rule needs them, the bytes are 0: to know them, every snapshot is read. */
  readonly isSized?: boolean
  /** Trees that another tool left stay, however old they are. Default: false. */
  readonly keepsAdopted?: boolean
}

/** Applies a policy, and changes nothing. With `maxBytes`, refs that cannot be read: REF_INVALID. */
export async function choose(
  store: StoreContext,
  policy: RetentionPolicy,
  nowMs: number,
  { isSized = true, keepsAdopted = false }: ChoiceTerms,
): Promise<Choice> {
  const byRules = retain(await listAll(store), nowMs, policy)
  const { kept } = byRules
  const removed = byRules.removed.map((item): Removed => ({ item, reason: "no-rule" }))
  const { going: adopted, staying: adoptedKept } = await chooseAdopted(store, keepsAdopted ? {} : policy, nowMs)
  const rest = { adopted, adoptedKept }
  if (policy.maxBytes !== undefined)
    return { ...rest, ...(await capped(store, kept, removed, adopted, policy.maxBytes)) }
  const bytesFreed = isSized ? await freedBytes(store, kept, removed, adopted) : 0
  return { ...rest, kept, removed, bytesFreed, bytesOver: 0 }
}

/** Bytes of what only those that go reach. Where something that stays cannot be read, nothing is collected: 0. */
export async function freedBytes(
  store: StoreContext,
  kept: readonly KeptItem<Listed>[],
  removed: readonly Removed[],
  adopted: ReadonlyMap<RefName, Oid>,
): Promise<number> {
  if (removed.length === 0 && adopted.size === 0) return 0
  try {
    const sizes = await sizesOf(store, kept, removed, adopted, false)
    return sizes.isWhole && sizes.kept.every(({ isWhole }) => isWhole) ? sizes.removedBytes : 0
  } catch (error) {
    // What goes does not depend on it.
    if (error instanceof SnapshotError && error.code !== "CLOSED") return 0
    throw error
  }
}

async function capped(
  store: StoreContext,
  byRules: readonly KeptItem<Listed>[],
  noRule: readonly Removed[],
  adopted: ReadonlyMap<RefName, Oid>,
  maxBytes: number,
): Promise<Pick<Choice, "kept" | "removed" | "bytesFreed" | "bytesOver">> {
  const ordered = inCapOrder(byRules)
  const sizes = await sizesOf(store, ordered, noRule, adopted, true)
  const sized = ordered.map((kept, at) => ({ kept, addedBytes: sizes.kept[at]?.keptBytes ?? 0 }))
  const { removed: dropped, bytesOver } = withinCap(sized, sizes.otherBytes, maxBytes)
  const isDropped = ({ item }: KeptItem<Listed>): boolean => dropped.has(item)
  let isWhole = sizes.isWhole
  let bytesFreed = sizes.removedBytes
  for (const [at, size] of sizes.kept.entries()) {
    const goes = isDropped(ordered[at] as KeptItem<Listed>)
    if (goes) bytesFreed += size.storedBytes
    else isWhole &&= size.isWhole
  }
  const overCap = byRules.filter(isDropped).map(({ item }): Removed => ({ item, reason: "max-bytes" }))
  return {
    kept: byRules.filter((kept) => !isDropped(kept)),
    removed: [...noRule, ...overCap].toSorted((a, b) => newestFirst(a.item, b.item)),
    bytesFreed: isWhole ? bytesFreed : 0,
    bytesOver,
  }
}

function sizesOf(
  store: StoreContext,
  kept: readonly KeptItem<Listed>[],
  removed: readonly Removed[],
  adopted: ReadonlyMap<RefName, Oid>,
  forCap: boolean,
): Promise<Sizes> {
  return sizeUp(store, {
    kept: kept.map(({ item }) => item.snapshot),
    removed: removed.map(({ item }) => item.snapshot),
    adopted,
    forCap,
  })
}

/** The snapshots of the workspace that can be read. */
async function listAll(store: StoreContext): Promise<Listed[]> {
  const pinned = await pinnedRefs(store)
  const isNeeded = await pendingNeeds(store)
  const { live } = await lookAtLeases(store.platform.fileSystem, store.layout.leases, aliveness(store))
  const bases = new Set(Array.from(live.values(), (base) => base?.oid))
  const all: Listed[] = []
  for await (const snapshot of store.log.newestFirst(store.workspace)) {
    const { ref, id, record } = snapshot
    all.push({
      ref,
      snapshot,
      createdMs: record.createdMs,
      kind: record.kind,
      pinned: pinned.has(ref),
      held: bases.has(id) || isNeeded(snapshot),
    })
  }
  return all
}

async function chooseAdopted(
  store: StoreContext,
  { keepWithinMs = Number.POSITIVE_INFINITY }: RetentionPolicy,
  nowMs: number,
): Promise<{ readonly going: ReadonlyMap<RefName, Oid>; readonly staying: ReadonlySet<Oid> }> {
  const going = new Map<RefName, Oid>()
  const staying = new Set<Oid>()
  for (const ref of await store.refs.names(ADOPTED)) {
    const tree = adoptedTree(ref)
    if (tree === undefined) continue
    if (nowMs - (refTimeMs(ref) ?? nowMs) > keepWithinMs) going.set(ref, tree)
    else staying.add(tree)
  }
  return { going, staying }
}
