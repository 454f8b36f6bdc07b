import type { FileVersion } from "../core/change.js"
import type { Manifest } from "../core/manifest.js"
import { hashObject, readAs } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import type { RepoPath } from "../core/path.js"
import type { PlannedChange } from "../core/restore.js"
import type { Mode } from "../core/tree.js"
import type { CapturedTree } from "../core/tree-capture.js"
import { storedTrees } from "../tree/compare-trees.js"
import { mergeLines } from "../tree/merge-lines.js"
import { permissionsAt } from "../tree/permissions.js"
import { entryFinder } from "../tree/tree-entry.js"
import { readWorktree } from "../tree/worktree-reader.js"
import type { StoreContext } from "./context.js"
import { withFolders } from "./carry-out.js"
import type { Goal } from "./goal.js"
import { readCaptured } from "./side.js"

/** What could be merged: writes, and the contents that they need. */
export interface Merging {
  readonly writes: readonly PlannedChange[]
  readonly contents: ReadonlyMap<Oid, Uint8Array>
  /** Paths that are already what a merge would make of them. */
  readonly done: readonly string[]
}

/**
 * Takes a step back in files that were edited since, by three ways: what the step made of a file is the base, the file as
 * it is now is ours, the file before the step is theirs. Only text files that are plain files on all three sides are
 * merged, and only where nobody changed the same lines.
 */
export async function mergeConflicts(
  store: StoreContext,
  { tree, then, from }: Goal,
  now: CapturedTree,
  conflicts: readonly PlannedChange[],
): Promise<Merging> {
  const writes: PlannedChange[] = []
  const contents = new Map<Oid, Uint8Array>()
  const done: string[] = []
  if (from === undefined || conflicts.length === 0) return { writes, contents, done }
  const [entryThen, entryFrom] = [tree, from.tree].map((oid) => entryFinder(storedTrees(store.objects), oid))
  const entryNow = entryFinder(readCaptured(store, now), now.tree)
  const { traits } = store.platform.fileSystem
  const bitsAt = (manifest: Manifest | undefined, path: string, mode: Mode): number | undefined =>
    traits.executableBit && manifest !== undefined ? permissionsAt(manifest.permissions, path, mode) : undefined
  await withFolders(store, async (folders) => {
    for (const { path } of conflicts) {
      const [theirs, base, ours] = [await entryThen?.(path), await entryFrom?.(path), await entryNow(path)]
      if (!isFile(theirs) || !isFile(base) || !isFile(ours)) continue
      const found = await readWorktree(store.platform, folders, path as RepoPath, ours.mode)
      if (found?.version.oid !== ours.oid || !(found.bytes instanceof Uint8Array)) continue
      // Where the step changed the executable bit alone, the content stays.
      const merged = theirs.oid === base.oid ? found.bytes : await mergedOf(store, base.oid, found.bytes, theirs.oid)
      if (merged === undefined) continue
      const oid = await hashObject(store.platform.hasher, "blob", merged)
      // The bits are taken back where only the step changed them.
      const mode = ours.mode === base.mode ? theirs.mode : ours.mode
      const bits = bitsAt(now.manifest, path, ours.mode)
      const areOurs = mode === ours.mode && bits !== bitsAt(from.manifest, path, base.mode)
      const wanted = areOurs ? bits : (bitsAt(then, path, mode) ?? bits)
      if (oid === ours.oid && mode === ours.mode && wanted === bits) {
        done.push(path)
        continue
      }
      contents.set(oid, merged)
      writes.push({
        path,
        before: version(ours, bits),
        after: version({ mode, oid }, wanted),
        merged: true,
      })
    }
  })
  return { writes, contents, done }
}

async function mergedOf(
  { objects }: StoreContext,
  base: Oid,
  ours: Uint8Array,
  theirs: Oid,
): Promise<Uint8Array | undefined> {
  const [before, after] = [await readAs(objects, base, "blob"), await readAs(objects, theirs, "blob")]
  return mergeLines(before, ours, after)
}

function version({ mode, oid }: Pick<FileVersion, "mode" | "oid">, permissions: number | undefined): FileVersion {
  return { mode, oid, ...(permissions === undefined ? {} : { permissions }) }
}

function isFile<Entry extends { readonly mode: string }>(entry: Entry | undefined): entry is Entry {
  return entry?.mode === "100644" || entry?.mode === "100755"
}
