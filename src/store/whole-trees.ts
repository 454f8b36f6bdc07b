import { isSnapshotError } from "../core/errors.js"
import { readAs } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { drain } from "../core/settle-all.js"
import { decodeTree, type TreeEntry } from "../core/tree.js"
import type { ObjectDatabase } from "./object-database.js"

/**
 * Those of `roots` that are whole trees: every tree in them can be read, and every file and link in them is stored, be
 * its content damaged. Gitlinks do not count. What the system fails to read throws: IO_FAILED.
 *
 * Each tree is looked into once, however many share it.
 */
export async function wholeTrees(objects: ObjectDatabase, roots: Iterable<Oid>): Promise<Set<Oid>> {
  const wanted = new Set(roots)
  const { parents, files, broken } = await walk(objects, wanted)
  const stored = await objects.present(files)
  if (stored.size < files.size) {
    // Which trees name a file is only asked when one is missing: it would be most of what there is to remember.
    await drain([...parents.keys()], AT_ONCE, async (oid) => {
      const entries = await readEntries(objects, oid)
      if (entries?.some((entry) => isFile(entry) && !stored.has(entry.oid)) !== false) broken.add(oid)
    })
  }
  const open = [...broken]
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    for (const parent of parents.get(oid) ?? []) {
      if (broken.has(parent)) continue
      broken.add(parent)
      open.push(parent)
    }
  }
  return new Set([...wanted].filter((oid) => !broken.has(oid)))
}

/** What the roots reach. */
interface Reached {
  /** All trees, with those that they are in. */
  readonly parents: ReadonlyMap<Oid, readonly Oid[]>
  readonly files: ReadonlySet<Oid>
  /** The trees that cannot be read. */
  readonly broken: Set<Oid>
}

async function walk(objects: ObjectDatabase, roots: ReadonlySet<Oid>): Promise<Reached> {
  const parents = new Map<Oid, Oid[]>(Array.from(roots, (oid) => [oid, []]))
  const files = new Set<Oid>()
  const broken = new Set<Oid>()
  const open = [...roots]
  await drain(open, AT_ONCE, async (oid) => {
    const entries = await readEntries(objects, oid)
    if (entries === undefined) broken.add(oid)
    for (const entry of entries ?? []) {
      if (isFile(entry)) files.add(entry.oid)
      if (entry.mode !== "40000") continue
      const known = parents.get(entry.oid)
      known?.push(oid)
      if (known !== undefined) continue
      parents.set(entry.oid, [oid])
      open.push(entry.oid)
    }
  })
  return { parents, files, broken }
}

/** The entries of a tree; undefined when it is missing, damaged, or no tree. */
async function readEntries(objects: ObjectDatabase, oid: Oid): Promise<TreeEntry[] | undefined> {
  try {
    return decodeTree(await readAs(objects, oid, "tree"), oid)
  } catch (error) {
    if (isSnapshotError(error, "OBJECT_MISSING") || isSnapshotError(error, "OBJECT_CORRUPT")) return undefined
    throw error
  }
}

function isFile({ mode }: TreeEntry): boolean {
  return mode !== "40000" && mode !== "160000"
}

const AT_ONCE = 16
