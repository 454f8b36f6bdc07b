import { decodeCommit } from "../core/commit.js"
import { isSnapshotError } from "../core/errors.js"
import type { GitObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import {
  ADOPTED,
  adoptedRef,
  adoptedTree,
  baselineRef,
  pinnedRef,
  PINS,
  refTimeMs,
  SNAPSHOTS,
  toRefName,
  type RefName,
} from "../core/ref-name.js"
import { decodeRecord, refOf, type SnapshotRecord } from "../core/snapshot-commit.js"
import { GraphCheck } from "./check-graph.js"
import type { RefStates, StoreCheck, StoreProblem } from "./check-store.js"
import { isForeign } from "./foreign.js"
import { mendPackedRefs } from "./mend-packed-refs.js"
import { objectDatabase } from "./object-database.js"
import { orphanTrees } from "./orphan-trees.js"
import { readOwnNodes } from "./own-nodes.js"
import { refContent, type Refs } from "./refs.js"
import { removeRefs } from "./remove-refs.js"
import type { RepairPorts } from "./repair-packs.js"
import { keepAside, setAside } from "./set-aside.js"
import { isUnreadable } from "./unreadable.js"

/** What refs are mended with. */
export interface RefRepairPorts extends RepairPorts {
  readonly refs: Refs
  readonly nowMs: number
}

/**
 * Sets refs anew that are damaged, or that name a commit which is lost, where the store still tells what they named:
 * snapshots by the name that their commit has, pins and baselines by their snapshots, adopted trees by their name. Gives
 * the names, and where what they were is kept. Only for who holds the maintenance lock.
 */
export async function mendRefs(
  ports: RefRepairPorts,
  check: StoreCheck,
): Promise<{ readonly mended: readonly string[]; readonly setAside: readonly string[] }> {
  const { refs, lost } = check
  const names = new Set([
    ...refs.damaged.keys(),
    ...refs.missing.keys(),
    ...namesOfLost(refs, lost),
    ...[...refs.misnamed].flat(),
  ])
  const mended: string[] = []
  const aside: string[] = []
  if (names.size === 0) return { mended, setAside: aside }
  const stored = await storedSnapshots(ports)
  if (names.delete("packed-refs")) {
    const { isMade, kept } = await mendPackedRefs(ports, refs.damaged.get("packed-refs") === "missing")
    aside.push(...kept)
    if (isMade) mended.push("packed-refs")
    // Which refs went with the lines that were damaged is not known: all snapshots that have none get theirs.
    for (const name of await wholeWithoutRef(ports, stored, refs.oids)) names.add(name)
  }
  const sound = new Map([...refs.oids].filter(([name, oid]) => !lost.has(oid) && !refs.misnamed.has(name)))
  // Others, pins and baselines among them, go by what snapshots' refs name by then.
  const [ofSnapshots, others] = [[...names].filter(isOfSnapshot), [...names].filter((name) => !isOfSnapshot(name))]
  for (const text of [...ofSnapshots, ...others]) {
    const name = toRefName(text)
    const oid = name === undefined ? undefined : (found(name, sound, stored) ?? named(refs, name))
    // Nothing can be put behind a link that leads nowhere.
    const isHidden = [...refs.damaged.keys()].some((damaged) => text.startsWith(`${damaged}/`))
    const isSo = !refs.damaged.has(text) && oid === refs.oids.get(text)
    if (name === undefined || oid === undefined || isSo || isHidden) continue
    await ports.refs.write(name, oid, true)
    sound.set(name, oid)
    mended.push(name)
  }
  for (const [name, own] of refs.misnamed)
    if (!mended.includes(name) && (refs.oids.has(own) || mended.includes(own)))
      aside.push(...(await dropRef(ports, name, refs.oids.get(name))))
  return { mended, setAside: aside }
}

/** The snapshot of a ref that is gone, where another ref still names it. */
function named({ oids, missing }: RefStates, name: RefName): Oid | undefined {
  return oids.get(missing.get(name) ?? "")
}

function isOfSnapshot(name: string): boolean {
  return name.startsWith(SNAPSHOTS)
}

/**
 * Moves refs out of the way that nothing can be made of, and that would keep maintenance from running: damaged ones, and
 * those of snapshots whose commit is lost. Gives where they are, the trees that got refs of their own, since only such
 * a commit named them, and the snapshots that nothing can be made of. Only for who holds the maintenance lock.
 *
 * As long as there is anything that the system does not read, none is moved: what a ref names may be there, and without
 * the ref, maintenance would remove what it reaches.
 */
export async function dropHopelessRefs(
  ports: RefRepairPorts,
  { refs, lost, reasons, packs, loose }: StoreCheck,
  isOurs: (name: string) => boolean,
): Promise<DroppedRefs> {
  const aside: string[] = []
  const isHidden = packs.some(({ index, pack }) => index === "unreadable" || pack === "unreadable")
  if (isHidden || loose.some(({ state }) => state === "unreadable")) return { setAside: [], adopted: [], lost: [] }
  const going = new Map<string, Oid | undefined>(namesOfLost(refs, lost).map((name) => [name, refs.oids.get(name)]))
  // What is too large to be read need not be lost.
  for (const [name, oid] of going) if (oid !== undefined && reasons.has(oid)) going.delete(name)
  for (const name of refs.damaged.keys())
    if (isOurs(name) && (await canRead(ports, name))) going.set(name, refs.odd.get(name))
  const staying = [...refs.oids].flatMap(([name, oid]) => (going.has(name) ? [] : [oid]))
  const adopted = [...going.keys()].some(isOfSnapshot) ? await adoptOrphans(ports, staying) : []
  const gone: StoreProblem[] = []
  for (const [name, oid] of going) {
    aside.push(...(await dropRef(ports, name, oid)))
    const id = oid !== undefined && lost.has(oid) ? oid : name
    if (isOfSnapshot(name) && refTimeMs(name) !== undefined)
      gone.push({ oid: id, problem: "missing", snapshots: [name] })
  }
  return { setAside: aside, adopted, lost: gone }
}

/** What became of refs that nothing can be made of. */
export interface DroppedRefs {
  readonly setAside: readonly string[]
  readonly adopted: readonly Oid[]
  /** The snapshots that they were for, each by its commit where that was known. */
  readonly lost: readonly StoreProblem[]
}

/** Gives the trees refs that lost commits leave. In a gitdir of another tool, every collection does so first. */
async function adoptOrphans(ports: RefRepairPorts, refs: readonly Oid[]): Promise<readonly Oid[]> {
  const { fileSystem, layout, nowMs, signal } = ports
  if (await isForeign(fileSystem, layout)) return []
  const trees = await orphanTrees(ports, layout, refs, signal)
  // By the time of the repair, so that retention leaves them for as long as what is captured now.
  for (const tree of trees) await ports.refs.write(adoptedRef(nowMs, tree), tree, true)
  return trees
}

/** The refs of snapshots, the pins, and the baselines, whose commit is lost. */
function namesOfLost({ oids }: RefStates, lost: ReadonlyMap<Oid, unknown>): string[] {
  return [...oids].filter(([name, oid]) => OF_COMMITS.test(name) && lost.has(oid)).map(([name]) => name)
}

const OF_COMMITS = /^refs\/(?:snapshots|pins|baseline)\//

/** A snapshot that is stored, whether a ref names it or not. */
interface Stored {
  readonly oid: Oid
  readonly record: SnapshotRecord
}

/** All snapshots whose commits are stored, by the names of their refs; without those that share one. */
async function storedSnapshots(ports: RefRepairPorts): Promise<ReadonlyMap<string, Stored>> {
  const stored = new Map<string, Stored>()
  const shared = new Set<string>()
  const meet = (oid: Oid, { type, bytes }: GitObject): void => {
    const record = type === "commit" ? recordOf(bytes, oid) : undefined
    if (record === undefined) return
    const name = refOf(record)
    if ((stored.get(name)?.oid ?? oid) !== oid) shared.add(name)
    stored.set(name, { oid, record })
  }
  try {
    await readOwnNodes(ports, ports.layout, meet)
  } catch (error) {
    // With a pack that the system does not read, what was found so far counts.
    if (!isUnreadable(error)) throw error
  }
  for (const name of shared) stored.delete(name)
  return stored
}

function recordOf(bytes: Uint8Array, oid: Oid): SnapshotRecord | undefined {
  try {
    return decodeRecord(decodeCommit(bytes, oid).message)
  } catch (error) {
    if (isSnapshotError(error, "OBJECT_CORRUPT")) return undefined
    throw error
  }
}

/** Whether the system gives what is in a ref's file, or what is packed: behind a link that leads nowhere may be much. */
async function canRead({ fileSystem, layout }: RefRepairPorts, name: string): Promise<boolean> {
  try {
    const path = `${layout.gitdir}/${name}`
    return (await fileSystem.readFile(path)) !== undefined || (await fileSystem.lstat(path)) === undefined
  } catch (error) {
    if (isUnreadable(error)) return false
    throw error
  }
}

/** The names of the snapshots that no ref names and that have lost nothing. */
async function wholeWithoutRef(
  ports: RefRepairPorts,
  stored: ReadonlyMap<string, Stored>,
  refs: ReadonlyMap<string, Oid>,
): Promise<string[]> {
  const objects = objectDatabase({ ...ports, objectsFolder: ports.layout.objects })
  try {
    const without = [...stored].filter(([name]) => !refs.has(name))
    const graph = new GraphCheck(objects, { signal: ports.signal })
    await graph.walk(without.map(([, { oid }]) => oid))
    const broken = new Set<Oid>()
    for (const [oid, namers] of await graph.namersOf(new Set(graph.lost.keys())))
      for (const reacher of await graph.reachersOf(oid, namers)) broken.add(reacher)
    return without.filter(([, { oid }]) => !broken.has(oid)).map(([name]) => name)
  } finally {
    await objects.close()
  }
}

/** What a ref should name, by the refs that are sound and by the snapshots that are stored. */
function found(name: RefName, sound: ReadonlyMap<string, Oid>, stored: ReadonlyMap<string, Stored>): Oid | undefined {
  if (name.startsWith(SNAPSHOTS)) return stored.get(name)?.oid
  if (name.startsWith(ADOPTED)) return adoptedTree(name)
  // A pin without its snapshot would keep the content of one that was let go.
  if (name.startsWith(PINS)) return sound.get(pinnedRef(name))
  // A copy of it that is packed.
  const packed = sound.get(name)
  if (packed !== undefined) return packed
  let newest: Stored | undefined
  for (const [ref, each] of stored) {
    const isListed = sound.get(ref) === each.oid
    if (!isListed || baselineRef(each.record.workspace, each.record.scope) !== name) continue
    if (newest === undefined || newest.record.createdMs < each.record.createdMs) newest = each
  }
  return newest?.oid
}

/** Takes a ref away, packed or loose, and keeps what it was; gives where. */
async function dropRef(ports: RefRepairPorts, name: string, oid: Oid | undefined): Promise<string[]> {
  const { fileSystem, layout, nowMs } = ports
  const path = `${layout.gitdir}/${name}`
  const loose = (await fileSystem.lstat(path))?.kind === "folder" ? undefined : await setAside(fileSystem, layout, path)
  const ref = toRefName(name)
  if (ref === undefined || oid === undefined) return loose === undefined ? [] : [loose]
  const kept = loose ?? (await keepAside(fileSystem, layout, path, refContent(oid)))
  await removeRefs({ fileSystem, layout, nowMs }, [ref])
  return [kept]
}
