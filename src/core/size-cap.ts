/*
 * Which of the snapshots that retention keeps go for the sake of a size cap, as a pure function of their sizes.
 */
import type { KeptItem, KeptReason } from "./retention.js"

/** A snapshot that the rules keep, and what it adds to those before it in the order of the cap. */
export interface SizedItem<Item> {
  readonly kept: KeptItem<Item>
  /** Bytes of what it reaches and none of those before it does. */
  readonly addedBytes: number
}

/** What a cap makes of them. */
export interface Capped<Item> {
  /** Those that go. */
  readonly removed: ReadonlySet<Item>
  /** By how many bytes what stays is above the cap; 0 when it fits. */
  readonly bytesOver: number
}

/** First those that stay whatever the cap is, then the others; both in the order of `kept`, the newest first. */
export function inCapOrder<Item>(kept: readonly KeptItem<Item>[]): readonly KeptItem<Item>[] {
  return [...kept.filter(isSafeFromCap), ...kept.filter((each) => !isSafeFromCap(each))]
}

/** Drops the oldest until the rest fits into `maxBytes` together with `otherBytes`. `sized` is in the order of the cap. */
export function withinCap<Item>(sized: readonly SizedItem<Item>[], otherBytes: number, maxBytes: number): Capped<Item> {
  const removed = new Set<Item>()
  let bytes = otherBytes
  for (const { kept, addedBytes } of sized) {
    // One that is older goes even where it would fit: what is left has no gaps but those of the rules.
    const fits = removed.size === 0 && bytes + addedBytes <= maxBytes
    if (fits || isSafeFromCap(kept)) bytes += addedBytes
    else removed.add(kept.item)
  }
  return { removed, bytesOver: Math.max(0, bytes - maxBytes) }
}

function isSafeFromCap<Item>({ reasons }: KeptItem<Item>): boolean {
  return reasons.some((reason) => SAFE.has(reason))
}

const SAFE: ReadonlySet<KeptReason> = new Set<KeptReason>(["newest", "recent-safety", "pinned", "held"])
