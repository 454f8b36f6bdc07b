/*
 * Collection, safe beside captures that keep their half of the protocol in docs/STORAGE.md. Before it, refs that are let
 * go are removed (M1); then
 *
 *   M2 list the candidates           M4 read all refs
 *   M3 read the leases, revoke       M5 mark from the refs and from the bases of live leases
 *      those of dead owners          M6 remove candidates that are unreached or copied, and carry no live lease's id
 *
 * The order is what makes it safe. Only for who holds the maintenance lock.
 */
import type { Deflater } from "../core/deflater.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { isTrue, readGitConfig } from "../core/git-config.js"
import { lossyText } from "../core/bytes.js"
import type { Hasher } from "../core/hasher.js"
import type { OnProgress } from "../core/progress.js"
import { listCandidates } from "./candidates.js"
import { fold } from "./fold.js"
import { foreignRoots, isForeign, NO_ROOTS, type ForeignRoots } from "./foreign.js"
import type { Oid } from "../core/oid.js"
import { RESTORES, SNAPSHOTS } from "../core/ref-name.js"
import type { GitdirLayout } from "./gitdir.js"
import type { LeaseBase } from "./lease.js"
import { likeness } from "./likeness.js"
import { readLeases, type LiveLeases } from "./live-leases.js"
import type { CountsAsAlive } from "./liveness.js"
import type { LivePack } from "./live-pack.js"
import { refuseLonePins } from "./lone-pins.js"
import { refuseLostPackedRefs } from "./lost-packed-refs.js"
import { mark, noMarks, type Marks } from "./mark.js"
import type { ObjectDatabase } from "./object-database.js"
import { Removal } from "./removal.js"
import { refuseOddSnapshots } from "./odd-snapshots.js"
import { readRefRoots, type RefRoots } from "./roots.js"
import { sweep } from "./sweep.js"
import { takeOver } from "./take-over.js"
import { dropMarkers } from "./unsynced.js"

