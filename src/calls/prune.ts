import { SnapshotError } from "../core/errors.js"
import type { RefName } from "../core/ref-name.js"
import { checkPolicy, newestFirst } from "../core/retention.js"
import type { KeptSnapshot, PruneOptions, PruneReport, RemovedSnapshot, RetentionPolicy } from "../snapshot-store.js"
import { letGo } from "../store/adopt.js"
import { askToCompact } from "../store/maintenance-note.js"
import { readOwnFiles } from "../store/own-files.js"
import { ownBytes } from "../store/stored-bytes.js"
import { choose, freedBytes, type Choice, type ChoiceTerms } from "./choose.js"
import type { StoreContext } from "./context.js"
import { letRefsGo } from "./let-go.js"
import { maintainLocked } from "./maintain.js"
import { viewOf } from "./snapshot-view.js"
import { adoptIfForeign, MAINTENANCE, underLock } from "./under-lock.js"

/** What is known of a prune that nobody asked for. */
export interface PruneTerms extends ChoiceTerms {
  /** Maintenance has just run. */
  readonly isFolded?: boolean
}

/**
 * Deletes the refs of the snapshots that the policy does not keep. A snapshot that cannot be read stays, and is in no
 * list. One whose ref another tool holds is with those that are kept.
 */
export async function prune(
  store: StoreContext,
  policy: RetentionPolicy,
  options: PruneOptions = {},
  terms: PruneTerms = {},
): Promise<PruneReport> {
  checkPolicy(policy)
  const { dryRun = false } = options
  if (typeof dryRun !== "boolean")
    throw new SnapshotError("INVALID_ARGUMENT", "dryRun is true or false.", { argument: "dryRun" })
  const nowMs = store.platform.clock.nowMs()
  if (dryRun) return reportOf(await choose(store, policy, nowMs, terms))
  return underLock(store, MAINTENANCE, async () => {
    await adoptIfForeign(store)
    if (policy.maxBytes !== undefined && terms.isFolded !== true) await makeRoom(store, policy.maxBytes)
    const choice = await choose(store, policy, nowMs, terms)
    return reportOf(await carriedOut(store, choice, await removeChosen(store, choice, nowMs), terms))
  })
}

/** What folds, or nothing reaches, may be all that a cap asks for. Where maintenance fails, more snapshots go. */
async function makeRoom(store: StoreContext, maxBytes: number): Promise<void> {
  const { platform, layout } = store
  if (ownBytes(await readOwnFiles(platform.fileSystem, layout)) <= maxBytes) return
  await askToCompact(platform.fileSystem, layout)
  try {
    await maintainLocked(store, {})
  } catch (error) {
    if (!(error instanceof SnapshotError) || error.code === "CLOSED") throw error
  }
}

/** Removes the refs; gives those that are gone. */
async function removeChosen(store: StoreContext, choice: Choice, nowMs: number): Promise<ReadonlySet<RefName>> {
  const { removed, adopted } = choice
  // Noted first: otherwise the next adoption would find those trees without a ref, and give them one.
  if (adopted.size > 0) await letGo(store.platform.fileSystem, store.layout, adopted.values(), nowMs)
  if (removed.some(({ reason }) => reason === "max-bytes")) await askToCompact(store.platform.fileSystem, store.layout)
  return letRefsGo(store, [...removed.map(({ item }) => item.ref), ...adopted.keys()])
}

/** What became of a choice: refs that another tool holds stay. */
async function carriedOut(
  store: StoreContext,
  choice: Choice,
  gone: ReadonlySet<RefName>,
  { isSized = true }: ChoiceTerms,
): Promise<Choice> {
  const { removed, adopted } = choice
  const locked = removed.filter(({ item }) => !gone.has(item.ref))
  const held = [...adopted].filter(([ref]) => !gone.has(ref))
  if (locked.length === 0 && held.length === 0) return choice
  const stays = locked.map(({ item }): Choice["kept"][number] => ({ item, reasons: ["locked"] }))
  const left = {
    ...choice,
    kept: [...choice.kept, ...stays].toSorted((a, b) => newestFirst(a.item, b.item)),
    removed: removed.filter(({ item }) => gone.has(item.ref)),
    adopted: new Map([...adopted].filter(([ref]) => gone.has(ref))),
    adoptedKept: new Set([...choice.adoptedKept, ...held.map(([, tree]) => tree)]),
  }
  return isSized ? { ...left, bytesFreed: await freedBytes(store, left.kept, left.removed, left.adopted) } : left
}

function reportOf({ kept, removed, adopted, adoptedKept, bytesFreed, bytesOver }: Choice): PruneReport {
  return {
    removed: removed.map(({ item, reason }): RemovedSnapshot => ({ ...viewOf(item.snapshot, item.pinned), reason })),
    kept: kept.map(({ item, reasons }): KeptSnapshot => ({ ...viewOf(item.snapshot, item.pinned), reasons })),
    adopted: [...new Set(adopted.values())].filter((tree) => !adoptedKept.has(tree)),
    bytesFreed,
    ...(bytesOver > 0 ? { bytesOver } : {}),
  }
}
