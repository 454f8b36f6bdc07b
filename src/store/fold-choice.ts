/*
 * Which packs are folded. The smallest are put together as soon as they have half as much in them as the next larger one,
 * so that sizes grow geometrically: an object is written anew as often as its pack can be tripled, and a few packs are
 * left. Those of which little is wanted are written anew, too.
 */
import type { Oid } from "../core/oid.js"
import { PACK_HEADER_BYTES, PACK_TRAILER_BYTES } from "../core/pack.js"
import { pauses } from "../core/turns.js"
import type { LivePack } from "./live-pack.js"

/** A pack that may be folded. */
export interface WeighedPack {
  readonly pack: LivePack
  /** So many of its bytes are of entries that are wanted. */
  readonly bytes: number
}

/** By how much is wanted, the smallest first. */
export async function weighPacks(
  packs: readonly LivePack[],
  isWanted: (oid: Oid) => boolean,
): Promise<readonly WeighedPack[]> {
  const pause = pauses()
  const weighed: WeighedPack[] = []
  for (const pack of packs) {
    const { starts, rows } = await pack.index.inOrder(pack.sizeBytes - PACK_TRAILER_BYTES)
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

/**
 * Those that are to be folded, oldest first: what was captured one after the other is likely to differ little. With
 * `isCompact`, all in which anything is not wanted are among them.
 */
export function packsToFold(weighed: readonly WeighedPack[], isCompact: boolean): readonly WeighedPack[] {
  let count = 0
  let sum = 0
  for (const [i, { bytes }] of weighed.entries()) {
    if (sum > MOST_BYTES) break
    if (bytes < 2 * sum) count = i + 1
    sum += bytes
  }
  const small = count < FEWEST ? 0 : count
  const isHollow = ({ pack, bytes }: WeighedPack): boolean => {
    const rest = pack.sizeBytes - bytes
    if (isCompact) return rest > FRAME_BYTES
    return pack.sizeBytes >= SLIM_BYTES && rest > bytes
  }
  return weighed
    .filter((each, i) => i < small || isHollow(each))
    .sort((a, b) => (a.pack.mtimeNs < b.pack.mtimeNs ? -1 : a.pack.mtimeNs > b.pack.mtimeNs ? 1 : 0))
}

/** How many of them, from the first on, go into one new pack. One at least, however large it is. */
export function fittingPacks(weighed: readonly WeighedPack[], mostBytes: number = MOST_BYTES): number {
  let sum = 0
  const count = weighed.findIndex(({ bytes }) => (sum += bytes) > mostBytes)
  return count < 0 ? weighed.length : Math.max(1, count)
}

/** Whether it is worth it to write a pack anew by itself, of which so much is to be kept. */
export function isWorthAlone(keptBytes: number, { sizeBytes }: LivePack, isCompact: boolean): boolean {
  return keptBytes * (isCompact ? 1 : 2) < sizeBytes - FRAME_BYTES
}

/** What is folded at a time. Larger packs stay as they are, unless half of them is unreached. */
export const MOST_BYTES: number = 4 * 2 ** 30
/** Fewer packs are no burden. */
const FEWEST = 8
/** Smaller packs are not worth it. */
const SLIM_BYTES = 64 * 1024
const FRAME_BYTES = PACK_HEADER_BYTES + PACK_TRAILER_BYTES
const PAUSE_ENTRIES = 1024
