/*
 * Where content that a store has lost may still be: in the repository that the work tree belongs to, and in the work tree
 * as it is now.
 */
import { SnapshotError } from "../core/errors.js"
import type { GitObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { joinPath, ROOT, type RepoPath } from "../core/path.js"
import { encodeTree, type Mode } from "../core/tree.js"
import type { CapturedTree } from "../core/tree-capture.js"
import { objectDatabase } from "../store/object-database.js"
import { manifestContents, nullSink } from "../store/object-sink.js"
import type { ContentSource } from "../store/recover-objects.js"
import { inOnePiece } from "../store/stored-object.js"
import { worktreeFolders } from "../tree/folders.js"
import { findOwnRepository } from "../tree/own-repository.js"
import { readWorktree } from "../tree/worktree-reader.js"
import type { StoreContext } from "./context.js"

/** The places to look in, the cheapest first. To be closed. */
export async function lostContentSources(store: StoreContext, signal?: AbortSignal): Promise<readonly ContentSource[]> {
  const { fileSystem, hasher, deflater } = store.platform
  const own = await findOwnRepository(fileSystem, store.worktree)
  if (own === undefined) return [worktreeSource(store, signal)]
  const objects = objectDatabase({ fileSystem, hasher, deflater, objectsFolder: `${own.commonDir}/objects` })
  return [{ find: (oid) => objects.stream(oid), close: () => objects.close() }, worktreeSource(store, signal)]
}

/** The work tree is read when something is looked for, and not before. */
function worktreeSource(store: StoreContext, signal: AbortSignal | undefined): ContentSource {
  const folders = worktreeFolders(store.platform.fileSystem, store.worktree)
  let looking: Promise<Worktree | undefined> | undefined
  return {
    async find(oid) {
      const seen = await (looking ??= look(store, signal))
      if (seen === undefined) return undefined
      const entries = seen.captured.trees.get(oid)
      if (entries !== undefined) return inOnePiece({ type: "tree", bytes: encodeTree(entries) })
      const ofManifest = seen.manifest.get(oid)
      if (ofManifest !== undefined) return inOnePiece(ofManifest)
      for (const { path, mode } of seen.places.get(oid) ?? []) {
        const found = await readWorktree(store.platform, folders, path, mode)
        if (found?.version.oid === oid) return inOnePiece({ type: "blob", bytes: found.bytes })
      }
      return undefined
    },
    close: () => folders.close(),
  }
}

/** The work tree as it is now. */
interface Worktree {
  readonly captured: CapturedTree
  /** Where each content is. */
  readonly places: ReadonlyMap<Oid, readonly Place[]>
  /** The objects of the manifest that a snapshot of it would have. */
  readonly manifest: ReadonlyMap<Oid, GitObject>
}

interface Place {
  readonly path: RepoPath
  readonly mode: Mode
}

/** Undefined when it cannot be read. Large files count, too. */
async function look(store: StoreContext, signal: AbortSignal | undefined): Promise<Worktree | undefined> {
  try {
    const request = { isTracked: async () => true, base: undefined, ...(signal === undefined ? {} : { signal }) }
    const captured = await store.treeCapture.capture(request, nullSink())
    const manifest = await manifestContents(store.platform.hasher, captured.manifest)
    return { captured, places: placesIn(captured), manifest }
  } catch (error) {
    if (error instanceof SnapshotError) return undefined
    throw error
  }
}

function placesIn({ tree, trees }: CapturedTree): ReadonlyMap<Oid, readonly Place[]> {
  const places = new Map<Oid, Place[]>()
  const open: [RepoPath, Oid][] = [[ROOT, tree]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [folder, oid] = next
    for (const entry of trees.get(oid) ?? []) {
      const path = joinPath(folder, entry.name)
      if (entry.mode === "40000") open.push([path, entry.oid])
      else if (entry.mode !== "160000") {
        const known = places.get(entry.oid)
        if (known === undefined) places.set(entry.oid, [{ path, mode: entry.mode }])
        else known.push({ path, mode: entry.mode })
      }
    }
  }
  return places
}
