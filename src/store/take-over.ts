/*
 * Objects that only an alternate has: its owner may collect them at any time, since nothing there says that we count on
 * them. What is reached gets a copy of our own.
 */
import { SnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { parsePackIndex } from "../core/pack-index.js"
import { listAlternates } from "./alternates.js"
import type { LooseCandidate } from "./candidates.js"
import type { GitdirLayout } from "./gitdir.js"
import { listFollowing } from "./list-following.js"
import type { ObjectDatabase } from "./object-database.js"
import { newPack } from "./new-pack.js"
import { putObject } from "./put-object.js"
import type { ObjectPorts } from "./stored-object.js"
import { isUnreadable } from "./unreadable.js"
import { unlessUnusable } from "./unless-unusable.js"

/** What to take over. */
export interface TakeOverRequest extends ObjectPorts {
  readonly layout: GitdirLayout
  readonly objects: ObjectDatabase
  readonly reached: ReadonlySet<Oid>
  /** The loose objects of the store. */
  readonly loose: readonly LooseCandidate[]
  readonly signal?: AbortSignal | undefined
  /** Is told of the bytes that have been taken over so far. */
  readonly onTaken?: (bytes: number) => void
}

/** What was written. */
export interface TakenOver {
  readonly objects: number
  readonly bytesWritten: number
}

/** Copies what is reached and only lent into a pack, whole and on the medium. What is in no place, or damaged, is passed over. */
export async function takeOver(request: TakeOverRequest): Promise<TakenOver> {
  const { fileSystem, layout, objects, reached, signal, onTaken } = request
  const alternates = await listAlternates(fileSystem, layout.objects).catch(noneIfUnreadable)
  if (alternates.length === 0) return { objects: 0, bytesWritten: 0 }
  const own = await ownOids(request)
  const writer = newPack(request, layout)
  let bytes = 0
  try {
    for (const oid of reached) {
      if (own.has(oid)) continue
      signal?.throwIfAborted()
      const lent = await unlessUnusable(objects.stream(oid))
      // Long content proves at its end what it is.
      if (lent === undefined || !(await unlessUnusable(putObject(request.hasher, writer, oid, lent)))) continue
      onTaken?.((bytes += lent.sizeBytes))
    }
    if (writer.count > 0) await writer.publish()
    return { objects: writer.count, bytesWritten: writer.bytesWritten }
  } finally {
    await writer.discard()
  }
}

async function ownOids({ fileSystem, hasher, layout, loose }: TakeOverRequest): Promise<ReadonlySet<Oid>> {
  const own = new Set(loose.map(({ oid }) => oid))
  for (const { name } of await listFollowing(fileSystem, layout.packs)) {
    if (!name.endsWith(".idx")) continue
    const path = `${layout.packs}/${name}`
    const index = await parsePackIndex(hasher, (await fileSystem.readFile(path)) ?? new Uint8Array(), path).catch(
      unlessOfAnotherVersion,
    )
    for (const { oid } of index?.entries() ?? []) own.add(oid)
  }
  return own
}

/** What cannot be read lends nothing. */
function noneIfUnreadable(error: unknown): string[] {
  if (!isUnreadable(error)) throw error
  return []
}

/** What is in such a pack is copied again: it cannot be read as it is. */
function unlessOfAnotherVersion(error: unknown): undefined {
  if (error instanceof SnapshotError && error.code === "FORMAT_UNSUPPORTED") return undefined
  throw error
}
