import { errnoOf, isSnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import type { GitdirLayout } from "./gitdir.js"
import { newPack } from "./new-pack.js"
import type { PackWriter } from "./pack-writer.js"
import { putObject } from "./put-object.js"
import type { ObjectPorts, ObjectStream } from "./stored-object.js"
import { isUnreadable } from "./unreadable.js"

/** A place where what a store has lost may be found. */
export interface ContentSource {
  /** What may be the object; undefined when there is nothing of the kind. It is hashed before it counts. */
  find(oid: Oid): Promise<ObjectStream | undefined>
  close(): Promise<void>
}

/**
 * Stores what the sources have of some objects in a pack of its own, which is on the medium when this resolves; gives how
 * many there are.
 */
export async function recoverObjects(
  ports: ObjectPorts,
  layout: GitdirLayout,
  oids: Iterable<Oid>,
  sources: readonly ContentSource[],
  signal?: AbortSignal,
): Promise<number> {
  const writer = newPack(ports, layout)
  try {
    let found = 0
    for (const oid of oids) {
      signal?.throwIfAborted()
      if (await recover(ports, writer, oid, sources)) found++
    }
    if (found > 0) await writer.publish()
    return found
  } finally {
    await writer.discard()
  }
}

async function recover(
  { hasher }: ObjectPorts,
  writer: PackWriter,
  oid: Oid,
  sources: readonly ContentSource[],
): Promise<boolean> {
  for (const source of sources) {
    try {
      const stream = await source.find(oid)
      if (stream !== undefined && (await putObject(hasher, writer, oid, stream))) return true
    } catch (error) {
      if (!isUseless(error)) throw error
    }
  }
  return false
}

/** Whether a failure says only that a source does not have the object. */
function isUseless(error: unknown): boolean {
  return (
    isSnapshotError(error, "OBJECT_CORRUPT") ||
    isSnapshotError(error, "UNSUPPORTED") ||
    isSnapshotError(error, "FORMAT_UNSUPPORTED") ||
    // A file that changes while it is read is not as long as it was.
    isSnapshotError(error, "INVALID_ARGUMENT") ||
    isUnreadable(error) ||
    errnoOf(error) === "ENOENT"
  )
}
