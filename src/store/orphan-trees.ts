/*
 * Trees that nothing names any more since the commit that did is lost. Without a ref of their own, the next collection
 * would remove what only they hold, sound as it may be.
 */
import { isDamage, isSnapshotError } from "../core/errors.js"
import { readAs } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import type { GitdirLayout } from "./gitdir.js"
import { mark, noMarks, targetsOf, type Marks } from "./mark.js"
import { objectDatabase, type ObjectDatabase } from "./object-database.js"
import { readOwnNodes } from "./own-nodes.js"
import type { ObjectPorts } from "./stored-object.js"
import { isUnreadable } from "./unreadable.js"

/**
 * The stored trees that `refs` do not reach and that no stored tree, commit or tag names: what a lost commit leaves. A
 * commit that is stored and was let go still names its tree. All folders in such a tree can be read; of one in which a
 * folder is lost, those of its folders in which none is.
 */
export async function orphanTrees(
  ports: ObjectPorts,
  layout: GitdirLayout,
  refs: Iterable<Oid>,
  signal?: AbortSignal,
): Promise<readonly Oid[]> {
  const open = await unnamedTrees(ports, layout)
  const objects = objectDatabase({ ...ports, objectsFolder: layout.objects })
  try {
    const marks = noMarks()
    await mark(objects, refs, marks, { signal, onUnreadable: () => {} })
    const found: Oid[] = []
    for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
      if (marks.walked.has(oid)) continue
      const own = await marksOf(objects, oid, signal)
      if (own === undefined) {
        marks.walked.add(oid)
        open.push(...(await foldersIn(objects, oid)))
      } else {
        for (const each of own.walked) marks.walked.add(each)
        found.push(oid)
      }
    }
    return found
  } finally {
    await objects.close()
  }
}

/** All stored trees that no stored object names. */
async function unnamedTrees(ports: ObjectPorts, layout: GitdirLayout): Promise<Oid[]> {
  const trees = new Set<Oid>()
  const named = new Set<Oid>()
  await readOwnNodes(ports, layout, (oid, { type, bytes }) => {
    if (type === "tree") trees.add(oid)
    try {
      if (type !== "blob")
        for (const target of targetsOf(type, bytes, oid)) if (target.type !== "blob") named.add(target.oid)
    } catch (error) {
      // What makes no sense names nothing.
      if (!isDamage(error)) throw error
    }
  })
  return [...trees].filter((oid) => !named.has(oid))
}

/** All that a tree reaches; undefined when a folder in it cannot be read. */
async function marksOf(
  objects: ObjectDatabase,
  tree: Oid,
  signal: AbortSignal | undefined,
): Promise<Marks | undefined> {
  const marks = noMarks()
  try {
    await mark(objects, [tree], marks, { signal })
    return marks
  } catch (error) {
    if (isUseless(error)) return undefined
    throw error
  }
}

async function foldersIn(objects: ObjectDatabase, tree: Oid): Promise<Oid[]> {
  try {
    const targets = targetsOf("tree", await readAs(objects, tree, "tree"), tree)
    return targets.filter(({ type }) => type === "tree").map(({ oid }) => oid)
  } catch (error) {
    if (isUseless(error)) return []
    throw error
  }
}

/** Whether a failure is about the object alone. */
function isUseless(error: unknown): boolean {
  return isDamage(error) || isSnapshotError(error, "UNSUPPORTED") || isUnreadable(error)
}
