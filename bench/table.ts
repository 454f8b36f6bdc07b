import type { Measured } from "./contender.js"

/** All runs of one contender, in order. */
export interface Row {
  readonly name: string
  readonly runs: readonly Measured[]
}

/** The middle value; of an even number of values, the mean of the middle two. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return (lower + upper) / 2
}

/** The median of a figure over the runs that have it; undefined when none has. */
export function medianOf(row: Row, figure: "coldMs" | "againMs" | "peakRssBytes"): number | undefined {
  const values = row.runs.map((run) => run[figure]).filter((value) => value !== undefined)
  return values.length === 0 ? undefined : median(values)
}

/** A Markdown table of the medians, each time with its ratio to the row called `base`. */
export function table(rows: readonly Row[], base: string): string {
  const reference = rows.find((row) => row.name === base)
  const header = ["", "cold, ms", "fastest to slowest", `/ ${base}`, "again, ms", `/ ${base}`, "peak memory, MB"]
  const lines = rows.map((row) => [
    row.name,
    show(medianOf(row, "coldMs")),
    range(row.runs.map((run) => run.coldMs)),
    ratio(row, reference, "coldMs"),
    show(medianOf(row, "againMs")),
    ratio(row, reference, "againMs"),
    show(megabytes(medianOf(row, "peakRssBytes"))),
  ])
  return align([header, ...lines])
}

function align(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => (line[column] ?? "").length)))
  const row = (line: readonly string[]): string =>
    `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`
  const [header = [], ...lines] = cells
  return [row(header), rule, ...lines.map(row)].join("\n")
}

function show(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(0)
}

function range(values: readonly number[]): string {
  return `${show(Math.min(...values))} to ${show(Math.max(...values))}`
}

function ratio(row: Row, base: Row | undefined, figure: "coldMs" | "againMs"): string {
  const own = medianOf(row, figure)
  const other = base === undefined ? undefined : medianOf(base, figure)
  return own === undefined || other === undefined ? "" : (own / other).toFixed(2)
}

function megabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1e6
}
