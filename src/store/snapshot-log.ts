import { decodeCommit, type Commit } from "../core/commit.js"
import { isDamage, SnapshotError } from "../core/errors.js"
import { decodeManifest, PLAIN_MANIFEST, type Manifest } from "../core/manifest.js"
import { readAs, type ObjectReader } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { snapshotFolder, type RefName, type Workspace } from "../core/ref-name.js"
import { decodeRecord, refOf, type SnapshotRecord } from "../core/snapshot-commit.js"
import { readTree } from "../core/tree.js"
import type { Refs } from "./refs.js"
import { isUnreadable } from "./unreadable.js"

/** A snapshot as it is stored. */
export interface StoredSnapshot {
  readonly id: Oid
  readonly ref: RefName
  readonly commit: Commit
  readonly record: SnapshotRecord
}

/** The snapshots of a store. */
export interface SnapshotLog {
  /**
   * The snapshots of a workspace, newest first, read as they are asked for. Those that are damaged or that the system
   * does not read are passed over, or throw where each of them counts: REF_INVALID, OBJECT_MISSING, OBJECT_CORRUPT,
   * IO_FAILED.
   */
  newestFirst(workspace: Workspace, damaged?: "pass-over" | "throw"): AsyncIterable<StoredSnapshot>
  /** The snapshot with this id in any workspace; undefined when no ref names it. */
  withId(id: Oid): Promise<StoredSnapshot | undefined>
  /** The snapshot that a ref names; undefined when the ref is not there or names something else. */
  at(ref: RefName): Promise<StoredSnapshot | undefined>
  /** What a snapshot left out. A manifest that cannot be read: OBJECT_MISSING, OBJECT_CORRUPT. */
  manifestOf(snapshot: StoredSnapshot): Promise<Manifest>
}

/** The name of the one file in a manifest's tree. */
export const MANIFEST_FILE = "manifest.json"

export function snapshotLog(refs: Refs, reader: ObjectReader): SnapshotLog {
  async function read(id: Oid): Promise<{ commit: Commit; record: SnapshotRecord } | undefined> {
    const object = await reader.read(id)
    if (object?.type !== "commit") return undefined
    const commit = decodeCommit(object.bytes, id)
    const record = decodeRecord(commit.message)
    return record === undefined ? undefined : { commit, record }
  }

  async function at(ref: RefName): Promise<StoredSnapshot | undefined> {
    const id = await refs.read(ref)
    const found = id === undefined ? undefined : await read(id)
    // A ref by another name than its commit's own is none of a snapshot.
    return id === undefined || found === undefined || refOf(found.record) !== ref ? undefined : { id, ref, ...found }
  }

  /** As `at`, but a commit that is not there is damage, unless its ref has gone meanwhile, too. */
  async function whole(ref: RefName): Promise<StoredSnapshot | undefined> {
    const id = await refs.read(ref)
    try {
      if (id !== undefined) await readAs(reader, id, "commit")
    } catch (error) {
      if ((await refs.read(ref)) === undefined) return undefined
      throw error
    }
    return at(ref)
  }

  function load(ref: RefName, damaged: "pass-over" | "throw"): Promise<StoredSnapshot | undefined> {
    return damaged === "throw" ? whole(ref) : unlessDamaged(at(ref))
  }

  async function isGone(ref: RefName): Promise<boolean> {
    return (await unlessDamaged(refs.read(ref).then((id) => id ?? "gone"))) === "gone"
  }

  return {
    at,
    async *newestFirst(workspace, damaged = "pass-over") {
      for (let again = 0; again < AGAIN; again++) {
        const [newest, ...older] = (
          await refs.names(snapshotFolder(workspace), damaged === "throw" ? undefined : damaged)
        ).reverse()
        if (newest === undefined) return
        const first = await load(newest, damaged)
        // Retention lets the newest go only once there is a newer one, which is not among these names then.
        if (first === undefined && again + 1 < AGAIN && (await isGone(newest))) continue
        if (first !== undefined) yield first
        for (const ref of older) {
          const snapshot = await load(ref, damaged)
          if (snapshot !== undefined) yield snapshot
        }
        return
      }
    },
    async withId(id) {
      const found = await read(id)
      if (found === undefined) return undefined
      const ref = refOf(found.record)
      return (await refs.read(ref)) === id ? { id, ref, ...found } : undefined
    },
    async manifestOf({ commit }) {
      const parent = commit.parents[0]
      if (parent === undefined) return PLAIN_MANIFEST
      const { tree } = decodeCommit(await readAs(reader, parent, "commit"), parent)
      const file = (await readTree(reader, tree)).find((entry) => entry.name === MANIFEST_FILE)
      if (file === undefined)
        throw new SnapshotError("OBJECT_CORRUPT", `The manifest ${parent} holds no ${MANIFEST_FILE}.`, { oid: parent })
      return decodeManifest(await readAs(reader, file.oid, "blob"), file.oid)
    },
  }
}

/** So often the names are listed, while the newest of them goes each time. */
const AGAIN = 4

/** One damaged snapshot hides none of the others. */
async function unlessDamaged<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isUnreadable(error) || isDamage(error)) return undefined
    throw error
  }
}
