import { lossyText } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { toOid, type Oid } from "../core/oid.js"
import { toRefName } from "../core/ref-name.js"
import { listFollowing } from "./list-following.js"
import { parsePackedRefs } from "./packed-refs.js"

/** All refs of a gitdir. */
export interface RefRoots {
  readonly oids: ReadonlyMap<string, Oid>
  /** The folders that hold loose refs, and the gitdir itself, which holds the packed ones. */
  readonly folders: readonly string[]
}

/**
 * Reads every ref, whatever it is called: loose ones first, which come before packed ones of their name. One that names
 * no object and no other ref, and packed refs that cannot be read to their end: REF_INVALID, since nothing is known to be
 * unreached then.
 */
export async function readRefRoots(fileSystem: FileSystem, gitdir: string): Promise<RefRoots> {
  const oids = new Map<string, Oid>()
  const loose = new Set<string>()
  const folders = [gitdir]
  await collectLoose("refs")
  const packed = await fileSystem.readFile(`${gitdir}/packed-refs`)
  const damaged = (): never => {
    throw invalid("packed-refs")
  }
  for (const { name, oid } of parsePackedRefs(lossyText(packed ?? new Uint8Array()), damaged))
    if (!loose.has(name)) oids.set(name, oid)
  return { oids, folders }

  async function collectLoose(folder: string): Promise<void> {
    folders.push(`${gitdir}/${folder}`)
    for (const { name, kind } of await listFollowing(fileSystem, `${gitdir}/${folder}`)) {
      const path = `${folder}/${name}`
      if (kind === "folder") await collectLoose(path)
      else if (!name.endsWith(".lock")) await readLoose(path)
    }
  }

  async function readLoose(name: string): Promise<void> {
    const bytes = await fileSystem.readFile(`${gitdir}/${name}`)
    // Deleted or packed meanwhile.
    if (bytes === undefined) return
    const text = lossyText(bytes).trimEnd()
    const oid = toOid(text)
    if (oid === undefined && !isSymbolic(text) && canBeRef(name)) throw invalid(name)
    loose.add(name)
    if (oid !== undefined) oids.set(name, oid)
  }
}

/** The ref behind it is met by itself. */
function isSymbolic(text: string): boolean {
  return /^ref:\s*\S/.test(text)
}

/** Other programs' files, such as .DS_Store, are no refs. Git allows names directly under refs/, such as refs/stash. */
function canBeRef(name: string): boolean {
  return toRefName(name.replace(/^refs\//, "refs/any/")) !== undefined
}

function invalid(ref: string): SnapshotError {
  return new SnapshotError(
    "REF_INVALID",
    `The ref ${ref} is damaged, so nothing can be removed: what it names is not known. Delete it, or set it anew with git update-ref.`,
    { ref },
  )
}
