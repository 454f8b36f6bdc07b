import type { StatColumns, ToldColumns } from "../../core/stat-checker.js"
import { changedRows } from "./changed-rows.js"
import { surveyRows } from "./survey-rows.js"

/** Rows that threads look at together: each takes some that nobody has taken, until none are left. */
export interface SharedRows<Columns = StatColumns> {
  readonly root: string
  readonly columns: Columns
  /** The text of all names. */
  readonly names: string
  /** One number, in memory that the threads share: how many portions were taken. */
  readonly taken: Int32Array
}

/** What one thread found. */
export interface FoundRows {
  /** How many portions it took. */
  readonly portions: number
  /** Those of their rows that differ; none when they were surveyed. */
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
export function compareNext(rows: SharedRows): readonly number[] | undefined {
  return takeNext(rows, (start, end) => changedRows(rows.root, rows.columns, rows.names, start, end))
}

/** Takes a portion and surveys it; undefined when all portions have been taken. */
export function surveyNext(rows: SharedRows<ToldColumns>): readonly number[] | undefined {
  return takeNext(rows, (start, end) => {
    surveyRows(rows.root, rows.columns, rows.names, start, end)
    return NONE
  })
}

function takeNext(
  { columns, taken }: SharedRows,
  look: (start: number, end: number) => readonly number[],
): readonly number[] | undefined {
  const start = Atomics.add(taken, 0, 1) * PORTION_ROWS
  return start < columns.count ? look(start, Math.min(start + PORTION_ROWS, columns.count)) : undefined
}

const NONE: readonly number[] = []
/** So many take a millisecond, and in a new process up to ten. */
const PORTION_ROWS = 200
