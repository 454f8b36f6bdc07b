/*
 * Folds packs: every capture leaves one, and each object that is looked for has to be looked for in all of them. The
 * smallest are put together as soon as they have half as much in them as the next larger one, so that sizes grow
 * geometrically: an object is written anew as often as its pack can be tripled, and a few packs are left.
 */
import { isSnapshotError } from "../core/errors.js"
import type { Oid } from "../core/oid.js"
import type { LivePack } from "./live-pack.js"
import { mergePacks, type MergedPack, type MergeRequest } from "./merge-packs.js"
import { pauses } from "../core/turns.js"

/** What to fold. */
export interface FoldRequest extends Omit<MergeRequest, "packs" | "likeness" | "isWorth"> {
  /** Packs that only captures of ours count on. */
  readonly packs: readonly LivePack[]
  /** Each pack that holds something unreached is written anew, however little that is. */
  readonly isCompact: boolean
  /** As MergeRequest has it, of objects for which `isAsked`. */
  readonly likenessOf: (isAsked: (oid: Oid) => boolean) => Promise<ReadonlyMap<Oid, Oid>>
}

/** Each pack that was written, while those that it takes the place of are still there. NO_SPACE when there is room for none. */
export async function* fold(request: FoldRequest): AsyncGenerator<MergedPack> {
  let left = chosen(await weigh(request), request.isCompact)
  let mostBytes = MOST_BYTES
  while (left.length > 0) {
    request.signal?.throwIfAborted()
    const count = fitting(left, mostBytes)
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
    isWorth: (wantedBytes, { sizeBytes }) => wantedBytes * (request.isCompact ? 1 : 2) < sizeBytes - FRAME_BYTES,
  })
}

interface Weighed {
  readonly pack: LivePack
  /** About so many of its bytes are reached. */
  readonly bytes: number
}

/** By how much is reached, the smallest first. */
async function weigh({ packs, isWanted }: FoldRequest): Promise<Weighed[]> {
  const pause = pauses()
  const weighed: Weighed[] = []
  for (const pack of packs) {
    const { starts, rows } = await pack.index.inOrder(pack.sizeBytes)
    let bytes = 0
    for (let place = 0; place < rows.length; place++) {
      if (place % PAUSE_ENTRIES === 0) await pause()
      if (isWanted(pack.index.oidAt(rows[place] as number)))
        bytes += (starts[place + 1] as number) - (starts[place] as number)
    }
    weighed.push({ pack, bytes })
  }
  return weighed.sort((a, b) => a.bytes - b.bytes)
}

function chosen(weighed: readonly Weighed[], isCompact: boolean): Weighed[] {
  let count = 0
  let sum = 0
  for (const [i, { bytes }] of weighed.entries()) {
    if (sum > MOST_BYTES) break
    if (bytes < 2 * sum) count = i + 1
    sum += bytes
  }
  const small = count < FEWEST ? 0 : count
  const isHollow = ({ pack, bytes }: Weighed): boolean => {
    const rest = pack.sizeBytes - bytes
    if (isCompact) return rest > FRAME_BYTES
    return pack.sizeBytes >= SLIM_BYTES && rest > bytes
  }
  // What was captured one after the other is likely to differ little.
  return weighed
    .filter((each, i) => i < small || isHollow(each))
    .sort((a, b) => (a.pack.mtimeNs < b.pack.mtimeNs ? -1 : a.pack.mtimeNs > b.pack.mtimeNs ? 1 : 0))
}

/** How many of them, from the first on, have no more than so many bytes; one at least. */
function fitting(weighed: readonly Weighed[], mostBytes: number): number {
  let sum = 0
  const count = weighed.findIndex(({ bytes }) => (sum += bytes) > mostBytes)
  return count < 0 ? weighed.length : Math.max(1, count)
}

/** Fewer packs are no burden. */
const FEWEST = 8
/** What is folded at a time. Larger packs stay as they are, unless half of them is unreached. */
const MOST_BYTES = 4 * 2 ** 30
/** On a full disk, no less than this at a time. */
const LEAST_BYTES = 64 * 2 ** 20
/** Smaller packs are not worth it. */
const SLIM_BYTES = 64 * 1024
/** Header and checksum. */
const FRAME_BYTES = 32
const PAUSE_ENTRIES = 1024
