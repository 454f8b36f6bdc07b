import { isSnapshotError, SnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { ADOPTED, adoptedTree, baselineRef, refTimeMs, type RefName } from "../core/ref-name.js"
import { checkPolicy, retain, type RetentionItem } from "../core/retention.js"
import type { PruneOptions, PruneReport, RetentionPolicy } from "../snapshot-store.js"
import { letGo } from "../store/adopt.js"
import { removeRefs } from "../store/remove-refs.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import type { StoreContext } from "./context.js"
import { forgetRecords, pendingSafety } from "./restore-history.js"
import { adoptIfForeign, underLock } from "./under-lock.js"
import { viewOf } from "./snapshot-view.js"

/**
 * Deletes the refs of the snapshots that the policy does not keep. A snapshot that cannot be read stays, and is in no
 * list. So does one whose ref another tool holds, and the safety snapshot of a restore that is still to be finished: they
 * are with those that are kept.
 */
export async function prune(
  store: StoreContext,
  policy: RetentionPolicy,
  options: PruneOptions = {},
): Promise<PruneReport> {
  checkPolicy(policy)
  const { dryRun = false } = options
  if (typeof dryRun !== "boolean")
    throw new SnapshotError("INVALID_ARGUMENT", "dryRun is true or false.", { argument: "dryRun" })
  const nowMs = store.platform.clock.nowMs()
  if (dryRun) {
    const choice = await choose(store, policy, nowMs)
    return reportOf(choice, new Set([...choice.removed.map(({ ref }) => ref), ...choice.adopted]))
  }
  return underLock(store, "maintenance", async () => {
    await adoptIfForeign(store)
    const choice = await choose(store, policy, nowMs)
    return reportOf(choice, await removeChosen(store, choice, nowMs))
  })
}

/** What a policy makes of the store. */
interface Choice {
  /** Newest first. */
  readonly all: readonly Listed[]
  readonly removed: readonly Listed[]
  /** The refs of adopted trees that go. */
  readonly adopted: readonly RefName[]
  /** The refs of adopted trees that stay. */
  readonly adoptedKept: readonly RefName[]
}

interface Listed extends RetentionItem {
  readonly ref: RefName
  readonly snapshot: StoredSnapshot
}

async function choose(store: StoreContext, policy: RetentionPolicy, nowMs: number): Promise<Choice> {
  const all: Listed[] = []
  for await (const snapshot of store.log.newestFirst(store.workspace))
    all.push({ ref: snapshot.ref, createdMs: snapshot.record.createdMs, kind: snapshot.record.kind, snapshot })
  const { keepWithinMs = Number.POSITIVE_INFINITY } = policy
  const isOld = (ref: RefName): boolean => nowMs - (refTimeMs(ref) ?? nowMs) > keepWithinMs
  const trees = await store.refs.names(ADOPTED)
  const pending = await pendingSafety(store)
  return {
    all,
    removed: retain(all, nowMs, policy).removed.filter(({ snapshot }) => snapshot.id !== pending),
    adopted: trees.filter(isOld),
    adoptedKept: trees.filter((ref) => !isOld(ref)),
  }
}

/** Removes the refs; gives those that are gone. */
async function removeChosen(store: StoreContext, choice: Choice, nowMs: number): Promise<ReadonlySet<RefName>> {
  const { fileSystem } = store.platform
  const { layout } = store
  // Noted first: otherwise the next adoption would find those trees without a ref, and give them one.
  if (choice.adopted.length > 0) await letGo(fileSystem, layout, treesOf(choice.adopted), nowMs)
  const names = [...choice.removed.map(({ ref }) => ref), ...choice.adopted]
  const gone = await removeRefs({ fileSystem, layout, nowMs }, names)
  const kept = choice.all.filter(({ ref }) => !gone.has(ref))
  await moveBaselines(store, kept)
  await forgetRecords(store, gone)
  return gone
}

/**
 * A baseline is a hint, but also a ref: one on a snapshot that was let go would keep its content for ever. It moves to
 * the newest snapshot of its scope that is left, or goes with the last one. So does one that is damaged.
 */
async function moveBaselines(store: StoreContext, kept: readonly Listed[]): Promise<void> {
  const { fileSystem, clock } = store.platform
  const own = baselineRef(store.workspace, undefined)
  const ofScopes = (await store.refs.names("refs/baseline/")).filter((ref) => ref.startsWith(`${own}.`))
  for (const ref of [own, ...ofScopes]) {
    const id = await store.refs.read(ref).catch(unlessInvalid)
    if (id === undefined || (id !== "damaged" && (await isListed(store, id)))) continue
    const left = kept.find(({ snapshot }) => baselineRef(store.workspace, snapshot.record.scope) === ref)
    if (left !== undefined) await store.refs.write(ref, left.snapshot.id, store.durable)
    else await removeRefs({ fileSystem, layout: store.layout, nowMs: clock.nowMs() }, [ref])
  }
}

/** Whether a ref of a snapshot names this id, as far as it can be read. */
async function isListed(store: StoreContext, id: Oid): Promise<boolean> {
  try {
    return (await store.log.withId(id)) !== undefined
  } catch (error) {
    // A damaged snapshot may still have its ref, and a damaged ref its snapshot.
    if (isSnapshotError(error, "OBJECT_CORRUPT") || isSnapshotError(error, "REF_INVALID")) return true
    throw error
  }
}

function unlessInvalid(error: unknown): "damaged" {
  if (isSnapshotError(error, "REF_INVALID")) return "damaged"
  throw error
}

function reportOf({ all, adopted, adoptedKept }: Choice, gone: ReadonlySet<RefName>): PruneReport {
  const held = new Set(treesOf([...adoptedKept, ...adopted.filter((ref) => !gone.has(ref))]))
  const released = new Set(treesOf(adopted.filter((ref) => gone.has(ref))))
  return {
    removed: all.filter(({ ref }) => gone.has(ref)).map(({ snapshot }) => ({ ...viewOf(snapshot), reason: "no-rule" })),
    kept: all.filter(({ ref }) => !gone.has(ref)).map(({ snapshot }) => ({ ...viewOf(snapshot), reasons: [] })),
    bytesFreed: 0,
    adopted: [...released].filter((tree) => !held.has(tree)),
  }
}

function treesOf(adopted: readonly RefName[]): Oid[] {
  return adopted.map(adoptedTree).filter((tree) => tree !== undefined)
}
