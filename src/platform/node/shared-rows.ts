import type { StatColumns } from "../../core/stat-checker.js"
import { changedRows } from "./changed-rows.js"

/** Rows that threads compare together: each takes some that nobody has taken, until none are left. */
export interface SharedRows {
  readonly root: string
  readonly columns: StatColumns
  /** The text of all names. */
  readonly names: string
  /** One number, in memory that the threads share: how many portions were taken. */
  readonly taken: Int32Array
}

/** What one thread found. */
export interface FoundRows {
  /** How many portions it compared. */
  readonly portions: number
  /** Those of their rows that differ. */
  readonly changed: readonly number[]
}

/** A counter that threads can share, with nothing taken. */
export function nothingTaken(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

/** How many portions the rows make. */
export function portionsOf({ count }: StatColumns): number {
  return Math.ceil(count / PORTION_ROWS)
}

/** Takes a portion and compares it; gives the rows that differ, undefined when all portions have been taken. */
export function compareNext({ root, columns, names, taken }: SharedRows): readonly number[] | undefined {
  const start = Atomics.add(taken, 0, 1) * PORTION_ROWS
  if (start >= columns.count) return undefined
  return changedRows(root, columns, names, start, Math.min(start + PORTION_ROWS, columns.count))
}

/** So many take a millisecond, and in a new process up to ten. */
const PORTION_ROWS = 200
