/*
 * Collection, safe beside captures that keep their half of the protocol in docs/STORAGE.md. Before it, refs that are let
 * go are removed (M1); then
 *
 *   M2 list the candidates           M4 read all refs
 *   M3 read the leases, revoke       M5 mark from the refs and from the bases of live leases
 *      those of dead owners          M6 remove candidates that are unreached and carry no live lease's id
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
import { foreignRoots, isForeign, type ForeignRoots } from "./foreign.js"
import type { GitdirLayout } from "./gitdir.js"
import { readLeases, type LiveLeases } from "./live-leases.js"
import type { CountsAsAlive } from "./liveness.js"
import { mark, noMarks, type Marks } from "./mark.js"
import type { ObjectDatabase } from "./object-database.js"
import { readRefRoots, type RefRoots } from "./roots.js"
import { sweep, type SweepReport } from "./sweep.js"
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
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * Removes what no ref and no running capture counts on. When anything that is reached cannot be read, nothing is removed:
 * REF_INVALID, OBJECT_MISSING, OBJECT_CORRUPT, IO_FAILED. A gitdir whose configuration forbids it: UNSUPPORTED.
 */
export async function collect(request: CollectRequest): Promise<SweepReport> {
  const { fileSystem, hasher, deflater, layout, objects, nowMs, isAlive, signal, onProgress } = request
  await refusePrecious(fileSystem, layout)
  const candidates = await listCandidates(fileSystem, layout)
  const leases = await readLeases(fileSystem, layout.leases, isAlive)
  const refs = await readRefRoots(fileSystem, layout.gitdir)
  const foreign = await isForeign(fileSystem, layout)
  const ofForeign = foreign ? await foreignRoots({ fileSystem, hasher, objects }, layout) : NO_ROOTS
  const { reached } = await markAll(request, leases, refs, ofForeign)
  const report = await sweep({
    fileSystem,
    hasher,
    deflater,
    layout,
    candidates,
    leases,
    reached,
    refFolders: refs.folders,
    nowMs,
    isForeign: foreign,
    signal,
    ...(onProgress === undefined
      ? {}
      : { onSwept: (done: number, total: number) => onProgress({ phase: "collect", done, total }) }),
  })
  const ended = candidates.unsynced.filter((id) => !leases.has(id))
  await dropMarkers(fileSystem, layout, ended, refs.oids)
  return report
}

const NO_ROOTS: ForeignRoots = { named: [], cached: [] }

async function markAll(
  { objects, signal, onProgress }: CollectRequest,
  leases: LiveLeases,
  refs: RefRoots,
  ofForeign: ForeignRoots,
): Promise<Marks> {
  const marks = noMarks()
  const options = { signal, onMarked: (done: number): void => onProgress?.({ phase: "mark", done }) }
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
