import type { Deflater } from "../core/deflater.js"
import { isSnapshotError } from "../core/errors.js"
import { fileMs, type FileSystem } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import { oidAt, oidBytes, type Oid } from "../core/oid.js"
import { parsePackIndex, type PackIndex } from "../core/pack-index.js"
import { removeIfThere } from "./atomic-file.js"
import { leaseOfTemporary, type CandidatePack, type Candidates } from "./candidates.js"
import type { GitdirLayout } from "./gitdir.js"
import { listFollowing } from "./list-following.js"
import type { LiveLeases } from "./live-leases.js"
import { slimPack } from "./slim-pack.js"

/** What decides over the candidates. */
export interface SweepRequest {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly deflater: Deflater
  readonly layout: GitdirLayout
  readonly candidates: Candidates
  readonly leases: LiveLeases
  readonly reached: ReadonlySet<Oid>
  /** Folders to sync before anything goes: a ref that a power cut brings back must find its objects. */
  readonly refFolders: readonly string[]
  readonly nowMs: number
  /** Another tool made the gitdir, and may go on using it. */
  readonly isForeign: boolean
  readonly signal?: AbortSignal | undefined
  /** Is told of the number of candidates that were looked at, and of all. */
  readonly onSwept?: (done: number, total: number) => void
}

/** What was removed. */
export interface SweepReport {
  readonly objectsRemoved: number
  readonly bytesFreed: number
  readonly packsRemoved: number
}

/**
 * Removes the candidates that nothing reaches. A file that cannot be removed or looked at keeps none of the others, and
 * its failure is thrown in the end.
 */
export async function sweep(request: SweepRequest): Promise<SweepReport> {
  return new Sweep(request).run()
}

/**
 * So long files of other tools stay, whether something reaches them or not: such a tool holds no lease. Git touches a file
 * with an object that it is asked to store and has already, so the time is looked at in the last moment.
 */
export function graceMs(isForeign: boolean): number {
  return isForeign ? 7 * DAY_MS : HOUR_MS
}

class Sweep {
  readonly #request: SweepRequest
  readonly #report = { objectsRemoved: 0, bytesFreed: 0, packsRemoved: 0 }
  #failure: { readonly error: unknown } | undefined
  #isPrepared = false

  constructor(request: SweepRequest) {
    this.#request = request
  }

