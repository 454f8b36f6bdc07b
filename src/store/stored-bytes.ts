/*
 * What a store takes: its files, and its objects one by one, so that it can be told what would be left without some of
 * them. Nothing is changed, and no lock is needed: as in a collection, files are listed before leases and refs are read,
 * so that what a capture publishes meanwhile counts as reached.
 */
import type { FileSystem } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import type { Oid } from "../core/oid.js"
import type { SnapshotError } from "../core/errors.js"
import { leaseOfTemporary } from "./candidates.js"
import { foreignRoots, isForeign, NO_ROOTS } from "./foreign.js"
import type { GitdirLayout } from "./gitdir.js"
import { carriesLease, lookAtLeases, type LeaseLook } from "./live-leases.js"
import type { CountsAsAlive } from "./liveness.js"
import { refuseLostPackedRefs } from "./lost-packed-refs.js"
import { mark } from "./mark.js"
import type { ObjectDatabase } from "./object-database.js"
import type { OwnFiles, OwnLoose, OwnPack } from "./own-files.js"
import { reclaimablePackBytes } from "./reclaimable.js"
import { readRefRoots } from "./roots.js"
import type { ObjectPorts } from "./stored-object.js"
import { readStoredObjects } from "./stored-objects.js"
import { graceMs } from "./sweep.js"
import { Tally } from "./tally.js"

/** What to measure a store with. */
export interface MeasureRequest extends ObjectPorts {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly layout: GitdirLayout
  readonly objects: ObjectDatabase
  readonly isAlive: CountsAsAlive
  readonly nowMs: number
  /** The files of the gitdir, or only those of its objects, as they were before. */
  readonly files: OwnFiles
  /** Refs that do not count as roots. */
  readonly isLeftOut?: (ref: string) => boolean
  /** Counts what deltas build on, too: for what has to stay in the store with an object. */
  readonly withBases?: boolean
}

/** The bytes of a store, root by root. */
export interface StoredBytes {
  /** Of what was counted so far, the roots of the store included. */
  readonly counted: Pick<Tally, "copyBytes" | "keptBytes">
  /** Counts what these objects reach, too. Gives what cannot be read, if anything: what that reaches is not counted then. */
  count(roots: readonly Oid[]): Promise<SnapshotError | undefined>
  /** What could not be read of what the roots of the store reach; undefined when they are whole. */
  readonly problem: SnapshotError | undefined
  /** Bytes of the files that stay after a collection, whatever happens to the objects that are counted. */
  fixedBytes(): number
  /**
   * Bytes that the next maintenance would give back, if nothing counted but what was counted, as far as it can be told
   * without it. `isCompact`: it is to leave nothing unreached in any pack.
   */
  reclaimableBytes(isCompact: boolean): Promise<number>
}

/**
 * Measures a store. What its refs, its live leases and, in a gitdir of another tool, its index and reflogs name is counted
 * already, but for refs that are left out. Refs that cannot be read: REF_INVALID.
 */
export async function measureStore(request: MeasureRequest): Promise<StoredBytes> {
  const { fileSystem, layout, objects, files, isAlive, nowMs, isLeftOut = () => false, withBases = false } = request
  const leases = await lookAtLeases(fileSystem, layout.leases, isAlive)
  const refs = await readRefRoots(fileSystem, layout.gitdir)
  await refuseLostPackedRefs(fileSystem, layout)
  const foreign = await isForeign(fileSystem, layout)
  const own = files.packs.filter((pack) => pack.isWhole && !pack.isShared && !isFixed(pack, leases))
  const pathOf = ({ name }: OwnPack): string => `${layout.packs}/${name}`
  const stored = await readStoredObjects(request, { packs: own.map(pathOf), loose: files.loose, withBases })
  const tally = new Tally(stored)

  async function count(roots: Iterable<Oid>, missing?: "pass-over"): Promise<SnapshotError | undefined> {
    let problem: SnapshotError | undefined
    await mark(objects, roots, tally.marks, {
      ...(missing === undefined ? {} : { missing }),
      onUnreadable: (error) => void (problem ??= error),
    })
    return problem
  }

  const roots = [...refs.oids].flatMap(([ref, oid]) => (isLeftOut(ref) ? [] : [oid]))
  const ofForeign = foreign ? await foreignRoots(request, layout) : NO_ROOTS
  const bases = [...leases.live.values()].flatMap((base) => base?.oid ?? [])
  const problems = [
    await count([...roots, ...ofForeign.named]),
    await count(ofForeign.cached, "pass-over"),
    await count(bases, "pass-over"),
  ]
  const isYoung = ({ oid, writtenMs }: OwnLoose): boolean =>
    nowMs - writtenMs <= graceMs(foreign) && !tally.isReached(oid)
  const youngBytes = (): number => sum(files.loose.filter(isYoung))
  const left = files.packs.filter((pack) => !pack.isShared && (!own.includes(pack) || stored.unread.has(pathOf(pack))))
  const going = files.temporary.filter((file) => isGoing(file, leases, nowMs))
  const temporaryBytes = sum(files.temporary) - sum(going)
  const packsBytes = PACK_BYTES * (own.length - stored.unread.size)
  return {
    counted: tally,
    count,
    problem: problems.find((each) => each !== undefined),
    fixedBytes: () => files.cacheBytes + files.otherBytes + temporaryBytes + sum(left) + packsBytes + youngBytes(),
    async reclaimableBytes(isCompact) {
      const packs = own.filter((pack) => !stored.unread.has(pathOf(pack)))
      const isReached = (oid: Oid): boolean => tally.isReached(oid)
      const ofPacks = { ...request, folder: layout.packs, packs, isReached, isForeign: foreign, isCompact }
      const oldLoose = files.loose.filter(
        ({ oid, writtenMs }) => nowMs - writtenMs > graceMs(foreign) && !isReached(oid),
      )
      return (await reclaimablePackBytes(ofPacks)) + sum(oldLoose) + sum(going)
    },
  }
}

/** All files of a store but the packs that others share, and what repairs set aside, which nothing but people remove. */
export function ownBytes({ packs, loose, temporary, cacheBytes, otherBytes }: OwnFiles): number {
  return sum(packs.filter((pack) => !pack.isShared)) + sum(loose) + sum(temporary) + cacheBytes + otherBytes
}

/** A collection leaves it as it is. */
function isFixed({ name, isKept }: OwnPack, { live }: LeaseLook): boolean {
  return isKept || carriesLease(live, name)
}

/** Whether a collection would remove the file. */
function isGoing({ name, writtenMs }: OwnFiles["temporary"][number], { live }: LeaseLook, nowMs: number): boolean {
  const lease = leaseOfTemporary(name)
  return lease === undefined ? nowMs - writtenMs > DAY_MS : !live.has(lease)
}

/** How many bytes these files have. */
export function sum(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0)
}

const DAY_MS = 86_400_000
/** What a pack and its index have beside entries and rows: headers, checksums and a table of 256 numbers. */
const PACK_BYTES = 1104 + 32
