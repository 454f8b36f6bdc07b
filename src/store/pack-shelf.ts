import { isSnapshotError } from "../core/errors.js"
import type { FileStat } from "../core/file-system.js"
import { listFollowing } from "./list-following.js"
import { openPackFile, type PackFile } from "./pack-file.js"
import type { PackPorts } from "./pack-entries.js"

/** A pack that was found in a folder. It is opened when it is first needed. */
export interface ShelvedPack {
  /** Path of the files without `.pack` and `.idx`. */
  readonly path: string
  /** The opened pack. Undefined: set aside, or of a format that cannot be read. Fails as `openPackFile` does otherwise. */
  open(): Promise<PackFile | undefined>
  /** The pack, when it is open already. */
  readonly opened: PackFile | undefined
  /** What `open` found out: not usable, and why when it is the format. */
  readonly setAside: boolean
  readonly unsupported: unknown
}

/** The packs of one folder as they were when it was last listed. */
export class PackShelf {
  readonly #ports: PackPorts
  readonly #folder: string
  #packs: readonly Shelved[] = []

  /** `folder` is the folder that holds the packs. */
  constructor(ports: PackPorts, folder: string) {
    this.#ports = ports
    this.#folder = folder
  }

  /** The one that was hit last, then newest first. */
  get packs(): readonly ShelvedPack[] {
    return this.#packs
  }

  /** Puts a pack first, which the next object is likely to be in, too. */
  hit(pack: ShelvedPack): void {
    if (this.#packs[0] === pack) return
    const [found, others] = [this.#packs.filter((each) => each === pack), this.#packs.filter((each) => each !== pack)]
    this.#packs = [...found, ...others]
  }

  /** Lists the folder again. Packs whose files are still the same stay open. */
  async rescan(): Promise<void> {
    const { fileSystem, openFiles } = this.#ports
    const names = new Set((await listFollowing(fileSystem, this.#folder)).map((item) => item.name))
    const known = new Map(this.#packs.map((pack) => [pack.path, pack]))
    const found: Shelved[] = []
    for (const name of names) {
      if (!name.endsWith(".idx") || !names.has(`${name.slice(0, -4)}.pack`)) continue
      const path = `${this.#folder}/${name.slice(0, -4)}`
      const [index, pack] = await Promise.all([fileSystem.lstat(`${path}.idx`), fileSystem.lstat(`${path}.pack`)])
      if (index === undefined || pack === undefined || index.kind === "folder" || pack.kind === "folder") continue
      const identity = `${identityOf(index)} ${identityOf(pack)}`
      const same = known.get(path)
      if (same?.identity === identity) known.delete(path)
      found.push(same?.identity === identity ? same : new Shelved(this.#ports, path, identity, pack.mtimeNs))
    }
    this.#packs = found.sort((a, b) => (a.mtimeNs === b.mtimeNs ? 0 : a.mtimeNs < b.mtimeNs ? 1 : -1))
    for (const path of known.keys()) await openFiles.forget(`${path}.pack`)
  }
}

class Shelved implements ShelvedPack {
  readonly path: string
  readonly identity: string
  readonly mtimeNs: bigint
  readonly #ports: PackPorts
  #opening: Promise<PackFile | undefined> | undefined
  opened: PackFile | undefined
  setAside = false
  unsupported: unknown

  constructor(ports: PackPorts, path: string, identity: string, mtimeNs: bigint) {
    this.#ports = ports
    this.path = path
    this.identity = identity
    this.mtimeNs = mtimeNs
  }

  open(): Promise<PackFile | undefined> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<PackFile | undefined> {
    try {
      this.opened = await openPackFile(this.#ports, this.path)
      this.setAside = this.opened === undefined
      return this.opened
    } catch (error) {
      if (isSnapshotError(error, "FORMAT_UNSUPPORTED")) {
        this.unsupported = error
        this.setAside = true
        return undefined
      }
      // A failure of the system may be over next time.
      this.#opening = undefined
      throw error
    }
  }
}

function identityOf(stat: FileStat): string {
  return [stat.device, stat.inode, stat.sizeBytes, stat.mtimeNs].join(":")
}
