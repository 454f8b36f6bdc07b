import type { Owner, OwnerSource } from "../core/owner.js"

/** Whether the owner of something that was made at `sinceMs` counts as alive. */
export type CountsAsAlive = (owner: Owner, sinceMs: number) => Promise<boolean>

/**
 * A process that can be checked counts as what it is. One that cannot, of another host or another container, counts as
 * alive for so long.
 */
export function liveness(owners: OwnerSource, nowMs: () => number, unknownMs: number = DAY_MS): CountsAsAlive {
  return async (owner, sinceMs) => {
    const found = await owners.isAlive(owner)
    // A time far ahead was set by a clock that was wrong.
    return found === "unknown" ? Math.abs(nowMs() - sinceMs) < unknownMs : found === "alive"
  }
}

const DAY_MS = 86_400_000
