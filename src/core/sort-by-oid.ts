import type { Oid } from "./oid.js"
import type { Pause } from "./turns.js"

/** The entries in the order of their oids. Oids are spread evenly: few begin with the same two bytes, and only those have to be compared. */
export async function sortedByOid<Entry extends { readonly oid: Oid }>(
  entries: readonly Entry[],
  pause: Pause,
): Promise<Entry[]> {
  const starts = new Uint16Array(entries.length)
  for (const [i, { oid }] of entries.entries()) {
    starts[i] = Number.parseInt(oid.slice(0, 4), 16)
    if (i % PAUSE_ENTRIES === 0) await pause()
  }
  const ends = new Uint32Array(1 << 16)
  for (const start of starts) ends[start] = (ends[start] as number) + 1
  for (let start = 1; start < ends.length; start++) ends[start] = (ends[start] as number) + (ends[start - 1] as number)
  const sorted = new Array<Entry>(entries.length)
  for (const [i, entry] of entries.entries()) {
    const start = starts[i] as number
    ends[start] = (ends[start] as number) - 1
    sorted[ends[start] as number] = entry
    if (i % PAUSE_ENTRIES === 0) await pause()
  }
  for (let i = 1; i < sorted.length; i++) {
    const entry = sorted[i] as Entry
    let at = i
    for (; at > 0 && (sorted[at - 1] as Entry).oid > entry.oid; at--) sorted[at] = sorted[at - 1] as Entry
    sorted[at] = entry
    if (i % PAUSE_ENTRIES === 0) await pause()
  }
  return sorted
}

const PAUSE_ENTRIES = 1024
