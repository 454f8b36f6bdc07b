import { lossyText } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { toOid, type Oid } from "../core/oid.js"
import { toRefName } from "../core/ref-name.js"
import { listFollowing } from "./list-following.js"
import { parsePackedRefs } from "./packed-refs.js"
import { isRefused, isUnreadable } from "./unreadable.js"

/** All refs of a gitdir. */
export interface RefRoots {
  readonly oids: ReadonlyMap<string, Oid>
  /** The folders that hold loose refs, and the gitdir itself, which holds the packed ones. */
  readonly folders: readonly string[]
}

/** The refs that another tool does not make. */
export const OWN_REFS: RegExp = /^refs\/(?:snapshots|pins|baseline|restores|adopted)\//

/** Is told of a ref that is damaged or that the system does not read, by its name or as `packed-refs`. */
export type OnDamagedRef = (name: string, state: "corrupt" | "unreadable") => void

/**
 * Reads every ref, whatever it is called: loose ones first, which come before packed ones of their name. One that names
 * no object and no other ref, one of ours that is symbolic, a link that leads nowhere, and packed refs that cannot be read
 * to their end or are empty, as only damage leaves them: REF_INVALID, since nothing is known to be unreached then. With
 * `onDamaged` they are passed over.
 */
export async function readRefRoots(
  fileSystem: FileSystem,
  gitdir: string,
  onDamaged?: OnDamagedRef,
): Promise<RefRoots> {
  const oids = new Map<string, Oid>()
  const loose = new Set<string>()
  const folders = [gitdir]
  await collectLoose("refs")
  const packed = await read("packed-refs")
  if (packed?.length === 0) damaged("packed-refs")
  for (const { name, oid } of parsePackedRefs(lossyText(packed ?? new Uint8Array()), () => damaged("packed-refs")))
    if (!loose.has(name)) oids.set(name, oid)
  return { oids, folders }

  function damaged(name: string): void {
    if (onDamaged === undefined) throw damagedRef(name)
    onDamaged(name, "corrupt")
  }

  async function read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await fileSystem.readFile(`${gitdir}/${name}`)
    } catch (error) {
      if (onDamaged === undefined || !isUnreadable(error)) throw error
      onDamaged(name, isRefused(error) ? "unreadable" : "corrupt")
      return undefined
    }
  }

  async function collectLoose(folder: string): Promise<void> {
    if (folder === "refs" && (await leadsNowhere(folder))) return damaged(folder)
    folders.push(`${gitdir}/${folder}`)
    for (const { name, kind } of await listFollowing(fileSystem, `${gitdir}/${folder}`)) {
      const path = `${folder}/${name}`
      if (kind === "folder") await collectLoose(path)
      else if (!name.endsWith(".lock")) await readLoose(path)
    }
  }

  async function leadsNowhere(name: string): Promise<boolean> {
    const path = `${gitdir}/${name}`
    return (await fileSystem.lstat(path))?.kind === "link" && (await fileSystem.realPath(path)) === undefined
  }

  async function readLoose(name: string): Promise<void> {
    const bytes = await read(name)
    if (bytes === undefined) {
      // Mostly it was deleted or packed meanwhile. A link may be to a disk that is not there now.
      if (await leadsNowhere(name)) damaged(name)
      return
    }
    const text = lossyText(bytes).trimEnd()
    const oid = toOid(text)
    // What stands packed under a damaged ref's name is as good as anything that is known of it.
    if (oid === undefined && (OWN_REFS.test(name) || !isSymbolic(text)) && canBeRef(name)) return damaged(name)
    loose.add(name)
    if (oid !== undefined) oids.set(name, oid)
  }
}

/** The ref behind it is met by itself. None of our own refs is symbolic, and none is read where it is. */
function isSymbolic(text: string): boolean {
  return /^ref:\s*\S/.test(text)
}

/** Other programs' files, such as .DS_Store, are no refs. Git allows names directly under refs/, such as refs/stash. */
function canBeRef(name: string): boolean {
  return toRefName(name.replace(/^refs\//, "refs/any/")) !== undefined
}

/** The error for a ref that is not what it has to be before anything can be removed. */
export function damagedRef(ref: string): SnapshotError {
  return new SnapshotError(
    "REF_INVALID",
    `The ref ${ref} is damaged, so nothing can be removed: what it names is not known. Verify the store and repair it, or set it anew with git update-ref.`,
    { ref },
  )
}
