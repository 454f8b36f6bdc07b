import { decodeCommit } from "../core/commit.js"
import type { Manifest } from "../core/manifest.js"
import { readAs } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import type { RepoPath } from "../core/path.js"
import type { BaseTree, TreeContents } from "../core/tree-capture.js"
import { readTreePaths } from "../core/tree-paths.js"
import type { ObjectDatabase } from "./object-database.js"
import { MANIFEST_FILE, type SnapshotLog, type StoredSnapshot } from "./snapshot-log.js"

/** The snapshot that a capture builds on. */
export interface Base extends BaseTree {
  readonly snapshot: StoredSnapshot
  /** The objects that it reaches and that are there: the capture counts on them without storing them again. */
  readonly reaches: Pick<ReadonlySet<Oid>, "has">
  /** Undefined when it cannot be read. */
  readonly manifest: Manifest | undefined
}

/**
 * A base that this process stored whole itself, or read before: nothing of it is read again. `contents` is what its tree
 * holds.
 */
export async function knownBase(
  objects: ObjectDatabase,
  log: SnapshotLog,
  snapshot: StoredSnapshot,
  contents: TreeContents,
): Promise<Base> {
  const own = new Set([snapshot.commit.tree, ...(await manifestObjects(objects, snapshot))])
  return {
    snapshot,
    tree: snapshot.commit.tree,
    reaches: { has: (oid) => own.has(oid) || contents.has(oid) },
    files: contents.files,
    isWhole: true,
    manifest: await log.manifestOf(snapshot),
  }
}

/** Reads a base. What is damaged or missing of it does not count as reached, and so is stored again. */
export async function readBase(objects: ObjectDatabase, log: SnapshotLog, snapshot: StoredSnapshot): Promise<Base> {
  let isWhole = true
  const passOver = (): void => void (isWhole = false)
  const { files, folders } = await readTreePaths(objects, snapshot.commit.tree, passOver)
  const reached = new Set<Oid>(folders.values())
  for (const entry of files.values()) if (entry.mode !== "160000") reached.add(entry.oid)
  let manifest: Manifest | undefined
  try {
    manifest = await log.manifestOf(snapshot)
    for (const oid of await manifestObjects(objects, snapshot)) reached.add(oid)
  } catch {
    isWhole = false
    // The next snapshot gets a manifest of its own; this one's restores see the damage themselves.
  }
  const reaches = await objects.present(reached, "pass-over")
  isWhole &&= reaches.size === reached.size
  return { snapshot, tree: snapshot.commit.tree, reaches, files, isWhole, manifest }
}

async function manifestObjects(objects: ObjectDatabase, { commit }: StoredSnapshot): Promise<Oid[]> {
  const parent = commit.parents[0]
  if (parent === undefined) return []
  const { tree } = decodeCommit(await readAs(objects, parent, "commit"), parent)
  const { files } = await readTreePaths(objects, tree)
  const file = files.get(MANIFEST_FILE as RepoPath)
  return file === undefined ? [parent, tree] : [parent, tree, file.oid]
}
