/*
 * Checks a whole store: its refs, its packs and loose objects, and all that the refs reach. It takes no lock. What other
 * processes add, fold and let go meanwhile is no problem: whatever looks like one is looked at a second time, by the refs
 * as they are then.
 */
import { decodeCommit } from "../core/commit.js"
import { isSnapshotError } from "../core/errors.js"
import type { OnProgress } from "../core/progress.js"
import type { Oid } from "../core/oid.js"
import { pinnedRef, pinRef, refTimeMs, SNAPSHOTS, type RefName } from "../core/ref-name.js"
import { decodeRecord, refOf } from "../core/snapshot-commit.js"
import type { Unpacker } from "../core/unpacker.js"
import { auditPack, isSound, type FileState, type PackState } from "./audit-pack.js"
import { listCandidates, type LooseCandidate } from "./candidates.js"
import { GraphCheck, type Loss, type LossReason } from "./check-graph.js"
import { isForeign } from "./foreign.js"
import type { GitdirLayout } from "./gitdir.js"
import { lonePins } from "./lone-pins.js"
import { looseSize, streamLoose } from "./loose-object.js"
import { arePackedRefsLost } from "./lost-packed-refs.js"
import { objectDatabase, type ObjectDatabase } from "./object-database.js"
import { isForSnapshot } from "./odd-snapshots.js"
import { PackRemains } from "./pack-remains.js"
import { OWN_REFS, readRefRoots } from "./roots.js"
import type { ObjectPorts } from "./stored-object.js"
import { Touched } from "./touched.js"
import { isUnreadable } from "./unreadable.js"

/** What to check, and how. */
export interface StoreCheckRequest extends ObjectPorts {
  readonly layout: GitdirLayout
  readonly unpacker?: Unpacker | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Something that is not as it has to be. */
export interface StoreProblem {
  /** An object, or else the path of a file, from the gitdir on. */
  readonly oid: string
  readonly problem: Loss
  /** Why what is there is of no use, where it need not be damaged. */
  readonly reason?: LossReason
  /** The file that is damaged, from the gitdir on, where it is known. */
  readonly file?: string
  /** The ids of the snapshots that it touches, the oldest first; of what no snapshot reads through, names of refs. */
  readonly snapshots: readonly string[]
}

/** What a check found. */
export interface StoreCheck {
  /** Refs of snapshots, of all workspaces. */
  readonly snapshots: number
  /** Objects that refs reach. */
  readonly objects: number
  readonly problems: readonly StoreProblem[]
  /** What refs reach and nothing gives. */
  readonly lost: ReadonlyMap<Oid, Loss>
  /** Why some of these are lost, where they need not be damaged. */
  readonly reasons: ReadonlyMap<Oid, LossReason>
  /** The packs with which something is wrong. */
  readonly packs: readonly PackState[]
  /** The loose objects that are damaged, or that the system does not read. */
  readonly loose: readonly DamagedLoose[]
  readonly refs: RefStates
}

/** A loose object that cannot be read. */
export interface DamagedLoose extends LooseCandidate {
  /** `trailed`: what it holds is sound, and other bytes stand behind its end. */
  readonly state: FileState | "trailed"
}

/** What the refs are. */
export interface RefStates {
  readonly oids: ReadonlyMap<string, Oid>
  /** Those that name nothing, or that the system does not read; `packed-refs` for lines of it, or for all of it. */
  readonly damaged: ReadonlyMap<string, Loss | "unreadable">
  /** Refs by a name that is not the one which their snapshot has, and that name. */
  readonly misnamed: ReadonlyMap<string, string>
  /** Refs of snapshots, and pins, that name something else than a commit, and what; they are damaged. */
  readonly odd: ReadonlyMap<string, Oid>
  /** Refs of snapshots that are gone, and the refs that still name these. */
  readonly missing: ReadonlyMap<string, string>
}

/** Checks a store. What the system fails to read for reasons that are not a file's own throws. */
export async function checkStore(request: StoreCheckRequest): Promise<StoreCheck> {
  const objects = objectDatabase({ ...request, objectsFolder: request.layout.objects })
  const remains = new PackRemains(request)
  try {
    return await new Check(request, objects, remains).run()
  } finally {
    await remains.close()
    await objects.close()
  }
}

class Check {
  readonly #request: StoreCheckRequest
  readonly #objects: ObjectDatabase
  readonly #remains: PackRemains
  readonly #graph: GraphCheck
  /** How many objects the packs and the loose files hold, those that are stored twice counted twice. */
  #stored = 0
  #readBytes = 0

