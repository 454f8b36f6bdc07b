/*
 * Repairs a store: step by step, and after each step the whole store is checked anew, so that what counts as repaired was
 * read again. Each step stores what it saves before it moves what is damaged out of the way, so that a repair that is
 * killed leaves nothing worse than it was, and is gone through again. Only for who holds the maintenance lock.
 */
import { toOid, type Oid } from "../core/oid.js"
import { checkStore, type StoreProblem, type StoreCheck, type StoreCheckRequest } from "./check-store.js"
import { objectDatabase } from "./object-database.js"
import { recoverObjects, type ContentSource } from "./recover-objects.js"
import type { LiveLeases } from "./live-leases.js"
import { repairFiles, type RepairPorts } from "./repair-packs.js"
import { dropHopelessRefs, mendRefs, type RefRepairPorts } from "./repair-refs.js"

/** What to repair, and what with. */
export interface StoreRepairRequest extends StoreCheckRequest, RepairPorts, RefRepairPorts {
  /** Reads the leases, and revokes those of dead owners. */
  readonly leases: () => Promise<LiveLeases>
  /** Where lost content is looked for, the first one first. */
  readonly sources: readonly ContentSource[]
  /** Whether a ref may be moved out of the way when nothing can be made of it. */
  readonly isOurs: (ref: string) => boolean
}

/** What a repair did. */
export interface StoreRepair {
  /** What is left. */
  readonly check: StoreCheck
  /** The objects, refs and files that were problems and are none any more. */
  readonly repaired: readonly string[]
  /** Where things were moved to, from the gitdir on. */
  readonly setAside: readonly string[]
  /** Trees whose snapshots' commits are lost, and that have refs of their own now. */
  readonly adopted: readonly Oid[]
  /** The snapshots that could not be saved, and whose refs were moved: nothing is left of them that a check would find. */
  readonly lost: readonly StoreProblem[]
}

/** Repairs what can be repaired. What the system fails to do throws; what was done by then stays done. */
export async function repairStore(request: StoreRepairRequest): Promise<StoreRepair> {
  const seen = new Set<string>()
  const sought = new Set<Oid>()
  const done: Done = { setAside: [], adopted: [], lost: [] }
  for (let round = 0; ; round++) {
    request.signal?.throwIfAborted()
    const check = await checkStore(request)
    for (const { oid } of check.problems) seen.add(oid)
    const isChanged =
      check.problems.length > 0 && round < MOST_ROUNDS && (await repairStep(request, check, sought, done))
    if (!isChanged) return { check, repaired: await mendedOf(request, check, seen), ...done }
  }
}

/** What was done so far. */
interface Done {
  readonly setAside: string[]
  readonly adopted: Oid[]
  readonly lost: StoreProblem[]
}

/** The first step that does anything; whether there was one. `sought` has the objects that were looked for before. */
async function repairStep(
  request: StoreRepairRequest,
  check: StoreCheck,
  sought: Set<Oid>,
  done: Done,
): Promise<boolean> {
  const { layout, sources, signal } = request
  const aside = done.setAside
  // After the files were listed, as in a collection: what a capture has put there since is none of them.
  const files = await repairFiles(request, await request.leases(), check.packs, check.loose)
  aside.push(...files.setAside)
  if (files.setAside.length + files.indexes > 0) return true
  const refs = await mendRefs(request, check)
  aside.push(...refs.setAside)
  if (refs.mended.length + refs.setAside.length > 0) return true
  const lost = [...check.lost.keys()].filter((oid) => !sought.has(oid))
  for (const oid of lost) sought.add(oid)
  if (lost.length > 0 && (await recoverObjects(request, layout, lost, sources, signal)) > 0) return true
  const dropped = await dropHopelessRefs(request, check, request.isOurs)
  aside.push(...dropped.setAside)
  done.adopted.push(...dropped.adopted)
  done.lost.push(...dropped.lost)
  return dropped.setAside.length > 0
}

/** What was a problem, is none any more, and is there. */
async function mendedOf(
  request: StoreRepairRequest,
  { problems, refs }: StoreCheck,
  seen: ReadonlySet<string>,
): Promise<string[]> {
  const left = new Set(problems.map(({ oid }) => oid))
  const gone = [...seen].filter((name) => !left.has(name))
  const objects = objectDatabase({ ...request, objectsFolder: request.layout.objects })
  try {
    const stored = await objects.present(
      gone.map(toOid).filter((oid) => oid !== undefined),
      "pass-over",
    )
    const isThere = async (name: string): Promise<boolean> => {
      const oid = toOid(name)
      if (oid !== undefined) return stored.has(oid)
      return refs.oids.has(name) || (await request.fileSystem.lstat(`${request.layout.gitdir}/${name}`)) !== undefined
    }
    const mended: string[] = []
    for (const name of gone) if (await isThere(name)) mended.push(name)
    return mended
  } finally {
    await objects.close()
  }
}

/** Each round repairs something; more would mean that something damages it again. */
const MOST_ROUNDS = 100
