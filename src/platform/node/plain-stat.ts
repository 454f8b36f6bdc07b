import fs from "node:fs"

/** Undefined for what cannot be looked at. */
export function statOf(address: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(address, OPTIONS)
  } catch {
    return undefined
  }
}

/** Stats with whole nanoseconds would take half as long again. */
const OPTIONS = { throwIfNoEntry: false } as const

/**
 * A number of milliseconds is off by less than a microsecond. That is as good as exact: a row counts only when its times
 * lay 20 ms or more before it was read, and whatever changes a file sets its ctime to the time of the change. What Git's
 * index tells was read after its ctime, which takes longer than a microsecond, too.
 */
export function isSameTime(ms: number, ns: number): boolean {
  return Math.abs(ms * 1e6 - ns) < 1000
}

/** The signed number in a row of such a column, as exact as a number can be. */
export function numberAt(column: Uint32Array, row: number): number {
  return ((column[2 * row + 1] as number) | 0) * 2 ** 32 + (column[2 * row] as number)
}
