import { SnapshotError } from "../core/errors.js"
import { toOid, type Oid } from "../core/oid.js"
import { readAs } from "../core/object.js"
import { snapshotFolder, toRefName } from "../core/ref-name.js"
import type { Rev } from "../snapshot-store.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import type { StoreContext } from "./context.js"

/** What a revision names: a snapshot, or only a tree. */
export interface Resolved {
  readonly tree: Oid
  readonly snapshot: StoredSnapshot | undefined
}

/** What `rev` names: NOT_FOUND, AMBIGUOUS, REF_INVALID. */
export async function resolve(store: StoreContext, rev: Rev): Promise<Resolved> {
  if (typeof rev !== "string" || rev === "")
    throw new SnapshotError("INVALID_ARGUMENT", `A revision is a text such as "latest" or a snapshot's id.`, {
      argument: "rev",
    })
  const found =
    (await byAge(store, rev)) ?? (await byRef(store, rev)) ?? (await byId(store, rev)) ?? (await byPrefix(store, rev))
  if (found === undefined) await refuseMissing(store, rev)
  if (found === undefined)
    throw new SnapshotError(
      "NOT_FOUND",
      `No snapshot of this store is called "${rev}". List the snapshots to see what there is.`,
      { rev },
    )
  return found
}

/** As `resolve`, for what has to be a snapshot: NOT_A_SNAPSHOT for a tree. */
export async function resolveSnapshot(store: StoreContext, rev: Rev): Promise<StoredSnapshot> {
  const { snapshot } = await resolve(store, rev)
  if (snapshot === undefined)
    throw new SnapshotError("NOT_A_SNAPSHOT", `"${rev}" names a tree, not a snapshot. Give a snapshot's id here.`, {
      rev,
    })
  return snapshot
}

/** As `resolveSnapshot`, for one of this workspace: WRONG_WORKSPACE for others. */
export async function resolveOwn(store: StoreContext, rev: Rev): Promise<StoredSnapshot> {
  const snapshot = await resolveSnapshot(store, rev)
  refuseOthers(store, rev, snapshot)
  return snapshot
}

/** Refuses one that was let go since it was found: NOT_FOUND. */
export async function refuseGone({ refs }: StoreContext, rev: Rev, { id, ref }: StoredSnapshot): Promise<void> {
  if ((await refs.read(ref)) === id) return
  throw new SnapshotError(
    "NOT_FOUND",
    `The snapshot "${rev}" was let go meanwhile. List the snapshots to see what there is.`,
    { rev },
  )
}

/** Refuses a snapshot of another workspace: WRONG_WORKSPACE. */
export function refuseOthers({ workspace }: StoreContext, rev: Rev, snapshot: StoredSnapshot | undefined): void {
  const found = snapshot?.record.workspace
  if (found === undefined || found === workspace) return
  throw new SnapshotError(
    "WRONG_WORKSPACE",
    `"${rev}" is a snapshot of the workspace ${found}; this one is ${workspace}. Open the work tree that it was taken of.`,
    { expected: workspace, found },
  )
}

/** A ref that names the id is there, and its commit is not: OBJECT_MISSING. */
async function refuseMissing(store: StoreContext, rev: Rev): Promise<void> {
  const id = toOid(rev.toLowerCase())
  if (id === undefined) return
  for (const ref of await store.refs.names(snapshotFolder(store.workspace)))
    if ((await store.refs.read(ref).catch(() => undefined)) === id) await readAs(store.objects, id, "commit")
}

function whole(snapshot: StoredSnapshot): Resolved {
  return { tree: snapshot.commit.tree, snapshot }
}

async function byAge(store: StoreContext, rev: Rev): Promise<Resolved | undefined> {
  const match = /^latest(?:~(\d{1,9}))?$/.exec(rev)
  if (match === null) return undefined
  let left = Number(match[1] ?? 0)
  // Passing over a damaged one would give an older snapshot under the newer one's name.
  for await (const snapshot of store.log.newestFirst(store.workspace, "throw"))
    if (snapshot.record.kind === "capture" && left-- === 0) return whole(snapshot)
  return undefined
}

async function byRef(store: StoreContext, rev: Rev): Promise<Resolved | undefined> {
  const ref = toRefName(rev)
  const id = ref === undefined ? undefined : await store.refs.read(ref)
  return id === undefined ? undefined : byOid(store, id)
}

async function byId(store: StoreContext, rev: Rev): Promise<Resolved | undefined> {
  const id = toOid(rev.toLowerCase())
  return id === undefined ? undefined : byOid(store, id)
}

async function byOid(store: StoreContext, id: Oid): Promise<Resolved | undefined> {
  const object = await store.objects.read(id)
  if (object?.type === "tree") return { tree: id, snapshot: undefined }
  if (object?.type !== "commit") return undefined
  const snapshot = await store.log.withId(id)
  return snapshot === undefined ? undefined : whole(snapshot)
}

async function byPrefix(store: StoreContext, rev: Rev): Promise<Resolved | undefined> {
  const prefix = rev.toLowerCase()
  if (!/^[0-9a-f]{4,39}$/.test(prefix)) return undefined
  const found: StoredSnapshot[] = []
  let failure: { readonly error: unknown } | undefined
  for (const oid of await store.objects.withPrefix(prefix)) {
    try {
      const snapshot = await store.log.withId(oid)
      if (snapshot !== undefined) found.push(snapshot)
    } catch (error) {
      // Any object may begin with these digits: a damaged one hides no snapshot.
      failure ??= { error }
    }
  }
  if (found.length === 0 && failure !== undefined) throw failure.error
  if (found.length > 1) {
    const candidates = found.map(({ id }) => id)
    throw new SnapshotError(
      "AMBIGUOUS",
      `"${rev}" is the beginning of ${found.length} snapshots' ids. Give more digits of it.`,
      { rev, candidates },
    )
  }
  return found[0] === undefined ? undefined : whole(found[0])
}
