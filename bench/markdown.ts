import { isMet, linesOf, type Line } from "./lines.js"
import type { KeptRow, Result } from "./result.js"
import { SCENARIOS } from "./scenarios/all.js"

const TREES = ["small", "large"] as const

/** All that was measured, as Markdown. */
export function markdownOf(result: Result): string {
  const { machine } = result
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`)
  const parts = [
    `Node ${machine.node}, git ${machine.git}, ${packages.join(", ")}; ${machine.cpus} cores of ${machine.cpu}. Medians; times in ms.`,
  ]
  for (const name of TREES) {
    const tree = result.trees[name]
    if (tree === undefined) continue
    const size = `${count(tree.files)} files in ${count(tree.folders)} folders, ${(tree.bytes / 1e6).toFixed(0)} MB`
    parts.push(`### The ${name} tree: ${size}`, goalTable(linesOf(result, name)))
  }
  parts.push(
    titled("The large tree against the small one", sizeTable(linesOf(result, "small"), linesOf(result, "large"))),
    titled("Other libraries, on the small tree", otherTable(result.rows.filter(({ tree }) => tree === "small"))),
  )
  return parts.filter((part) => part !== "").join("\n\n")
}

function titled(title: string, table: string): string {
  return table === "" ? "" : `### ${title}\n\n${table}`
}

function goalTable(lines: readonly Line[]): string {
  const header = ["work", "goal", "ours", "native git", "ratio", "floor", ""]
  return align([
    header,
    ...lines.map((line) => [
      line.work,
      line.limit === undefined ? "" : `<= ${line.limit}${line.unit === "ratio" ? "" : ` ${line.unit}`}`,
      line.unit === "ratio" ? ms(line.oursMs) : `${ms(line.reached)} ${line.unit}`,
      line.base?.what === undefined ? ms(line.base?.ms) : `${ms(line.base.ms)} (${line.base.what})`,
      line.unit === "ratio" ? line.reached.toFixed(2) : "",
      ms(line.floorMs),
      verdict(isMet(line)),
    ]),
  ])
}

/** Whether more files make the comparison worse. */
function sizeTable(small: readonly Line[], large: readonly Line[]): string {
  const rows = small.flatMap((line) => {
    const other = large.find(({ work, base }) => work === line.work && base?.what === line.base?.what)
    if (line.unit !== "ratio" || other === undefined || line.base?.what === "ours, warm") return []
    const [few, many] = [line.reached.toFixed(2), other.reached.toFixed(2)]
    const what = line.base?.what === undefined ? "" : `, against ${line.base.what}`
    return [[`${line.work}${what}`, few, many, verdict(Number(many) <= Number(few))]]
  })
  return rows.length === 0 ? "" : align([["work", "ratio, small", "ratio, large", "no worse"], ...rows])
}

function otherTable(rows: readonly KeptRow[]): string {
  const lines = SCENARIOS.flatMap(({ name, work, others }) => {
    const ours = rows.find(({ scenario, contender }) => scenario === name && contender === "treeshot")
    return Object.keys(others).flatMap((other) => {
      if (other === "native-git") return []
      const theirs = rows.find(({ scenario, contender }) => scenario === name && contender === other)
      if (ours === undefined || theirs === undefined) return []
      const ratio = ours.medians.ms / theirs.medians.ms
      return [[work, other, ms(ours.medians.ms), ms(theirs.medians.ms), ratio.toFixed(2), verdict(ratio < 1)]]
    })
  })
  return lines.length === 0 ? "" : align([["work", "against", "ours", "theirs", "ratio", "ahead"], ...lines])
}

function align(cells: readonly (readonly string[])[]): string {
  const [header = [], ...lines] = cells
  const widths = header.map((_, column) => Math.max(3, ...cells.map((line) => (line[column] ?? "").length)))
  const isText = (column: number): boolean => column === 0 || (lines[0]?.[column] ?? "").match(/^[a-z]/) !== null
  const row = (line: readonly string[]): string =>
    `| ${line.map((cell, i) => (isText(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`
  const rule = widths.map((width, i) => (isText(i) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))
  return [row(header), `| ${rule.join(" | ")} |`, ...lines.map(row)].join("\n")
}

function verdict(isGood: boolean | undefined): string {
  return isGood === undefined ? "" : isGood ? "met" : "MISSED"
}

function ms(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(value < 100 ? 1 : 0)
}

function count(value: number): string {
  return value.toLocaleString("en-US")
}
