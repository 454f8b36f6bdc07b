import { printable } from "./text.js"

/** The first lines of a patch. */
export interface CutPatch {
  /** Empty where the patch has no lines of content. */
  readonly text: string
  readonly linesLeft: number
}

/** At most `most` lines of content of a patch, each cut where it is very long, with nothing in it that turns the reading direction. */
export function cutPatch(patch: string, most: number): CutPatch {
  const first = patch.startsWith("@@ ") ? 0 : patch.indexOf("\n@@ ") + 1
  if (first === 0 && !patch.startsWith("@@ ")) return { text: "", linesLeft: 0 }
  const lines = patch.slice(first).split("\n")
  if (lines.at(-1) === "") lines.pop()
  const shown = lines.slice(0, most).map(shownLine)
  return { text: `${patch.slice(0, first)}${shown.join("\n")}\n`, linesLeft: lines.length - shown.length }
}

function shownLine(line: string): string {
  const left = line.length - LONGEST
  const cut = left > 0 ? `${line.slice(0, LONGEST)} … ${left.toLocaleString("en-US")} characters more` : line
  // Tabs are as they are, and a line that ends as on Windows shows that by nothing.
  return cut.replace(/\r$/, "").split("\t").map(printable).join("\t")
}

const LONGEST = 2_000
