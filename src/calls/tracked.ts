import type { Oid } from "../core/oid.js"
import type { RepoPath } from "../core/path.js"
import { baselineRef, snapshotFolder, type RefName } from "../core/ref-name.js"
import { readTreePaths } from "../core/tree-paths.js"
import { knownBase, readBase, type Base } from "../store/base.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import { trackedPaths } from "../tree/tracked-paths.js"
import type { StoreContext } from "./context.js"

/** The newest snapshots of a workspace. */
export interface Newest {
  readonly ofAny: StoredSnapshot | undefined
  /** Of the store's own scope: what a capture builds on. */
  readonly inScope: StoredSnapshot | undefined
}

/** Finds the newest snapshots. After some of other scopes, the baseline ref says which one is of this scope. */
export async function findNewest(store: StoreContext): Promise<Newest> {
  let ofAny: StoredSnapshot | undefined
  let looked = 0
  for await (const snapshot of store.log.newestFirst(store.workspace)) {
    ofAny ??= snapshot
    if (snapshot.record.scope === store.scope) return { ofAny, inScope: snapshot }
    if (++looked === SCOPE_SEARCH) break
  }
  const id = await store.refs.read(baselineRef(store.workspace, store.scope)).catch(() => undefined)
  return { ofAny, inScope: id === undefined ? undefined : await store.log.withId(id).catch(() => undefined) }
}

/** How many snapshots back one of the same scope is looked for. */
const SCOPE_SEARCH = 32

/** A snapshot as what a capture builds on: read, unless this process has seen it whole and knows what is in it. */
export async function baseAt(store: StoreContext, snapshot: StoredSnapshot): Promise<Base> {
  const contents = await store.treeCapture.contents(snapshot.commit.tree)
  if (contents !== undefined && (await store.whole.isStill(snapshot.id)))
    return knownBase(store.objects, store.log, snapshot, contents)
  // A pack that was deleted while it was open would still count.
  await store.objects.rescan()
  const base = await readBase(store.objects, store.log, snapshot)
  if (base.isWhole) await store.whole.note(snapshot.id)
  return base
}

/**
 * What is exempt from the new-file limit: the files of the base, those that the base should hold and could not read,
 * those that a restore wrote right after it, as long as the tree that it wrote is stored, those of snapshots that were
 * published since, and `also`. Without a base, what the gitdir's own index tracks takes its place: there is one where
 * another tool made the gitdir.
 */
export async function trackedBy(
  store: StoreContext,
  base: Base | undefined,
  also: ((path: RepoPath) => Promise<boolean>) | undefined,
): Promise<(path: RepoPath) => Promise<boolean>> {
  const { platform, layout } = store
  const own = { gitdir: layout.gitdir, prefix: "" }
  const indexed = base === undefined ? await trackedPaths(platform.fileSystem, platform.hasher, own, false) : undefined
  const skippedThen = new Set(
    base?.manifest?.skipped.filter(({ reason }) => TRACKED_THOUGH.has(reason)).map(({ path }) => path),
  )
  const { target } = base?.snapshot.record ?? {}
  let restored: Promise<ReadonlyMap<RepoPath, unknown>> | undefined
  const newer = new Map<RefName, Promise<ReadonlyMap<RepoPath, unknown>>>()

  async function filesOf(ref: RefName): Promise<ReadonlyMap<RepoPath, unknown>> {
    const snapshot = await store.log.at(ref).catch(() => undefined)
    if (snapshot === undefined || snapshot.record.scope !== store.scope) return new Map()
    return filesIn(snapshot.commit.tree)
  }

  async function filesIn(tree: Oid): Promise<ReadonlyMap<RepoPath, unknown>> {
    return (await readTreePaths(store.objects, tree, () => {})).files
  }

  return async (path) => {
    if (base?.files.has(path) === true || skippedThen.has(path)) return true
    if (indexed?.has(path) === true || (await also?.(path)) === true) return true
    if (target !== undefined && (await (restored ??= filesIn(target))).has(path)) return true
    for (const ref of (await store.refs.names(snapshotFolder(store.workspace), "pass-over")).reverse()) {
      if (base !== undefined && ref <= base.snapshot.ref) return false
      const files = newer.get(ref) ?? filesOf(ref)
      newer.set(ref, files)
      if ((await files).has(path)) return true
    }
    return false
  }
}

const TRACKED_THOUGH: ReadonlySet<string> = new Set(["unreadable", "changed-while-reading"])
