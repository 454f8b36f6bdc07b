import { existsSync } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { PARTS } from "./parts.js"
import type { PartResult } from "./part.js"

/** All that the last runs came to, as it is kept. */
export interface TortureResult {
  readonly node: string
  readonly platform: string
  readonly parts: readonly PartResult[]
}

/** The repository: `npm run` starts in it. */
const ROOT = process.cwd()
const FILE = join(ROOT, "test/torture/results/latest.json")
const PAGE = join(ROOT, "docs/RELIABILITY.md")
const BEGIN = "<!-- figures: written by `npm run torture -- --docs`, do not edit -->"
const END = "<!-- /figures -->"

/** What was kept; undefined when there is nothing. */
async function readResult(): Promise<TortureResult | undefined> {
  return existsSync(FILE) ? (JSON.parse(await readFile(FILE, "utf8")) as TortureResult) : undefined
}

/** Keeps results. Parts that did not run now stay as they are. */
export async function keepResult(parts: readonly PartResult[]): Promise<void> {
  const known = new Map([...((await readResult())?.parts ?? []), ...parts].map((part) => [part.name, part]))
  const sorted = PARTS.flatMap(({ name }) => known.get(name) ?? [])
  const result: TortureResult = { node: process.version.slice(1), platform: process.platform, parts: sorted }
  await mkdir(dirname(FILE), { recursive: true })
  await writeFile(FILE, `${JSON.stringify(result, undefined, 2)}\n`)
}

/** A table of what was done: in Markdown, which can be read as it is. */
export function tableOf(parts: readonly PartResult[]): string {
  const cells = [
    ["part", "runs", "what was done", "lost"],
    ...parts.map(({ title, runs, done, lost }) => [
      title,
      count(runs),
      Object.entries(done)
        .map(([what, times]) => `${count(times)} ${what}`)
        .join(", "),
      count(lost.length),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(3, ...cells.map((row) => (row[column] ?? "").length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i % 2 === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`
  const rule = widths.map((width, i) => (i % 2 === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))
  const [header = [], ...rows] = cells
  return [line(header), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n")
}

/** Writes the figures that are kept between the two marks of docs/RELIABILITY.md. */
export async function writeDocs(): Promise<void> {
  const result = await readResult()
  if (result === undefined) throw new Error("nothing was tortured yet: npm run torture")
  const page = await readFile(PAGE, "utf8")
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin)
    throw new Error(`docs/RELIABILITY.md has no place for the figures, from ${BEGIN} to ${END}`)
  const minutes = result.parts.reduce((sum, { seconds }) => sum + seconds, 0) / 60
  const days = [...new Set(result.parts.map(({ ranAt }) => ranAt.slice(0, 10)))].join(", ")
  const text = `${minutes.toFixed(0)} minutes in all on ${days}, Node ${result.node} on ${result.platform}.\n\n${tableOf(result.parts)}`
  await writeFile(PAGE, `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`)
}

function count(value: number): string {
  return value.toLocaleString("en-US")
}