  constructor(request: StoreCheckRequest, objects: ObjectDatabase, remains: PackRemains) {
    this.#request = request
    this.#objects = objects
    this.#remains = remains
    const { signal } = request
    this.#graph = new GraphCheck(objects, { signal, onChecked: (count) => this.#tell(count) })
  }

  async run(): Promise<StoreCheck> {
    const first = await this.#readRefs()
    const { packs, loose } = await this.#files()
    await this.#graph.walk(first.oids.values())
    const isFine =
      first.damaged.size + packs.length + loose.length + this.#graph.lost.size === 0 &&
      first.misnamed.size + first.missing.size === 0
    const found = isFine ? { refs: first, packs, loose } : await this.#lookAgain(first, packs, loose)
    const { reached, lost, reasons } = this.#graph
    this.#tell(Math.max(this.#stored, reached))
    return {
      snapshots: [...first.oids.keys()].filter((name) => name.startsWith(SNAPSHOTS)).length,
      objects: reached,
      lost,
      reasons,
      ...found,
      problems: isFine ? [] : await this.#problems(found.refs, found.packs, found.loose),
    }
  }

  async #readRefs(): Promise<RefStates> {
    const { fileSystem, layout } = this.#request
    const damaged = new Map<string, Loss | "unreadable">()
    const roots = await readRefRoots(fileSystem, layout.gitdir, (name, state) => damaged.set(name, state))
    const oids = new Map(roots.oids)
    const odd = new Map<string, Oid>()
    if (await arePackedRefsLost(fileSystem, layout)) damaged.set("packed-refs", "missing")
    const misnamed = new Map<string, string>()
    for (const [name, oid] of roots.oids) {
      if (!isForSnapshot(name)) continue
      const own = await this.#ownName(oid)
      if (own === "no commit") {
        odd.set(name, oid)
        oids.delete(name)
        damaged.set(name, "corrupt")
        continue
      }
      if (!name.startsWith(SNAPSHOTS) || refTimeMs(name) === undefined) continue
      if (own !== undefined && own !== name) misnamed.set(name, own)
    }
    const missing = new Map<string, string>()
    // What is behind a link that leads nowhere may be there.
    const isHidden = (ref: string): boolean => [...damaged.keys()].some((name) => `${ref}/`.startsWith(`${name}/`))
    const isGone = (ref: string): boolean => !oids.has(ref) && !isHidden(ref)
    for (const pin of lonePins(oids)) {
      const own = await this.#ownName(oids.get(pin) as Oid)
      const ref = own === undefined || own === "no commit" ? pinnedRef(pin) : own
      if (pinRef(ref) !== pin) misnamed.set(pin, pinRef(ref))
      if (isGone(ref)) missing.set(ref, pin)
    }
    if (await isForeign(fileSystem, layout)) return { oids, damaged, misnamed, odd, missing }
    for (const [name, oid] of oids) {
      if (!mayBeMisspelt(name)) continue
      const own = await this.#ownName(oid)
      if (own === undefined || own === "no commit" || !isGone(own)) continue
      misnamed.set(name, own)
      missing.set(own, name)
    }
    return { oids, damaged, misnamed, odd, missing }
  }

