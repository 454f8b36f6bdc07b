/*
 * Writes what bench/results/latest.json says into the documentation: the chart, and the tables between the two marks
 * in docs/PERFORMANCE.md.
 */
import { readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { chartOf } from "./chart.js"
import { linesOf } from "./lines.js"
import { markdownOf } from "./markdown.js"
import { readResult } from "./result.js"

const BEGIN = "<!-- figures: written by `npm run bench:chart`, do not edit -->"
const END = "<!-- /figures -->"

const result = await readResult()
if (result === undefined) throw new Error("nothing was measured yet: npm run bench")

const parts = (["small", "large"] as const).flatMap((tree) => {
  const files = result.trees[tree]?.files.toLocaleString("en-US")
  return files === undefined ? [] : [{ tree, title: `${files} files`, lines: linesOf(result, tree) }]
})
await writeFile(docs("performance.svg"), chartOf(parts))

const page = await readFile(docs("PERFORMANCE.md"), "utf8")
const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
if (begin < 0 || end < begin)
  throw new Error(`docs/PERFORMANCE.md has no place for the tables, from ${BEGIN} to ${END}`)
await writeFile(
  docs("PERFORMANCE.md"),
  `${page.slice(0, begin + BEGIN.length)}\n\n${markdownOf(result)}\n\n${page.slice(end)}`,
)

function docs(name: string): string {
  return fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))
}
