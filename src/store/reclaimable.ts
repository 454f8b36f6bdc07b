/*
 * What the next maintenance would take from the packs, by the same choice: packs that nothing reaches go, and of those
 * that are folded what nothing reaches stays behind. What deltas would save is not known before they are made.
 */
import { isSnapshotError, SnapshotError } from "../core/errors.js"
import { fileMs, type FileSystem } from "../core/file-system.js"
import type { Oid } from "../core/oid.js"
import { PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "../core/pack.js"
import { parsePackIndex, type PackIndex } from "../core/pack-index.js"
import { pauses } from "../core/turns.js"
import { fittingPacks, isWorthAlone, packsToFold, weighPacks } from "./fold-choice.js"
import type { LivePack } from "./live-pack.js"
import { OldPack } from "./old-pack.js"
import { OpenFiles } from "./open-files.js"
import type { OwnPack } from "./own-files.js"
import { isNamedByUs } from "./named-by-us.js"
import type { ObjectPorts } from "./stored-object.js"
import { graceMs } from "./sweep.js"

/** What to look at. */
export interface ReclaimRequest extends ObjectPorts {
  readonly fileSystem: FileSystem
  /** The folder of the packs. */
  readonly folder: string
  /** Packs that maintenance may remove or write anew. */
  readonly packs: readonly OwnPack[]
  readonly isReached: (oid: Oid) => boolean
  readonly nowMs: number
  readonly isForeign: boolean
  /** Packs are to be written anew however little in them is unreached. */
  readonly isCompact: boolean
}

/** Bytes of packs and their indexes. */
export async function reclaimablePackBytes(request: ReclaimRequest): Promise<number> {
  let bytes = 0
  const live: LivePack[] = []
  const fileBytes = new Map<LivePack, number>()
  for (const { name, sizeBytes } of request.packs) {
    const found = await look(request, `${request.folder}/${name}`, name)
    if (found === "going") bytes += sizeBytes
    if (typeof found !== "object") continue
    live.push(found)
    fileBytes.set(found, sizeBytes)
  }
  const files = new OpenFiles(request.fileSystem, 1)
  try {
    let left = packsToFold(await weighPacks(live, request.isReached), request.isCompact)
    while (left.length > 0) {
      const count = fittingPacks(left)
      const packs = left.slice(0, count).map(({ pack }) => pack)
      bytes += await savedBy(request, files, packs, fileBytes)
      left = left.slice(count)
    }
  } finally {
    await files.close()
  }
  return bytes
}

/** Whether a pack goes, stays for good, or may be folded. */
async function look(request: ReclaimRequest, path: string, name: string): Promise<LivePack | "going" | "staying"> {
  const { fileSystem, hasher, isReached, isForeign, nowMs } = request
  const index = await readIndex(request, `${path}.idx`)
  const stat = await fileSystem.lstat(`${path}.pack`)
  if (index === undefined || stat === undefined) return "staying"
  const isOwn = !isForeign && (await isNamedByUs(hasher, name, index))
  const pause = pauses()
  for (const { oid } of index.entries()) {
    await pause()
    if (!isReached(oid)) continue
    const { sizeBytes, mtimeNs } = stat
    return isOwn ? { path, index, extensions: new Set(), sizeBytes, mtimeNs } : "staying"
  }
  return isOwn || nowMs - fileMs(stat) > graceMs(isForeign) ? "going" : "staying"
}

async function readIndex({ fileSystem, hasher }: ReclaimRequest, path: string): Promise<PackIndex | undefined> {
  try {
    const bytes = await fileSystem.readFile(path)
    return bytes === undefined ? undefined : await parsePackIndex(hasher, bytes, path)
  } catch (error) {
    if (error instanceof SnapshotError && !isSnapshotError(error, "CLOSED")) return undefined
    throw error
  }
}

/** What one new pack takes less than those that it takes the place of. */
async function savedBy(
  { isReached, isCompact }: ReclaimRequest,
  files: OpenFiles,
  packs: readonly LivePack[],
  fileBytes: ReadonlyMap<LivePack, number>,
): Promise<number> {
  const pause = pauses()
  const kept = new Set<Oid>()
  let saved = 0
  for (const pack of packs) {
    const old = await OldPack.of(files, pack.path, pack.index, { isWanted: isReached, isCompact }).catch(
      () => undefined,
    )
    await files.forget(`${pack.path}.pack`)
    if (old === undefined || (packs.length === 1 && !isWorthAlone(old.keptBytes, pack, isCompact))) continue
    saved += fileBytes.get(pack) ?? 0
    for (let place = 0; place < old.count; place++) {
      await pause()
      const oid = old.oidAt(place)
      if (!old.isKept(place) || kept.has(oid)) continue
      kept.add(oid)
      saved -= old.lengthOf(place) + INDEX_ROW_BYTES
    }
  }
  return Math.max(0, saved - (kept.size === 0 ? 0 : FRAMES_BYTES))
}

/** An oid, a checksum and an offset. */
const INDEX_ROW_BYTES = 28
/** What a pack and its index have beside: headers, checksums and a table of 256 numbers. */
const FRAMES_BYTES = PACK_HEADER_BYTES + PACK_TRAILER_BYTES + 8 + 1024 + 40
