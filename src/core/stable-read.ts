/*
 * When what was read of a file is what it held at one moment, as far as the system lets us see: nothing shows a change
 * between the looks before and after, and its times are old enough to show one.
 */
import type { FileStat } from "./file-system.js"

/** Whether nothing shows that a file changed between two looks. */
export function sameStat(a: FileStat, b: FileStat): boolean {
  return (
    a.kind === b.kind &&
    a.sizeBytes === b.sizeBytes &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.inode === b.inode &&
    a.permissions === b.permissions
  )
}

/** How long a mapped page can be written without the times of its file telling. */
export const MAPPED_MS = 60_000

/**
 * Whether the times of a file are so recent that another write might leave them as they are: within 20 ms, or 2.5 s
 * where the system keeps no fractions. Times in the future tell nothing and count as recent.
 */
export function isFresh(stat: Pick<FileStat, "mtimeNs" | "ctimeNs">, nowMs: number): boolean {
  const latestNs = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs
  const grainMs = stat.mtimeNs % 1_000_000n === 0n && stat.ctimeNs % 1_000_000n === 0n ? 2500 : 20
  return Number(latestNs / 1_000_000n) > nowMs - grainMs
}
