import { SnapshotError } from "../core/errors.js"
import { readAs } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { escapePath, parsePath, ROOT } from "../core/path.js"
import { readTree } from "../core/tree.js"
import type { Rev } from "../snapshot-store.js"
import type { StoreContext } from "./context.js"
import { resolve } from "./resolve.js"

/** The content of a file in a revision, the text of a link; undefined when it is not there. A folder: IS_FOLDER. */
export async function readFile(store: StoreContext, rev: Rev, path: string): Promise<Uint8Array | undefined> {
  const wanted = parsePath(path, "path")
  const { tree } = await resolve(store, rev)
  const isFolder = (): SnapshotError =>
    new SnapshotError("IS_FOLDER", `${escapePath(path)} is a folder in "${rev}". Name a file in it.`, { path })
  if (wanted === ROOT) throw isFolder()
  let folder: Oid = tree
  const names = wanted.split("/")
  for (const [depth, name] of names.entries()) {
    const entry = (await readTree(store.objects, folder)).find((one) => one.name === name)
    const isLast = depth === names.length - 1
    if (entry === undefined) return undefined
    if (isLast && (entry.mode === "40000" || entry.mode === "160000")) throw isFolder()
    if (isLast) return readAs(store.objects, entry.oid, "blob")
    if (entry.mode !== "40000") return undefined
    folder = entry.oid
  }
  return undefined
}
