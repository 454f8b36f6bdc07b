import { SnapshotError } from "../core/errors.js"
import { readAs } from "../core/object.js"
import { escapePath, parsePath, ROOT } from "../core/path.js"
import { readTree } from "../core/tree.js"
import type { Rev } from "../snapshot-store.js"
import { entryAt } from "../tree/tree-entry.js"
import type { StoreContext } from "./context.js"
import { resolve } from "./resolve.js"

/** The content of a file in a revision, the text of a link; undefined when it is not there. A folder: IS_FOLDER. */
export async function readFile(store: StoreContext, rev: Rev, path: string): Promise<Uint8Array | undefined> {
  const wanted = parsePath(path, "path")
  const { tree } = await resolve(store, rev)
  const isFolder = (): SnapshotError =>
    new SnapshotError("IS_FOLDER", `${escapePath(path)} is a folder in "${rev}". Name a file in it.`, { path })
  if (wanted === ROOT) throw isFolder()
  const entry = await entryAt((oid) => readTree(store.objects, oid), tree, wanted)
  if (entry === undefined) return undefined
  if (entry.mode === "40000" || entry.mode === "160000") throw isFolder()
  return readAs(store.objects, entry.oid, "blob")
}