/** What a collection works with. */
export interface CollectRequest {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly deflater: Deflater
  readonly layout: GitdirLayout
  readonly objects: ObjectDatabase
  readonly nowMs: number
  readonly isAlive: CountsAsAlive
  /** Nothing that is unreached stays in any pack, so that it is gone. */
  readonly isCompact: boolean
  /** Larger objects are not made deltas of. */
  readonly largestDelta: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** What was removed, and written in its place. */
export interface CollectReport {
  readonly objectsRemoved: number
  readonly bytesFreed: number
  readonly packsRemoved: number
  readonly packsWritten: number
  readonly objectsTakenOver: number
}

/** A report, and whether anything stayed only for what runs now, or ran until it was killed. */
export interface CollectResult {
  readonly report: CollectReport
  readonly isHeld: boolean
}

/**
 * Removes what no ref and no running capture counts on. When anything that is reached cannot be read, nothing is removed:
 * REF_INVALID, OBJECT_MISSING, OBJECT_CORRUPT, IO_FAILED. A gitdir whose configuration forbids it: UNSUPPORTED.
 */
export async function collect(request: CollectRequest): Promise<CollectResult> {
  const { fileSystem, hasher, layout, objects, nowMs, isAlive, signal, onProgress } = request
  await refusePrecious(fileSystem, layout)
  const candidates = await listCandidates(fileSystem, layout)
  const leases = await readLeases(fileSystem, layout.leases, isAlive)
  const refs = await readRefRoots(fileSystem, layout.gitdir)
  await refuseLostPackedRefs(fileSystem, layout)
  refuseLonePins(refs.oids)
  const foreign = await isForeign(fileSystem, layout)
  const ofForeign = foreign ? await foreignRoots({ fileSystem, hasher, objects }, layout) : NO_ROOTS
  const { reached } = await markAll(request, leases, refs, ofForeign)
  const removal = new Removal(fileSystem, layout, refs.folders)
  const swept = await sweep({
    fileSystem,
    hasher,
    layout,
    candidates,
    leases,
    reached,
    removal,
    isWhole: async () => (await objects.present(reached)).size === reached.size,
    nowMs,
    isForeign: foreign,
    signal,
    ...(onProgress === undefined
      ? {}
      : { onSwept: (done: number, total: number) => onProgress({ phase: "collect", done, total }) }),
  })
  const ended = candidates.unsynced.filter((id) => !leases.has(id))
  await dropMarkers(fileSystem, layout, ended, refs.oids)
  // What went has made room for what is written now.
  const taken = await takeOver({
    ...request,
    reached,
    leases,
    loose: candidates.loose,
    onTaken: (bytes) => onProgress?.({ phase: "repack", done: bytes }),
  })
  const folded = await foldAll(request, swept.live, reached, refs, removal)
  if (swept.failure !== undefined) throw swept.failure.error
  const report = {
    objectsRemoved: swept.objectsRemoved + folded.objectsRemoved,
    packsRemoved: swept.packsRemoved + folded.packsRemoved,
    packsWritten: folded.packsWritten,
    bytesFreed: removal.bytesFreed - folded.bytesWritten - taken.bytesWritten,
    objectsTakenOver: taken.objects,
  }
  return { report, isHeld: isHeld(leases, refs) }
}

/** Whether a capture builds on a snapshot that was let go, or a restore reads one, or was killed less than a day ago. */
function isHeld(leases: LiveLeases, { oids }: RefRoots): boolean {
  const isGone = (base: LeaseBase | undefined): boolean => base !== undefined && oids.get(base.ref) !== base.oid
  return [...leases.values()].some(isGone) || [...oids.keys()].some((name) => name.startsWith(RESTORES))
}

/** Writes packs anew, and removes those that each takes the place of as soon as it is there. */
async function foldAll(
  request: CollectRequest,
  packs: readonly LivePack[],
  reached: ReadonlySet<Oid>,
  refs: RefRoots,
  removal: Removal,
): Promise<{ objectsRemoved: number; packsRemoved: number; packsWritten: number; bytesWritten: number }> {
  const { objects, signal, onProgress } = request
  const total = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const report = { objectsRemoved: 0, packsRemoved: 0, packsWritten: 0, bytesWritten: 0 }
  let done = 0
  const folding = fold({
    ...request,
    packs,
    isWanted: (oid) => reached.has(oid),
    likenessOf: (isAsked) => likeness({ reader: objects, lines: snapshotLines(refs), isAsked, signal }),
    onMerged: (bytes) => onProgress?.({ phase: "repack", done: (done += bytes), total }),
  })
  for await (const { merged, objects: count, sizeBytes } of folding) {
    // Whoever looks for an object has to find the new pack first.
    for (const { path, extensions } of merged) await removal.pack(path, extensions)
    report.packsWritten++
    report.packsRemoved += merged.length
    report.bytesWritten += sizeBytes
    report.objectsRemoved += merged.reduce((sum, { index }) => sum + index.count, 0) - count
  }
  return report
}

/** The snapshots of each workspace, oldest first: their names sort by time. */
function snapshotLines({ oids }: RefRoots): Oid[][] {
  const lines = new Map<string, Oid[]>()
  const names = [...oids.keys()].filter((name) => name.startsWith(SNAPSHOTS)).sort()
  for (const name of names) {
    const workspace = name.slice(0, name.lastIndexOf("/"))
    const line = lines.get(workspace) ?? []
    lines.set(workspace, line)
    line.push(oids.get(name) as Oid)
  }
  return [...lines.values()]
}

async function markAll(
  { objects, signal, onProgress }: CollectRequest,
  leases: LiveLeases,
  refs: RefRoots,
  ofForeign: ForeignRoots,
): Promise<Marks> {
  const marks = noMarks()
  const options = { signal, onMarked: (done: number): void => onProgress?.({ phase: "mark", done }) }
  await refuseOddSnapshots(objects, refs, signal)
  await mark(objects, [...refs.oids.values(), ...ofForeign.named], marks, options)
  await mark(objects, ofForeign.cached, marks, { ...options, missing: "pass-over" })
  for (const base of leases.values()) {
    if (base === undefined || refs.oids.get(base.ref) === base.oid) continue
    // A base whose ref is gone may have been collected before its lease was taken: the capture finds that out itself.
    await mark(objects, [base.oid], marks, { ...options, missing: "pass-over" })
  }
  return marks
}

/** Source: https://git-scm.com/docs/gitrepository-layout, https://git-scm.com/docs/git-config (extensions.preciousObjects) */
async function refusePrecious(fileSystem: FileSystem, { gitdir }: GitdirLayout): Promise<void> {
  const config = readGitConfig(lossyText((await fileSystem.readFile(`${gitdir}/config`)) ?? new Uint8Array()))
  if (!isTrue(config, "extensions.preciousobjects")) return
  throw new SnapshotError(
    "UNSUPPORTED",
    `Nothing is removed from ${gitdir}: its configuration has extensions.preciousObjects set. Unset it first if its objects may go.`,
    { capability: "removing objects from a gitdir that declares them precious" },
  )
}