  /** The name of the ref that belongs to a snapshot; undefined when `oid` cannot be read, or is another commit. */
  async #ownName(oid: Oid): Promise<RefName | "no commit" | undefined> {
    try {
      const type = (await this.#objects.stream(oid))?.type
      if (type === undefined) return undefined
      if (type !== "commit") return "no commit"
      const object = await this.#objects.read(oid)
      const record = object && decodeRecord(decodeCommit(object.bytes, oid).message)
      return record && refOf(record)
    } catch (error) {
      if (isSnapshotError(error, "OBJECT_CORRUPT") || isSnapshotError(error, "UNSUPPORTED") || isUnreadable(error))
        return undefined
      throw error
    }
  }

  /** The packs and the loose objects that are not as they should be. */
  async #files(): Promise<Pick<StoreCheck, "packs" | "loose">> {
    const { fileSystem, layout } = this.#request
    const candidates = await listCandidates(fileSystem, layout)
    const packs: PackState[] = []
    for (const { name, extensions } of candidates.packs) {
      if (!extensions.has(".pack") && !extensions.has(".idx")) continue
      const state = await this.#audit(`${layout.packs}/${name}`)
      this.#stored += state?.parsed?.count ?? 0
      if (state !== undefined && !isSound(state)) packs.push(state)
    }
    const loose: DamagedLoose[] = []
    for (const candidate of candidates.loose) {
      this.#stored++
      const state = await this.#looseState(candidate)
      if (state !== "sound") loose.push({ ...candidate, state })
    }
    return { packs, loose }
  }

  #audit(path: string): Promise<PackState | undefined> {
    const { signal } = this.#request
    return auditPack(this.#request, path, signal, (bytes) => {
      this.#readBytes += bytes
      this.#tell(0)
    })
  }

  async #looseState({ oid, path }: LooseCandidate): Promise<DamagedLoose["state"]> {
    const { signal, fileSystem } = this.#request
    try {
      if ((await fileSystem.lstat(path))?.kind === "folder") return "corrupt"
      const stream = await streamLoose(this.#request, path, oid, LOOSE_LIMIT_BYTES)
      for await (const chunk of stream?.chunks ?? []) if (chunk.length > 0) signal?.throwIfAborted()
      const size = await looseSize(this.#request, path, oid)
      return size === undefined || size.objectBytes === size.fileBytes ? "sound" : "trailed"
    } catch (error) {
      if (isSnapshotError(error, "OBJECT_CORRUPT")) return "corrupt"
      if (isUnreadable(error)) return "unreadable"
      throw error
    }
  }

  /** What is still a problem by now. */
  async #lookAgain(
    refs: RefStates,
    packs: readonly PackState[],
    loose: readonly DamagedLoose[],
  ): Promise<Pick<StoreCheck, "refs" | "packs" | "loose">> {
    if (this.#graph.lost.size > 0) await this.#graph.lookAgain()
    const stillWrong: PackState[] = []
    for (const { path } of packs) {
      const state = await this.#audit(path)
      if (state !== undefined && !isSound(state)) stillWrong.push(state)
    }
    const stillDamaged: DamagedLoose[] = []
    for (const candidate of loose) {
      const state = await this.#looseState(candidate)
      if (state !== "sound") stillDamaged.push({ ...candidate, state })
    }
    const now = await this.#readRefs()
    return {
      packs: stillWrong,
      loose: stillDamaged,
      refs: {
        oids: new Map([...refs.oids].filter(([name, oid]) => now.oids.get(name) === oid)),
        damaged: new Map([...refs.damaged].filter(([name]) => now.damaged.has(name))),
        misnamed: new Map([...refs.misnamed].filter(([name]) => now.misnamed.has(name))),
        odd: new Map([...refs.odd].filter(([name, oid]) => now.odd.get(name) === oid)),
        missing: new Map([...refs.missing].filter(([name]) => now.missing.has(name))),
      },
    }
  }

  async #problems(
    refs: RefStates,
    packs: readonly PackState[],
    loose: readonly DamagedLoose[],
  ): Promise<StoreProblem[]> {
    const { lost, reasons } = this.#graph
    const touched = new Touched(this.#graph, refs.oids, await this.#graph.namersOf(new Set(lost.keys())))
    const problems = new Map<string, StoreProblem>()
    const add = (problem: StoreProblem): void => void problems.set(problem.oid, problem)
    const nameless = (name: string): readonly string[] => (name.startsWith("refs/") ? [name] : [])
    for (const [name, state] of refs.damaged)
      add({ oid: name, ...flawOf(state), ...(state === "missing" ? {} : { file: name }), snapshots: nameless(name) })
    for (const [name, namer] of refs.missing)
      add({ oid: name, problem: "missing", snapshots: [refs.oids.get(namer) ?? name] })
    for (const [name, own] of refs.misnamed)
      if (!refs.missing.has(own)) add({ oid: name, problem: "corrupt", snapshots: [name] })
    for (const state of packs) {
      const lostHere = await this.#lostIn(state)
      const named = await touched.byAny(lostHere)
      const index = `${this.#relative(state.path)}.idx`
      const pack = `${this.#relative(state.path)}.pack`
      // A pack without an index is what a capture that was killed leaves, too.
      if (state.index !== "sound" && (state.index !== "missing" || named.length > 0))
        add({ oid: index, ...flawOf(state.index), file: index, snapshots: named })
      if (state.pack !== "sound" && state.index !== "missing")
        add({ oid: pack, ...flawOf(state.pack), file: pack, snapshots: named })
      for (const oid of state.damaged) add({ oid, problem: "corrupt", file: pack, snapshots: await touched.by(oid) })
    }
    for (const { oid, path, state } of loose)
      add({ oid, ...flawOf(state), file: this.#relative(path), snapshots: await touched.by(oid) })
    for (const [oid, problem] of lost) {
      const snapshots = await touched.by(oid)
      if (snapshots.length > 0 && !problems.has(oid)) add({ oid, problem, ...because(reasons.get(oid)), snapshots })
    }
    return [...problems.values()]
  }

  /** The lost objects that a pack holds, or held. */
  async #lostIn(state: PackState): Promise<Oid[]> {
    const { lost } = this.#graph
    if (lost.size === 0) return []
    try {
      const index = await this.#remains.index(state, this.#request.signal)
      return index === undefined ? [] : [...lost.keys()].filter((oid) => index.find(oid) !== undefined)
    } catch (error) {
      if (isUnreadable(error)) return []
      throw error
    }
  }

  #relative(path: string): string {
    return path.slice(this.#request.layout.gitdir.length + 1)
  }

  #tell(done: number): void {
    const { onProgress } = this.#request
    onProgress?.({ phase: "verify", done, total: Math.max(this.#stored, done), bytes: this.#readBytes })
  }
}

/** Whether a name may have been one of our refs' before a bit of it flipped: those of Git's own are somebody's. */
function mayBeMisspelt(name: string): boolean {
  if (name.startsWith(SNAPSHOTS)) return refTimeMs(name) === undefined
  return !OWN_REFS.test(name) && !GIT_REFS.test(name)
}

/** Source: https://git-scm.com/docs/gitrepository-layout, https://git-scm.com/docs/gitglossary (refs) */
const GIT_REFS = /^refs\/(?:(?:heads|tags|remotes|notes|replace|worktree|bisect|rewritten|original|prefetch)\/|stash$)/

/** What a state of a file is as a problem. */
function flawOf(state: DamagedLoose["state"]): Pick<StoreProblem, "problem" | "reason"> {
  return {
    problem: state === "missing" ? "missing" : "corrupt",
    ...because(state === "unreadable" ? state : undefined),
  }
}

function because(reason: LossReason | undefined): Pick<StoreProblem, "reason"> {
  return reason === undefined ? {} : { reason }
}

/** Larger loose objects are checked in pieces. */
const LOOSE_LIMIT_BYTES = 2 ** 30
