import type { Commit } from "../core/commit.js"
import { encodeCommit } from "../core/commit.js"
import type { Deflater } from "../core/deflater.js"
import type { GitLibrary } from "../core/git-library.js"
import type { Hasher } from "../core/hasher.js"
import { encodeManifest, isPlain, type Manifest } from "../core/manifest.js"
import { hashObject, type GitObject } from "../core/object.js"
import { settleAll } from "../core/settle-all.js"
import type { Oid } from "../core/oid.js"
import { manifestCommit } from "../core/snapshot-commit.js"
import { encodeTree, type TreeEntry } from "../core/tree.js"
import type { NewTree, ObjectSink, PackTaker } from "../core/tree-capture.js"
import { buildCommit, buildTree, libraryCarries, type TakeObject } from "./library-writer.js"
import type { PackWriter } from "./pack-writer.js"
import { MANIFEST_FILE } from "./snapshot-log.js"

/** What a capture stores its objects with. */
export interface SinkPorts {
  readonly hasher: Hasher
  readonly deflater: Deflater
  readonly loadGit: () => Promise<GitLibrary>
}

/** Where a capture's objects go: those that the base does not reach, into the capture's pack. */
export interface PackSink extends ObjectSink {
  readonly packs: PackTaker
  /** Stores a commit: by isomorphic-git, unless the capture had too many trees for it. */
  addCommit(commit: Commit): Promise<Oid>
  /** Stores a manifest as a commit of its own. */
  addManifest(manifest: Manifest): Promise<Oid>
}

/**
 * isomorphic-git takes 0.8 ms for a tree, the encoder in core 0.05 ms: above this many trees, as in a first capture, the
 * encoder does it. Both give the same bytes.
 */
const LIBRARY_TREES = 100

export function packSink(
  ports: SinkPorts,
  writer: PackWriter,
  reaches: Pick<ReadonlySet<Oid>, "has">,
  isSeeded = false,
): PackSink {
  const { hasher, deflater } = ports
  // A capture that took all else from somewhere takes less time than loading the library.
  let bulk = isSeeded
  const has = (oid: Oid): boolean => reaches.has(oid) || writer.has(oid)
  const take: TakeObject = (type, bytes, oid) => writer.add(type, bytes, oid)

  async function addTree(tree: NewTree): Promise<void> {
    if (has(tree.oid)) return
    if (bulk || !libraryCarries(tree.entries)) return writer.add("tree", tree.bytes, tree.oid)
    await buildTree(await ports.loadGit(), deflater, tree.entries, tree.oid, take)
  }

  async function addCommit(commit: Commit): Promise<Oid> {
    const bytes = encodeCommit(commit)
    const oid = await hashObject(hasher, "commit", bytes)
    if (has(oid)) return oid
    if (bulk) await writer.add("commit", bytes, oid)
    else await buildCommit(await ports.loadGit(), deflater, commit, oid, take)
    return oid
  }

  return {
    has,
    add: take,
    takes: "entries",
    addPacked: (object) => writer.addPacked(object),
    addStream: (sizeBytes, chunks) => writer.addStream(sizeBytes, chunks),
    async addTrees(trees) {
      bulk ||= trees.length > LIBRARY_TREES
      // isomorphic-git compresses on the thread pool, where trees can go side by side.
      if (!bulk) await settleAll(trees.map(addTree))
      else for (const tree of trees) await addTree(tree)
    },
    packs: { temporary: writer.temporary, addPack: (path, oids) => writer.addPack(path, oids) },
    addCommit,
    async addManifest(manifest) {
      const { text, blob, tree } = await manifestObjects(hasher, manifest)
      if (!has(blob)) await writer.add("blob", text, blob)
      await addTree(tree)
      return addCommit(manifestCommit(tree.oid))
    },
  }
}

/** What a manifest is kept as: its text, its tree and its commit, by oid. */
export async function manifestContents(hasher: Hasher, manifest: Manifest): Promise<ReadonlyMap<Oid, GitObject>> {
  const { text, blob, tree } = await manifestObjects(hasher, manifest)
  const commit = encodeCommit(manifestCommit(tree.oid))
  return new Map<Oid, GitObject>([
    [blob, { type: "blob", bytes: text }],
    [tree.oid, { type: "tree", bytes: tree.bytes }],
    [await hashObject(hasher, "commit", commit), { type: "commit", bytes: commit }],
  ])
}

/** The commit that a manifest is kept as; undefined for one that says nothing. */
export async function manifestOid(hasher: Hasher, manifest: Manifest): Promise<Oid | undefined> {
  if (isPlain(manifest)) return undefined
  const { tree } = await manifestObjects(hasher, manifest)
  return hashObject(hasher, "commit", encodeCommit(manifestCommit(tree.oid)))
}

async function manifestObjects(
  hasher: Hasher,
  manifest: Manifest,
): Promise<{ readonly text: Uint8Array; readonly blob: Oid; readonly tree: NewTree }> {
  const text = encodeManifest(manifest)
  const blob = await hashObject(hasher, "blob", text)
  const entries: TreeEntry[] = [{ mode: "100644", name: MANIFEST_FILE, oid: blob }]
  const bytes = encodeTree(entries)
  return { text, blob, tree: { oid: await hashObject(hasher, "tree", bytes), entries, bytes } }
}

/** A sink that stores nothing and takes everything as stored: for a look at the work tree. */
export function nullSink(): ObjectSink {
  const refuse = async (): Promise<never> => {
    throw new Error("a sink that has everything is given nothing")
  }
  return {
    has: () => true,
    takes: "nothing",
    add: async () => {},
    addPacked: refuse,
    addStream: refuse,
    addTrees: async () => {},
  }
}
