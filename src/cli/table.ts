import { cut, displayWidth } from "./text.js"

/** A column of a table. */
export interface Column {
  /** Empty in tables without a heading. */
  readonly title?: string
  readonly align?: "left" | "right"
  /** May be cut at this side when the table is too wide. At most one column of a table. */
  readonly cut?: "end" | "start"
}

/** Text, or text with how to paint it once its width is known. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string }

/** The lines of a table, its columns two spaces apart and, where that can be done, no wider than `width`. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): string[] {
  const titled = columns.some((column) => column.title !== undefined)
  const all = titled ? [columns.map((column) => column.title ?? ""), ...rows] : rows
  const widths = columnWidths(columns, all, width)
  return all.map((row) =>
    columns
      .map((column, i) => layOut(row[i] ?? "", column, widths[i] ?? 0, i === columns.length - 1))
      .join(GAP)
      .trimEnd(),
  )
}

function columnWidths(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): number[] {
  const widths = columns.map((_, i) => rows.reduce((most, row) => Math.max(most, displayWidth(textOf(row[i]))), 0))
  const flexible = columns.findIndex((column) => column.cut !== undefined)
  const total = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1))
  if (flexible >= 0 && total > width)
    widths[flexible] = Math.max(NARROWEST, (widths[flexible] as number) - (total - width))
  return widths
}

function layOut(cell: Cell, column: Column, width: number, last: boolean): string {
  const text = column.cut === undefined ? textOf(cell) : cut(textOf(cell), width, column.cut)
  const padding = " ".repeat(Math.max(0, width - displayWidth(text)))
  const painted = typeof cell === "string" ? text : cell.paint(text)
  if (column.align === "right") return padding + painted
  return last ? painted : painted + padding
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === "object" ? cell.text : (cell ?? "")
}

const GAP = "  "
const NARROWEST = 12
