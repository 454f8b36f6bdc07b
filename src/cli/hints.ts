import { table } from "./table.js"
import { displayWidth } from "./text.js"

/** A command line to try next, and what it does. */
export type Hint = readonly [line: string, meaning: string]

/** Lines that show hints: side by side where that fits, else each meaning above its command. */
export function hintLines(hints: readonly Hint[], columns: number): string[] {
  const lines = table([{}, {}], hints, Infinity).map((line) => `  ${line}`)
  if (lines.every((line) => displayWidth(line) <= columns)) return lines
  return hints.flatMap(([line, meaning]) => [`  ${meaning}:`, `    ${line}`])
}