  async run(): Promise<SweepReport> {
    const { candidates, layout, signal, onSwept } = this.#request
    const steps: (() => Promise<void>)[] = [
      ...candidates.packs.map((pack) => () => this.#pack(pack)),
      ...candidates.loose.map(
        ({ oid, path }) =>
          () =>
            this.#loose(oid, path),
      ),
      ...candidates.unfinished.map((path) => () => this.#ifOld(path, DAY_MS)),
      ...candidates.temporary.map((name) => () => this.#temporary(`${layout.temporary}/${name}`, name)),
    ]
    for (const [done, step] of steps.entries()) {
      signal?.throwIfAborted()
      await step().catch((error: unknown) => {
        this.#failure ??= { error }
      })
      onSwept?.(done + 1, steps.length)
    }
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#report
  }

  /**
   * Whether only captures of ours count on the pack. Other tools name a pack after its checksum or after the objects in
   * it, and the lease in the name of ours is gone by now: a name of that form that is neither is taken for ours. In a
   * gitdir that is theirs, they may count on ours, too.
   * Source: https://git-scm.com/docs/git-pack-objects (base-name)
   */
  async #isOwn(name: string, index: PackIndex): Promise<boolean> {
    const { isForeign, hasher } = this.#request
    if (isForeign || !/^pack-[0-9a-f]{40}$/.test(name) || name === `pack-${oidAt(index.packChecksum)}`) return false
    const oids = Array.from(index.entries(), ({ oid }) => oidBytes(oid))
    return name !== `pack-${oidAt(await hasher.sha1(oids))}`
  }

  async #pack({ name, extensions }: CandidatePack): Promise<void> {
    const { fileSystem, layout, leases, reached } = this.#request
    const path = `${layout.packs}/${name}`
    if ([...leases.keys()].some((id) => name.includes(id))) return
    if (extensions.has(".keep") || (await fileSystem.lstat(`${path}.keep`)) !== undefined) return
    if (!extensions.has(".pack")) {
      for (const extension of extensions) await this.#ifOld(`${path}${extension}`, DAY_MS)
      return
    }
    // It may have been put in place since the candidates were listed.
    const index = await this.#index(`${path}.idx`)
    if (index === undefined) await this.#ifOld(`${path}.pack`, DAY_MS)
    if (index === undefined || index === "unreadable") return
    for (const { oid } of index.entries()) if (reached.has(oid)) return this.#slim(name, index, extensions)
    if (!(await this.#isOwn(name, index)) && !(await this.#isOlder(`${path}.pack`, graceMs(this.#request.isForeign))))
      return
    if (!(await this.#removePack(path, extensions))) return
    this.#report.packsRemoved++
    this.#report.objectsRemoved += index.count
  }

  /** The index first: without it the pack is nothing to a reader. Whether it was there. */
  async #removePack(path: string, extensions: ReadonlySet<string>): Promise<boolean> {
    await this.#prepare()
    for (const extension of [".idx", ...BESIDE.filter((each) => extensions.has(each))])
      await this.#remove(`${path}${extension}`)
    return this.#remove(`${path}.pack`)
  }

  /**
   * Keeps of a pack of ours what is reached, where that is much less. As long as another repository has the pack, too, it
   * costs nothing.
   */
  async #slim(name: string, index: PackIndex, extensions: ReadonlySet<string>): Promise<void> {
    const { fileSystem, layout, reached } = this.#request
    const path = `${layout.packs}/${name}`
    const stat = await fileSystem.lstat(`${path}.pack`)
    if (stat?.links !== 1 || stat.sizeBytes < SLIM_BYTES || !(await this.#isOwn(name, index))) return
    const slim = await slimPack(this.#request, layout, path, index, (oid) => reached.has(oid))
    if (slim === undefined) return
    await this.#removePack(path, extensions)
    this.#report.bytesFreed -= slim.sizeBytes
    this.#report.objectsRemoved += index.count - slim.objects
  }

  /** A damaged index, or one of another version, does not tell what is in the pack. */
  async #index(path: string): Promise<PackIndex | "unreadable" | undefined> {
    const { fileSystem, hasher } = this.#request
    const bytes = await fileSystem.readFile(path)
    if (bytes === undefined) return undefined
    try {
      return (await parsePackIndex(hasher, bytes, path)) ?? "unreadable"
    } catch (error) {
      if (isSnapshotError(error, "FORMAT_UNSUPPORTED")) return "unreadable"
      throw error
    }
  }

  async #loose(oid: Oid, path: string): Promise<void> {
    if (this.#request.reached.has(oid) || !(await this.#isOlder(path, graceMs(this.#request.isForeign)))) return
    await this.#prepare()
    if (await this.#remove(path)) this.#report.objectsRemoved++
  }

  /** Files of a capture's pack go with its lease, others when they are old. */
  async #temporary(path: string, name: string): Promise<void> {
    const lease = leaseOfTemporary(name)
    if (lease !== undefined && this.#request.leases.has(lease)) return
    if (lease === undefined) await this.#ifOld(path, DAY_MS)
    else await this.#removeAll(path)
  }

  async #ifOld(path: string, ageMs: number): Promise<void> {
    if (await this.#isOlder(path, ageMs)) await this.#removeAll(path)
  }

  async #isOlder(path: string, ageMs: number): Promise<boolean> {
    const stat = await this.#request.fileSystem.lstat(path)
    return stat !== undefined && this.#request.nowMs - fileMs(stat) > ageMs
  }

  async #removeAll(path: string): Promise<void> {
    const { fileSystem } = this.#request
    if ((await fileSystem.lstat(path))?.kind !== "folder") {
      await this.#remove(path)
      return
    }
    for (const { name } of (await fileSystem.list(path)) ?? []) await this.#removeAll(`${path}/${name}`)
    await fileSystem.removeFolder(path)
  }

  /** Whether the file was there; it is gone now. */
  async #remove(path: string): Promise<boolean> {
    const { fileSystem } = this.#request
    const stat = await fileSystem.lstat(path)
    if (stat === undefined) return false
    await removeIfThere(fileSystem, path)
    this.#report.bytesFreed += stat.sizeBytes
    return true
  }

  /** What Git keeps about several packs and about commits may name what goes. Git makes it anew. */
  async #prepare(): Promise<void> {
    if (this.#isPrepared) return
    const { fileSystem, layout, refFolders } = this.#request
    for (const folder of refFolders)
      if ((await fileSystem.lstat(folder)) !== undefined) await fileSystem.syncFolder(folder)
    for (const { name } of await listFollowing(fileSystem, layout.packs))
      if (/^multi-pack-index(?!.*\.lock$)/.test(name)) await this.#removeAll(`${layout.packs}/${name}`)
    for (const name of ["commit-graphs", "commit-graph"]) await this.#removeAll(`${layout.objects}/info/${name}`)
    this.#isPrepared = true
  }
}

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Smaller packs are not worth it. */
const SLIM_BYTES = 64 * 1024
/** What Git puts beside a pack and its index. */
const BESIDE: readonly string[] = [".rev", ".bitmap", ".mtimes", ".promisor"]
