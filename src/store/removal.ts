import type { FileSystem } from "../core/file-system.js"
import { removeIfThere } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"
import { listFollowing } from "./list-following.js"

/** Removes files of a store, and counts their bytes. Only for who holds the maintenance lock. */
export class Removal {
  readonly #fileSystem: FileSystem
  readonly #layout: GitdirLayout
  readonly #refFolders: readonly string[]
  #isPrepared = false
  bytesFreed = 0

  /** `refFolders` are synced before any object goes: a ref that a power cut brings back must find its objects. */
  constructor(fileSystem: FileSystem, layout: GitdirLayout, refFolders: readonly string[]) {
    this.#fileSystem = fileSystem
    this.#layout = layout
    this.#refFolders = refFolders
  }

  /** Removes a pack with what stands beside it, the index first: without it the pack is nothing to a reader. Whether it was there. */
  async pack(path: string, extensions: ReadonlySet<string>): Promise<boolean> {
    await this.#prepare()
    for (const extension of [".idx", ...BESIDE.filter((each) => extensions.has(each))])
      await this.file(`${path}${extension}`)
    return this.file(`${path}.pack`)
  }

  /** Removes a loose object. Whether it was there. */
  async object(path: string): Promise<boolean> {
    await this.#prepare()
    return this.file(path)
  }

  /** Removes a file. Whether it was there. */
  async file(path: string): Promise<boolean> {
    const stat = await this.#fileSystem.lstat(path)
    if (stat === undefined) return false
    await removeIfThere(this.#fileSystem, path)
    this.bytesFreed += stat.sizeBytes
    return true
  }

  /** Removes a file, or a folder with all that is in it. */
  async all(path: string): Promise<void> {
    if ((await this.#fileSystem.lstat(path))?.kind !== "folder") {
      await this.file(path)
      return
    }
    for (const { name } of (await this.#fileSystem.list(path)) ?? []) await this.all(`${path}/${name}`)
    await this.#fileSystem.removeFolder(path)
  }

  /** Removes what Git keeps about several packs and about commits, which may name what goes. Git makes it anew. */
  async derived(): Promise<void> {
    const { packs, objects } = this.#layout
    for (const { name } of await listFollowing(this.#fileSystem, packs))
      if (/^multi-pack-index(?!.*\.lock$)/.test(name)) await this.all(`${packs}/${name}`)
    for (const name of ["commit-graphs", "commit-graph"]) await this.all(`${objects}/info/${name}`)
  }

  async #prepare(): Promise<void> {
    if (this.#isPrepared) return
    for (const folder of this.#refFolders)
      if ((await this.#fileSystem.lstat(folder)) !== undefined) await this.#fileSystem.syncFolder(folder)
    await this.derived()
    this.#isPrepared = true
  }
}

/** What Git puts beside a pack and its index. */
const BESIDE: readonly string[] = [".rev", ".bitmap", ".mtimes", ".promisor"]
