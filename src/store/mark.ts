import { decodeCommit } from "../core/commit.js"
import { isSnapshotError, SnapshotError } from "../core/errors.js"
import { readAs, type ObjectType } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { drain } from "../core/settle-all.js"
import { tagTarget } from "../core/tag.js"
import { decodeTree } from "../core/tree.js"
import { pauses } from "../core/turns.js"
import type { ObjectDatabase } from "./object-database.js"

/** How to mark. */
export interface MarkOptions {
  /** Passes over what is missing. Default: OBJECT_MISSING. */
  readonly missing?: "pass-over"
  /** Is told of what cannot be read, which is passed over then. Default: it throws. */
  readonly onUnreadable?: (error: SnapshotError) => void
  readonly signal?: AbortSignal | undefined
  /** Is told of the number of marked objects. */
  readonly onMarked?: (count: number) => void
}

/** Oids that were noted. */
export type OidNotes = Pick<Set<Oid>, "has" | "size"> & { add(oid: Oid): unknown }

/** What was reached. */
export interface Marks<Notes extends OidNotes = Set<Oid>> {
  /** All objects that were reached. */
  readonly reached: Notes
  /** Those that were looked into. A damaged tree may call a folder a file: what was only reached was not. */
  readonly walked: Notes
}

/** Nothing reached yet. */
export function noMarks(): Marks {
  return { reached: new Set(), walked: new Set() }
}

/**
 * Adds to `marks` all that the roots reach: objects of any type. Contents of files are not read, all else is, and
 * verified. What cannot be read: OBJECT_MISSING, OBJECT_CORRUPT, IO_FAILED.
 */
export async function mark(
  objects: ObjectDatabase,
  roots: Iterable<Oid>,
  { reached, walked }: Marks<OidNotes>,
  options: MarkOptions = {},
): Promise<void> {
  const { missing, onUnreadable, signal, onMarked } = options
  const pause = pauses()
  const open: NamedObject[] = []
  const add = (oid: Oid, type: ObjectType | undefined): void => {
    reached.add(oid)
    // Whether a blob is there decides about nothing else, so it need not be read.
    if (type === "blob" || walked.has(oid)) return
    walked.add(oid)
    open.push({ oid, type })
  }
  for (const oid of roots) add(oid, undefined)
  await drain(open, AT_ONCE, async ({ oid, type: told }) => {
    signal?.throwIfAborted()
    onMarked?.(reached.size)
    await pause()
    const targets = await targetsAt(objects, oid, told, missing).catch((error: unknown) => {
      if (onUnreadable === undefined || !(error instanceof SnapshotError)) throw error
      onUnreadable(error)
      return []
    })
    for (const target of targets) add(target.oid, target.type)
  })
}

/** An object that another one names. */
export interface NamedObject {
  readonly oid: Oid
  /** Undefined when what names it does not tell. */
  readonly type: ObjectType | undefined
}

/** What the object names; nothing for one that is passed over. */
async function targetsAt(
  objects: ObjectDatabase,
  oid: Oid,
  told: ObjectType | undefined,
  missing: "pass-over" | undefined,
): Promise<readonly NamedObject[]> {
  const type = told ?? (await typeOf(objects, oid, missing))
  if (type === undefined || type === "blob") return []
  const bytes = await readAs(objects, oid, type).catch((error: unknown) => {
    if (missing === "pass-over" && isSnapshotError(error, "OBJECT_MISSING")) return undefined
    throw error
  })
  return bytes === undefined ? [] : targetsOf(type, bytes, oid)
}

async function typeOf(
  objects: ObjectDatabase,
  oid: Oid,
  missing: "pass-over" | undefined,
): Promise<ObjectType | undefined> {
  const stream = await objects.stream(oid)
  if (stream !== undefined || missing === "pass-over") return stream?.type
  throw new SnapshotError(
    "OBJECT_MISSING",
    `The object ${oid} is missing from the store, so nothing can be removed: what it reached is not known. Verify the store, and repair it; forget the snapshots that cannot be made whole.`,
    { oid },
  )
}

/** What a tree, commit or tag names; gitlinks are left out. Bytes that make no sense: OBJECT_CORRUPT. */
export function targetsOf(type: Exclude<ObjectType, "blob">, bytes: Uint8Array, oid: Oid): NamedObject[] {
  if (type === "tag") return [{ oid: tagTarget(bytes, oid), type: undefined }]
  if (type === "commit") {
    const { tree, parents } = decodeCommit(bytes, oid)
    return [{ oid: tree, type: "tree" }, ...parents.map((parent): NamedObject => ({ oid: parent, type: "commit" }))]
  }
  return decodeTree(bytes, oid)
    .filter(({ mode }) => mode !== "160000")
    .map((entry) => ({ oid: entry.oid, type: entry.mode === "40000" ? "tree" : "blob" }))
}

const AT_ONCE = 16
