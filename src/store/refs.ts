/*
 * Refs as files, and packed-refs. Loose refs are looked at before packed ones: `git pack-refs` writes the packed file
 * first and removes the loose ones then, so that a ref is always found in this order.
 * Source: https://git-scm.com/docs/gitrepository-layout, https://git-scm.com/docs/git-pack-refs
 */
import { lossyText, utf8 } from "../core/bytes.js"
import { errnoOf, SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { toOid, type Oid } from "../core/oid.js"
import { toRefName, type RefName } from "../core/ref-name.js"
import { folderOf, makeFolders, removeIfThere, writeAtomically } from "./atomic-file.js"
import { parsePackedRefs } from "./packed-refs.js"
import { isUnreadable } from "./unreadable.js"

/** The refs of a store. */
export interface Refs {
  /** What the ref names; undefined when there is no such ref. Emptied, cut or symbolic: REF_INVALID. */
  read(name: RefName): Promise<Oid | undefined>
  /**
   * The names that begin with `prefix`, which ends in "/"; sorted. With `unreadable` "pass-over", packed ones are left out
   * when the system does not read them, which hides none of the loose ones.
   */
  names(prefix: string, unreadable?: "pass-over"): Promise<RefName[]>
  /** Sets a ref, whatever it was. */
  write(name: RefName, oid: Oid, durable: boolean): Promise<void>
  /** Removes a loose ref; it may be gone already. */
  removeLoose(name: RefName): Promise<void>
  /** Renames `file`, which holds a ref's content, to the ref: ENOENT when the file is gone. */
  adopt(file: string, name: RefName, durable: boolean): Promise<void>
}

/** The bytes of a loose ref. */
export function refContent(oid: Oid): Uint8Array {
  return utf8(`${oid}\n`)
}

/** The refs in `gitdir`; temporary files go to `temporary`. */
export function refStore(fileSystem: FileSystem, gitdir: string, temporary: string): Refs {
  const fileOf = (name: string): string => `${gitdir}/${name}`

  let known: { readonly identity: string; readonly refs: ReadonlyMap<RefName, Oid> } | undefined

  /** The file is replaced as a whole: as long as it is the same one, it says the same. */
  async function packed(): Promise<ReadonlyMap<RefName, Oid>> {
    const path = `${gitdir}/packed-refs`
    const stat = await fileSystem.lstat(path)
    if (stat === undefined) return NO_REFS
    const identity = [stat.device, stat.inode, stat.sizeBytes, stat.mtimeNs, stat.ctimeNs].join(":")
    if (known?.identity === identity) return known.refs
    const bytes = await fileSystem.readFile(path)
    if (bytes === undefined) return NO_REFS
    const refs = parsePacked(lossyText(bytes))
    // A file that was replaced meanwhile is another one next time.
    known = { identity, refs }
    return refs
  }

  async function packedNames(unreadable: "pass-over" | undefined): Promise<ReadonlyMap<RefName, Oid>> {
    try {
      return await packed()
    } catch (error) {
      if (unreadable === "pass-over" && isUnreadable(error)) return NO_REFS
      throw error
    }
  }

  async function read(name: RefName): Promise<Oid | undefined> {
    const bytes = await fileSystem.readFile(fileOf(name)).catch(unlessFolder)
    if (bytes === undefined) return (await packed()).get(name)
    const oid = toOid(lossyText(bytes).trimEnd())
    if (oid === undefined) throw invalid(name)
    return oid
  }

  async function collect(folder: string, into: Set<string>): Promise<void> {
    const items = (await fileSystem.list(fileOf(folder.slice(0, -1)))) ?? []
    for (const item of items) {
      if (item.kind === "folder") await collect(`${folder}${item.name}/`, into)
      else if (toRefName(folder + item.name) !== undefined) into.add(folder + item.name)
    }
  }

  /** Runs `step`, which puts a file into the ref's folder, and again when `git pack-refs` has just removed that folder. */
  async function intoFolder(name: RefName, durable: boolean, step: () => Promise<void>): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      await makeFolders(fileSystem, folderOf(fileOf(name)), durable)
      try {
        return await step()
      } catch (error) {
        const folderIsThere = (await fileSystem.lstat(folderOf(fileOf(name)))) !== undefined
        if (errnoOf(error) !== "ENOENT" || folderIsThere || attempt === 8) throw error
      }
    }
  }

  return {
    read,
    async names(prefix, unreadable) {
      const names = new Set<string>()
      await collect(prefix, names)
      for (const name of (await packedNames(unreadable)).keys()) if (name.startsWith(prefix)) names.add(name)
      return [...names].sort() as RefName[]
    },
    async write(name, oid, durable) {
      await intoFolder(name, durable, () =>
        writeAtomically(fileSystem, temporary, fileOf(name), refContent(oid), durable),
      )
    },
    async removeLoose(name) {
      await removeIfThere(fileSystem, fileOf(name))
    },
    async adopt(file, name, durable) {
      await intoFolder(name, durable, () => fileSystem.rename(file, fileOf(name)))
      try {
        if (durable) await fileSystem.syncFolder(folderOf(fileOf(name)))
      } catch (error) {
        // What may not survive a power cut is not shown.
        await removeIfThere(fileSystem, fileOf(name))
        throw error
      }
    },
  }
}

const NO_REFS: ReadonlyMap<RefName, Oid> = new Map()
/** Git leaves empty folders where refs were: such a one is no ref, and hides none that is packed. */
function unlessFolder(error: unknown): undefined {
  if (errnoOf(error) !== "EISDIR") throw error
}

function invalid(ref: RefName): SnapshotError {
  return new SnapshotError(
    "REF_INVALID",
    `The ref ${ref} is damaged: it names no object. Verify the store and repair it to find its snapshot; other snapshots are not touched by this.`,
    { ref },
  )
}

/** Lines that make no sense are passed over. */
function parsePacked(text: string): Map<RefName, Oid> {
  const refs = new Map<RefName, Oid>()
  for (const { oid, name } of parsePackedRefs(text)) {
    const ref = toRefName(name)
    if (ref !== undefined) refs.set(ref, oid)
  }
  return refs
}
