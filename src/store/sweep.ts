import { isSnapshotError } from "../core/errors.js"
import { fileMs, type FileSystem } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import type { Oid } from "../core/oid.js"
import { parsePackIndex, type PackIndex } from "../core/pack-index.js"
import { leaseOfTemporary, type CandidatePack, type Candidates } from "./candidates.js"
import type { GitdirLayout } from "./gitdir.js"
import { carriesLease, type LiveLeases } from "./live-leases.js"
import type { LivePack } from "./live-pack.js"
import { isNamedByUs } from "./named-by-us.js"
import type { Removal } from "./removal.js"

/** What decides over the candidates. */
export interface SweepRequest {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly layout: GitdirLayout
  readonly candidates: Candidates
  readonly leases: LiveLeases
  readonly reached: ReadonlySet<Oid>
  readonly removal: Removal
  /** Whether everything that is reached is stored. */
  readonly isWhole: () => Promise<boolean>
  readonly nowMs: number
  /** Another tool made the gitdir, and may go on using it. */
  readonly isForeign: boolean
  readonly signal?: AbortSignal | undefined
  /** Is told of the number of candidates that were looked at, and of all. */
  readonly onSwept?: (done: number, total: number) => void
}

/** What was removed, and what stays. */
export interface SweepReport {
  readonly objectsRemoved: number
  readonly packsRemoved: number
  /** Packs that only captures of ours count on, or that are old enough, of which something is reached. */
  readonly live: readonly LivePack[]
  /** The first failure of a file that could not be removed or looked at; it keeps none of the others. */
  readonly failure: { readonly error: unknown } | undefined
}

/** Removes the candidates that nothing reaches. */
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
  readonly #removal: Removal
  readonly #live: LivePack[] = []
  #objectsRemoved = 0
  #packsRemoved = 0
  #failure: { readonly error: unknown } | undefined

  constructor(request: SweepRequest) {
    this.#request = request
    this.#removal = request.removal
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
    const [objectsRemoved, packsRemoved] = [this.#objectsRemoved, this.#packsRemoved]
    return { objectsRemoved, packsRemoved, live: this.#live, failure: this.#failure }
  }

  async #pack({ name, extensions }: CandidatePack): Promise<void> {
    const { fileSystem, layout, leases, reached } = this.#request
    const path = `${layout.packs}/${name}`
    if (carriesLease(leases, name)) return
    if (extensions.has(".keep") || (await fileSystem.lstat(`${path}.keep`)) !== undefined) return
    if (!extensions.has(".pack")) {
      for (const extension of extensions) await this.#ifOld(`${path}${extension}`, DAY_MS)
      return
    }
    // It may have been put in place since the candidates were listed.
    const index = await this.#index(`${path}.idx`)
    // A capture that was killed leaves such a pack. So does damage, and then it may hold what is missing.
    if (index === undefined && (await this.#isOlder(`${path}.pack`, DAY_MS)) && (await this.#request.isWhole()))
      await this.#removal.all(`${path}.pack`)
    if (index === undefined || index === "unreadable") return
    // In a gitdir that is theirs, other tools may count on ours, too.
    const isOwn = !this.#request.isForeign && (await isNamedByUs(this.#request.hasher, name, index))
    // A pack that git has made of ours is written anew like ours, as soon as nobody counts on it who just made it.
    const isFree = isOwn || (!this.#request.isForeign && (await this.#isOlder(`${path}.pack`, graceMs(false))))
    for (const { oid } of index.entries())
      if (reached.has(oid)) {
        const stat = isFree ? await fileSystem.lstat(`${path}.pack`) : undefined
        // As long as another repository has it, too, it costs nothing.
        if (stat?.links === 1)
          this.#live.push({ path, index, extensions, sizeBytes: stat.sizeBytes, mtimeNs: stat.mtimeNs })
        return
      }
    if (!isFree && !(await this.#isOlder(`${path}.pack`, graceMs(this.#request.isForeign)))) return
    if (!(await this.#removal.pack(path, extensions))) return
    this.#packsRemoved++
    this.#objectsRemoved += index.count
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
    if (await this.#removal.object(path)) this.#objectsRemoved++
  }

  /** Files of a capture's pack go with its lease, others when they are old. */
  async #temporary(path: string, name: string): Promise<void> {
    const lease = leaseOfTemporary(name)
    if (lease !== undefined && this.#request.leases.has(lease)) return
    if (lease === undefined) await this.#ifOld(path, DAY_MS)
    else await this.#removal.all(path)
  }

  async #ifOld(path: string, ageMs: number): Promise<void> {
    if (await this.#isOlder(path, ageMs)) await this.#removal.all(path)
  }

  async #isOlder(path: string, ageMs: number): Promise<boolean> {
    const stat = await this.#request.fileSystem.lstat(path)
    return stat !== undefined && this.#request.nowMs - fileMs(stat) > ageMs
  }
}

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
