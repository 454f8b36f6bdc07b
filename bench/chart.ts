import { isMet, type Line } from "./lines.js"
import type { TreeName } from "./trees/recipes.js"

/** The bars of one tree. */
export interface ChartPart {
  readonly tree: TreeName
  readonly title: string
  readonly lines: readonly Line[]
}

const WIDTH = 880
const LEFT = 392
const RIGHT = 84
const ROW = 26
const BAR = 14
const TOP = 84
const TITLE = 38

/** Ratios to native git as horizontal bars, each with its goal as a mark. An SVG that follows the reader's colours. */
export function chartOf(parts: readonly ChartPart[]): string {
  const shown = parts
    .map((part) => ({ ...part, lines: part.lines.filter(isShown) }))
    .filter(({ lines }) => lines.length > 0)
  const scale = scaleOf(shown.flatMap(({ lines }) => lines))
  const height = TOP + shown.reduce((sum, { lines }) => sum + TITLE + lines.length * ROW, 0) + 20
  const body: string[] = [
    `<text class="title" x="20" y="30">Time of treeshot as a part of native git's, in the same run</text>`,
    `<text class="small" x="20" y="52">Shorter is better. 1.0 is native git. Medians.</text>`,
    legend(),
    ...axis(scale, height),
  ]
  let top = TOP
  for (const { title, lines } of shown) {
    body.push(`<text class="part" x="20" y="${top + 24}">${escaped(title)}</text>`)
    top += TITLE
    for (const line of lines) {
      body.push(...bar(line, top, scale))
      top += ROW
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Time of treeshot as a part of native git's">
<style>${STYLE}</style>
<rect class="ground" width="${WIDTH}" height="${height}"/>
${body.join("\n")}
</svg>
`
}

/** What has a goal, and where native git has two ways, both. */
function isShown({ unit, limit, base, work }: Line): boolean {
  if (unit !== "ratio" || base?.what === "ours, warm") return false
  return limit !== undefined || (base?.what !== undefined && !work.includes("durability"))
}

/** What ratio the right end stands for. Very long bars are cut off: their number tells. */
function scaleOf(lines: readonly Line[]): number {
  const most = Math.max(...lines.flatMap(({ reached, limit }) => [reached, limit ?? 0]))
  return Math.min(2, Math.max(1.5, Math.ceil(most * 4) / 4))
}

function bar(line: Line, top: number, scale: number): string[] {
  const { work, reached, limit } = line
  const middle = top + ROW / 2
  const end = xOf(Math.min(reached, scale), scale)
  const met = isMet(line)
  const kind = met === undefined ? "plain" : met ? "met" : "missed"
  const against = line.base?.what === undefined ? "" : `, against ${line.base.what}`
  const parts = [
    `<text class="work" x="${LEFT - 12}" y="${middle + 4}">${escaped(work + against)}</text>`,
    `<rect class="${kind}" x="${LEFT}" y="${middle - BAR / 2}" width="${(end - LEFT).toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<text class="value" x="${Math.max(end, limit === undefined ? 0 : xOf(Math.min(limit, scale), scale)) + 8}" y="${middle + 4}">${reached.toFixed(2)}${reached > scale ? " →" : ""}</text>`,
  ]
  if (limit !== undefined) {
    const x = xOf(Math.min(limit, scale), scale).toFixed(1)
    parts.push(`<line class="goal" x1="${x}" x2="${x}" y1="${middle - BAR / 2 - 4}" y2="${middle + BAR / 2 + 4}"/>`)
  }
  return parts
}

function axis(scale: number, height: number): string[] {
  const lines: string[] = []
  for (let ratio = 0; ratio <= scale; ratio += 0.5) {
    const x = xOf(ratio, scale).toFixed(1)
    lines.push(
      `<line class="${ratio === 1 ? "one" : "grid"}" x1="${x}" x2="${x}" y1="${TOP}" y2="${height - 20}"/>`,
      `<text class="tick" x="${x}" y="${TOP - 6}">${ratio.toFixed(1)}</text>`,
    )
  }
  return lines
}

function legend(): string {
  const items = [
    ["met", "goal met"],
    ["missed", "goal missed"],
    ["plain", "no goal"],
  ] as const
  const boxes = items.map(
    ([kind, text], i) =>
      `<rect class="${kind}" x="${440 + i * 110}" y="42" width="12" height="12" rx="2"/><text class="small" x="${458 + i * 110}" y="52">${text}</text>`,
  )
  return `${boxes.join("")}<line class="goal" x1="776" x2="776" y1="39" y2="57"/><text class="small" x="786" y="52">the goal</text>`
}

function xOf(ratio: number, scale: number): number {
  return LEFT + (ratio / scale) * (WIDTH - LEFT - RIGHT)
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")
}

const STYLE = `
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 } .part { font-weight: 600 } .small, .tick { font-size: 12px; fill: #59636e }
.work { text-anchor: end } .tick { text-anchor: middle } .value { font-weight: 600 }
.ground { fill: #ffffff } .grid { stroke: #d1d9e0 } .one { stroke: #59636e; stroke-dasharray: 4 3 }
.met { fill: #2da067 } .missed { fill: #d9652b } .plain { fill: #8c959f } .goal { stroke: #1f2328; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small, .tick { fill: #9198a1 } .ground { fill: #0d1117 } .grid { stroke: #2a313a }
  .one { stroke: #9198a1 } .met { fill: #3fb47a } .missed { fill: #f0883e } .plain { fill: #6e7681 } .goal { stroke: #e6edf3 }
}
`
