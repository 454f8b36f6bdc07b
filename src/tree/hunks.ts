import { concat, utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import { lineDiff, type LineRun } from "./line-diff.js"
import { countLines, nextLine } from "./line-tokens.js"

/** The changed lines of a text. */
export interface Hunks {
  readonly additions: number
  readonly deletions: number
  /** The hunks as a patch has them, from the first "@@" on; empty when nothing differs. */
  readonly bytes: Uint8Array
}

/** Lines of context around a change, unless told otherwise. */
const DEFAULT_CONTEXT = 3

/**
 * The hunks that turn `before` into `after`, with `context` equal lines around changes; changes with no more than twice
 * as many between them share a hunk. A context that is no whole number from 0 on: INVALID_ARGUMENT.
 * Source: https://git-scm.com/docs/diff-format (unified format)
 */
export function textHunks(before: Uint8Array, after: Uint8Array, context: number = DEFAULT_CONTEXT): Hunks {
  if (!Number.isSafeInteger(context) || context < 0)
    throw new SnapshotError("INVALID_ARGUMENT", "Give context as a number of lines, 0 or more.", {
      argument: "context",
    })
  const runs = lineDiff(before, after)
  const parts: Uint8Array[] = []
  let additions = 0
  let deletions = 0
  for (const run of runs) {
    additions += run.after.lines
    deletions += run.before.lines
  }
  for (const group of groupRuns(runs, context)) writeHunk(parts, group, before, after, context)
  return { additions, deletions, bytes: concat(parts) }
}

function groupRuns(runs: readonly LineRun[], context: number): LineRun[][] {
  const groups: LineRun[][] = []
  let end = 0
  for (const run of runs) {
    const group = groups.at(-1)
    if (group !== undefined && run.before.line - end <= 2 * context) group.push(run)
    else groups.push([run])
    end = run.before.line + run.before.lines
  }
  return groups
}

function writeHunk(
  parts: Uint8Array[],
  runs: readonly LineRun[],
  before: Uint8Array,
  after: Uint8Array,
  context: number,
): void {
  const first = runs[0] as LineRun
  const last = runs.at(-1) as LineRun
  const lead = linesBack(before, first.before.start, context)
  const trail = linesOn(before, last.before.end, context)
  const range = (side: "before" | "after"): string => {
    const line = first[side].line - lead.lines
    const lines = last[side].line + last[side].lines + trail.lines - line
    // The line ahead stands for an empty range, and lines count from 1.
    const shown = lines === 0 ? line : line + 1
    return lines === 1 ? `${shown}` : `${shown},${lines}`
  }
  parts.push(utf8(`@@ -${range("before")} +${range("after")} @@\n`))
  let at = lead.at
  for (const run of runs) {
    writeLines(parts, " ", before, at, run.before.start)
    writeLines(parts, "-", before, run.before.start, run.before.end)
    writeLines(parts, "+", after, run.after.start, run.after.end)
    at = run.before.end
  }
  writeLines(parts, " ", before, at, trail.at)
}

interface Reach {
  readonly at: number
  readonly lines: number
}

function linesBack(bytes: Uint8Array, from: number, most: number): Reach {
  let at = from
  let lines = 0
  for (; lines < most && at > 0; lines++) at = at === 1 ? 0 : bytes.lastIndexOf(LF, at - 2) + 1
  return { at, lines }
}

function linesOn(bytes: Uint8Array, from: number, most: number): Reach {
  let at = from
  let lines = 0
  for (; lines < most && at < bytes.length; lines++) at = nextLine(bytes, at, bytes.length)
  return { at, lines }
}

/** Line after line, without an object for each: there may be millions. */
function writeLines(parts: Uint8Array[], mark: " " | "-" | "+", bytes: Uint8Array, start: number, end: number): void {
  if (start === end) return
  const code = mark.charCodeAt(0)
  const written = new Uint8Array(end - start + countLines(bytes, start, end))
  let to = 0
  let isStart = true
  for (let at = start; at < end; at++) {
    if (isStart) written[to++] = code
    const byte = bytes[at] as number
    written[to++] = byte
    isStart = byte === LF
  }
  parts.push(written)
  if (!isStart) parts.push(NO_NEWLINE)
}

const NO_NEWLINE = utf8("\n\\ No newline at end of file\n")
const LF = 0x0a
