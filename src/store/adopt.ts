/*
 * Adoption: refs for trees that another tool left in a gitdir without one.
 *
 * Such a tool counts on a hash that only its own records name. In the store it is a tree that nothing refers to. Before
 * anything is collected each gets a ref:
 *
 *   refs/adopted/<yyyymmddThhmmssmmmZ>-<oid>    the time of the object's file, so that retention can go by it
 *   let-go                                      lines `<oid> <milliseconds since 1970>`: trees whose refs retention
 *                                               removed, and when
 *
 * Adoption is safe to run again and again, and to be killed: what has a ref is passed over.
 */
import pLimit from "p-limit"
import { lossyText, utf8 } from "../core/bytes.js"
import type { Clock } from "../core/clock.js"
import { decodeCommit } from "../core/commit.js"
import { isSnapshotError } from "../core/errors.js"
import { fileMs, type FileSystem } from "../core/file-system.js"
import type { GitObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { adoptedRef, adoptedTree, ADOPTED, refTimeMs, type RefName } from "../core/ref-name.js"
import { decodeRecord } from "../core/snapshot-commit.js"
import { settleAll } from "../core/settle-all.js"
import { tagTarget } from "../core/tag.js"
import { decodeTree } from "../core/tree.js"
import { writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"
import { loosePath } from "./loose-object.js"
import { objectDatabase } from "./object-database.js"
import { readOwnNodes } from "./own-nodes.js"
import type { Refs } from "./refs.js"
import { removeRefs } from "./remove-refs.js"
import type { ObjectPorts } from "./stored-object.js"
import { wholeTrees } from "./whole-trees.js"

/** What adoption works with. */
export interface AdoptionPorts extends ObjectPorts {
  readonly clock: Clock
}

/**
 * Gives each whole root tree of the gitdir's own objects folder a ref, durable when this resolves; gives how many refs
 * were written. A root tree is one that no stored tree, commit or tag and no ref refers to. A loose tree that only
 * snapshots of ours name is one, too: snapshots are packed, so another tool stored it and may count on it when they are
 * gone. A tree whose file was touched since it got its ref was asked for again: it gets a newer ref beside it.
 *
 * A tree is whole when all that it reaches is stored, here or in an alternate. A ref to another would end every
 * collection, Git's too, so none is given, and one that is there is removed. Only for who holds the maintenance lock.
 *
 * A damaged object is passed over: it is not removed for that, and what only it refers to counts as a root and gets a
 * ref. What the system fails to read throws.
 */
export async function adoptRootTrees(ports: AdoptionPorts, layout: GitdirLayout, refs: Refs): Promise<number> {
  const { fileSystem } = ports
  const graph = await readGraph(ports, layout)
  const gone = await readLetGo(fileSystem, layout)
  const named = await otherTargets(refs)
  const roots = [...graph.trees].filter(([oid]) => !graph.referenced.has(oid) && !named.has(oid))
  const adopted = await adoptedRefs(refs)
  const whole = await wholeAmong(ports, layout, [...roots.map(([oid]) => oid), ...adopted.values()])
  await removeBroken(ports, layout, adopted, whole)
  const known = adoptedTimes(adopted, gone)

  async function adopt(oid: Oid, packMs: number | undefined): Promise<number> {
    const knownMs = known.get(oid)
    const loose = await fileSystem.lstat(loosePath(layout.objects, oid))
    // A pack is written anew for reasons of its own: its time says nothing of a tree that is known.
    if (loose === undefined && (knownMs !== undefined || graph.ofSnapshots.has(oid))) return 0
    // A loose object that went meanwhile was packed just now.
    const stat = loose ?? (packMs === undefined ? await fileSystem.lstat(layout.packs) : undefined)
    const ms = Math.max(packMs ?? 0, stat === undefined ? 0 : fileMs(stat))
    if (knownMs !== undefined && ms <= knownMs) return 0
    await refs.write(adoptedRef(ms, oid), oid, true)
    return 1
  }

  const atOnce = pLimit(REFS_AT_ONCE)
  const wholeRoots = roots.filter(([oid]) => whole.has(oid))
  const written = await settleAll(wholeRoots.map(([oid, packMs]) => atOnce(() => adopt(oid, packMs))))
  const left = new Map([...gone].filter(([oid]) => graph.trees.has(oid)))
  if (left.size < gone.size) await writeLetGo(fileSystem, layout, left)
  return written.reduce((sum, count) => sum + count, 0)
}

/**
 * Notes, durably, that adopted trees are let go at `nowMs`, so that the next adoption gives them no ref again. To be
 * called before their refs are removed, by whoever holds the lock of maintenance.
 */
export async function letGo(
  fileSystem: FileSystem,
  layout: GitdirLayout,
  trees: Iterable<Oid>,
  nowMs: number,
): Promise<void> {
  const gone = await readLetGo(fileSystem, layout)
  for (const oid of trees) gone.set(oid, nowMs)
  await writeLetGo(fileSystem, layout, gone)
}

/** Lines that cannot be understood let nothing go. */
async function readLetGo(fileSystem: FileSystem, layout: GitdirLayout): Promise<Map<Oid, number>> {
  const gone = new Map<Oid, number>()
  const bytes = await fileSystem.readFile(`${layout.gitdir}/${LET_GO}`)
  for (const line of bytes === undefined ? [] : lossyText(bytes).split("\n")) {
    const match = /^([0-9a-f]{40}) (\d{1,15})$/.exec(line)
    if (match !== null) gone.set(match[1] as Oid, Number(match[2]))
  }
  return gone
}

async function writeLetGo(fileSystem: FileSystem, layout: GitdirLayout, gone: ReadonlyMap<Oid, number>): Promise<void> {
  const text = Array.from(gone, ([oid, ms]) => `${oid} ${Math.floor(ms)}\n`).join("")
  await writeAtomically(fileSystem, layout.temporary, `${layout.gitdir}/${LET_GO}`, utf8(text), true)
}

/** What refers to what in the gitdir's own objects folder. */
interface Graph {
  /** All trees, with the newest time of their packs. */
  readonly trees: ReadonlyMap<Oid, number | undefined>
  /** What trees, tags and commits refer to, but for those of snapshots. */
  readonly referenced: ReadonlySet<Oid>
  /** The trees of snapshots. */
  readonly ofSnapshots: ReadonlySet<Oid>
}

async function readGraph(ports: ObjectPorts, layout: GitdirLayout): Promise<Graph> {
  const trees = new Map<Oid, number | undefined>()
  const referenced = new Set<Oid>()
  const ofSnapshots = new Set<Oid>()
  await readOwnNodes(ports, layout, (oid, object, packMs) => {
    if (object.type === "tree") trees.set(oid, newest(trees.get(oid), packMs))
    const { targets, isSnapshot } = treesIn(object, oid)
    // A snapshot is packed. One that is loose was let go and unpacked by Git, and its tree with it.
    const into = isSnapshot && packMs !== undefined ? ofSnapshots : referenced
    for (const target of targets) into.add(target)
  })
  return { trees, referenced, ofSnapshots }
}

function newest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}

/** The trees that an object refers to, and whether it is the commit of a snapshot. What makes no sense refers to nothing. */
function treesIn({ type, bytes }: GitObject, oid: Oid): { targets: readonly Oid[]; isSnapshot: boolean } {
  try {
    if (type === "tag") return { targets: [tagTarget(bytes, oid)], isSnapshot: false }
    if (type === "commit") {
      const { tree, message } = decodeCommit(bytes, oid)
      return { targets: [tree], isSnapshot: decodeRecord(message) !== undefined }
    }
    const folders = decodeTree(bytes, oid).filter((entry) => entry.mode === "40000")
    return { targets: folders.map((entry) => entry.oid), isSnapshot: false }
  } catch (error) {
    if (isSnapshotError(error, "OBJECT_CORRUPT")) return { targets: [], isSnapshot: false }
    throw error
  }
}

async function wholeAmong(ports: ObjectPorts, layout: GitdirLayout, trees: readonly Oid[]): Promise<ReadonlySet<Oid>> {
  const objects = objectDatabase({ ...ports, objectsFolder: layout.objects })
  try {
    return await wholeTrees(objects, trees)
  } finally {
    await objects.close()
  }
}

/** What is left of such a tree has the time of grace that all unreached objects have; `let-go` need not name it. */
async function removeBroken(
  { fileSystem, clock }: AdoptionPorts,
  layout: GitdirLayout,
  adopted: ReadonlyMap<RefName, Oid>,
  whole: ReadonlySet<Oid>,
): Promise<void> {
  const broken = [...adopted].filter(([, oid]) => !whole.has(oid)).map(([name]) => name)
  if (broken.length > 0) await removeRefs({ fileSystem, layout, nowMs: clock.nowMs() }, broken)
}

/** The refs of adopted trees, with the tree that each is named after. */
async function adoptedRefs(refs: Refs): Promise<Map<RefName, Oid>> {
  const adopted = new Map<RefName, Oid>()
  for (const name of await refs.names(ADOPTED)) {
    const oid = adoptedTree(name)
    if (oid !== undefined) adopted.set(name, oid)
  }
  return adopted
}

/** When each known tree was last written by its refs, or was let go. */
function adoptedTimes(adopted: ReadonlyMap<RefName, Oid>, gone: ReadonlyMap<Oid, number>): Map<Oid, number> {
  const times = new Map<Oid, number>(gone)
  for (const [name, oid] of adopted) times.set(oid, Math.max(times.get(oid) ?? 0, refTimeMs(name) ?? 0))
  return times
}

/** What refs of all other kinds name. Those of running restores go any moment and do not count. */
async function otherTargets(refs: Refs): Promise<Set<Oid>> {
  const targets = new Set<Oid>()
  for (const name of await refs.names("refs/")) {
    if (OWN_REFS.some((prefix) => name.startsWith(prefix))) continue
    const oid = await readRef(refs, name)
    if (oid !== undefined) targets.add(oid)
  }
  return targets
}

/** A symbolic ref names no object by itself, and a damaged one none at all. */
async function readRef(refs: Refs, name: RefName): Promise<Oid | undefined> {
  try {
    return await refs.read(name)
  } catch (error) {
    if (isSnapshotError(error, "REF_INVALID")) return undefined
    throw error
  }
}

const LET_GO = "let-go"
const OWN_REFS: readonly string[] = [ADOPTED, "refs/restores/", "refs/snapshots/", "refs/baseline/"]
const REFS_AT_ONCE = 16
