/*
 * Objects that only an alternate has: its owner may collect them at any time, since nothing there says that we count on
 * them. What is reached gets a copy of our own.
 */
import { errnoOf, isSnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { pauses } from "../core/turns.js"
import { listAlternates } from "./alternates.js"
import type { LooseCandidate } from "./candidates.js"
import { DeltaBases } from "./delta-bases.js"
import type { GitdirLayout } from "./gitdir.js"
import { listFollowing } from "./list-following.js"
import { carriesLease, type LiveLeases } from "./live-leases.js"
import type { ObjectDatabase } from "./object-database.js"
import { newPack } from "./new-pack.js"
import { OpenFiles } from "./open-files.js"
import { openPackFile } from "./pack-file.js"
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
  readonly leases: LiveLeases
  /** So much goes into one pack, about: what is in place stays there when it ends early. Default: 1 GiB. */
  readonly packBytes?: number
  readonly signal?: AbortSignal | undefined
  /** Is told of the bytes that have been taken over so far. */
  readonly onTaken?: (bytes: number) => void
}

/** What was written. */
export interface TakenOver {
  readonly objects: number
  readonly bytesWritten: number
}

/** Copies what is reached and only lent into packs, whole and on the medium. What is in no place, or damaged, is passed over. */
export async function takeOver(request: TakeOverRequest): Promise<TakenOver> {
  const { fileSystem, layout, reached } = request
  const alternates = await listAlternates(fileSystem, layout.objects).catch(noneIfUnreadable)
  const taken = { objects: 0, bytesWritten: 0 }
  if (alternates.length === 0) return taken
  const own = await ownOids(request)
  const left = reached.values()
  let bytes = 0
  for (;;) {
    const part = await takePart(request, own, left, (more) => request.onTaken?.((bytes += more)))
    taken.objects += part.objects
    taken.bytesWritten += part.bytesWritten
    if (part.isLast) return taken
  }
}

/** Copies as many as one pack is to hold. */
async function takePart(
  request: TakeOverRequest,
  own: ReadonlySet<Oid>,
  left: Iterator<Oid>,
  onTaken: (bytes: number) => void,
): Promise<TakenOver & { readonly isLast: boolean }> {
  const { layout, objects, signal, hasher, packBytes = PACK_BYTES } = request
  const writer = newPack(request, layout)
  const pause = pauses()
  try {
    let next = left.next()
    for (; next.done !== true; next = left.next()) {
      await pause()
      const oid = next.value
      if (own.has(oid)) continue
      signal?.throwIfAborted()
      const lent = await unlessUnusable(objects.stream(oid))
      // Long content proves at its end what it is.
      if (lent === undefined || !(await unlessUnusable(putObject(hasher, writer, oid, lent)))) continue
      onTaken(lent.sizeBytes)
      if (writer.bytesWritten >= packBytes) break
    }
    if (writer.count > 0) await writer.publish()
    return { objects: writer.count, bytesWritten: writer.bytesWritten, isLast: next.done === true }
  } finally {
    await writer.discard()
  }
}

/** What is loose, or in packs that readers use and that no running capture may still take back. */
async function ownOids(request: TakeOverRequest): Promise<ReadonlySet<Oid>> {
  const { fileSystem, layout, loose, leases } = request
  const own = new Set(loose.map(({ oid }) => oid))
  const openFiles = new OpenFiles(fileSystem, 1)
  const pause = pauses()
  try {
    for (const { name } of await listFollowing(fileSystem, layout.packs)) {
      if (!name.endsWith(".idx") || carriesLease(leases, name)) continue
      const path = `${layout.packs}/${name.slice(0, -4)}`
      const ports = { ...request, openFiles, bases: new DeltaBases(1), limitBytes: 0 }
      const pack = await openPackFile(ports, path).catch(unlessNotUsed)
      for (const { oid } of pack?.index.entries() ?? []) {
        await pause()
        own.add(oid)
      }
    }
  } finally {
    await openFiles.close()
  }
  return own
}

/** What cannot be read lends nothing. */
function noneIfUnreadable(error: unknown): string[] {
  if (!isUnreadable(error)) throw error
  return []
}

/** What is in such a pack is copied again: it cannot be read as it is. */
function unlessNotUsed(error: unknown): undefined {
  if (isSnapshotError(error, "FORMAT_UNSUPPORTED") || errnoOf(error) === "ENOENT" || isUnreadable(error))
    return undefined
  throw error
}

const PACK_BYTES = 2 ** 30
