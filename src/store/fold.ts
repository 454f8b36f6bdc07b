/*
 * Folds packs: every capture leaves one, and each object that is looked for has to be looked for in all of them.
 */
import { isSnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import { fittingPacks, isWorthAlone, MOST_BYTES, packsToFold, weighPacks } from "./fold-choice.js"
import type { LivePack } from "./live-pack.js"
import { mergePacks, type MergedPack, type MergeRequest } from "./merge-packs.js"

/** What to fold. With `isCompact`, each pack that holds something unreached is written anew, however little that is. */
export interface FoldRequest extends Omit<MergeRequest, "packs" | "likeness" | "isWorth"> {
  /** Packs that only captures of ours count on. */
  readonly packs: readonly LivePack[]
  /** As MergeRequest has it, of objects for which `isAsked`. */
  readonly likenessOf: (isAsked: (oid: Oid) => boolean) => Promise<ReadonlyMap<Oid, Oid>>
}

/** Each pack that was written, while those that it takes the place of are still there. NO_SPACE when there is room for none. */
export async function* fold(request: FoldRequest): AsyncGenerator<MergedPack> {
  let left = packsToFold(await weighPacks(request.packs, request.isWanted), request.isCompact)
  let mostBytes = MOST_BYTES
  while (left.length > 0) {
    request.signal?.throwIfAborted()
    const count = fittingPacks(left, mostBytes)
    try {
      const merged = await mergeOf(
        request,
        left.slice(0, count).map(({ pack }) => pack),
      )
      if (merged !== undefined) yield merged
      left = left.slice(count)
    } catch (error) {
      if (!isSnapshotError(error, "NO_SPACE") || mostBytes < LEAST_BYTES) throw error
      // Fewer at a time take less, and give back as much.
      mostBytes /= 8
    }
  }
}

async function mergeOf(request: FoldRequest, packs: readonly LivePack[]): Promise<MergedPack | undefined> {
  const isIn = (oid: Oid): boolean => packs.some(({ index }) => index.row(oid) !== undefined)
  const likeness = await request.likenessOf((oid) => request.isWanted(oid) && isIn(oid))
  return mergePacks({
    ...request,
    packs,
    likeness: (oid) => likeness.get(oid),
    isWorth: (keptBytes, pack) => isWorthAlone(keptBytes, pack, request.isCompact),
  })
}

/** On a full disk, no less than this at a time. */
const LEAST_BYTES = 64 * 2 ** 20
