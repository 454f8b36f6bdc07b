import { utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import { lineDiff, type LineRun } from "./line-diff.js"
import { nextLine } from "./line-tokens.js"

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
  const hunks = groupRuns(runs, context).map((group) => hunkOf(group, before, context))
  const written = new Uint8Array(hunks.reduce((sum, hunk) => sum + sizeOf(hunk), 0))
  let end = 0
  for (const hunk of hunks) end = writeHunk(written, end, hunk, before, after)
  let additions = 0
  let deletions = 0
  for (const run of runs) {
    additions += run.after.lines
    deletions += run.before.lines
  }
  return { additions, deletions, bytes: written.subarray(0, end) }
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

/** Runs with the equal lines around them. */
interface Hunk {
  readonly header: string
  readonly runs: readonly LineRun[]
  /** Where it begins and ends before the change. */
  readonly start: number
  readonly end: number
  /** Lines that it is made of. */
  readonly lines: number
}

function hunkOf(runs: readonly LineRun[], before: Uint8Array, context: number): Hunk {
  const first = runs[0] as LineRun
  const last = runs.at(-1) as LineRun
  const lead = linesBack(before, first.before.start, context)
  const trail = linesOn(before, last.before.end, context)
  const linesOf = (side: "before" | "after"): number =>
    last[side].line + last[side].lines + trail.lines - (first[side].line - lead.lines)
  const range = (side: "before" | "after"): string => {
    const line = first[side].line - lead.lines
    const lines = linesOf(side)
    // The line ahead stands for an empty range, and lines count from 1.
    const shown = lines === 0 ? line : line + 1
    return lines === 1 ? `${shown}` : `${shown},${lines}`
  }
  const header = `@@ -${range("before")} +${range("after")} @@\n`
  return { header, runs, start: lead.at, end: trail.at, lines: linesOf("before") + linesOf("after") }
}

/** Bytes that a hunk takes at most. */
function sizeOf({ header, runs, start, end, lines }: Hunk): number {
  const added = runs.reduce((sum, run) => sum + run.after.end - run.after.start, 0)
  return header.length + end - start + added + lines + 2 * NO_NEWLINE.length
}

/** Writes a hunk at `to` and gives where it ends. */
function writeHunk(written: Uint8Array, to: number, hunk: Hunk, before: Uint8Array, after: Uint8Array): number {
  let at = hunk.start
  let end = to
  for (let i = 0; i < hunk.header.length; i++) written[end++] = hunk.header.charCodeAt(i)
  for (const run of hunk.runs) {
    end = writeLines(written, end, SPACE, before, at, run.before.start)
    end = writeLines(written, end, MINUS, before, run.before.start, run.before.end)
    end = writeLines(written, end, PLUS, after, run.after.start, run.after.end)
    at = run.before.end
  }
  return writeLines(written, end, SPACE, before, at, hunk.end)
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

/** Writes lines with `mark` ahead of each: short ones byte by byte, without an object a line, since there may be millions. */
function writeLines(
  written: Uint8Array,
  to: number,
  mark: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let next = to
  for (let at = start; at < end;) {
    written[next++] = mark
    const stop = nextLine(bytes, at, end)
    if (stop - at > SHORT_LINE_BYTES) {
      written.set(bytes.subarray(at, stop), next)
      next += stop - at
      at = stop
    }
    while (at < stop) written[next++] = bytes[at++] as number
  }
  if (start === end || bytes[end - 1] === LF) return next
  written.set(NO_NEWLINE, next)
  return next + NO_NEWLINE.length
}

const SHORT_LINE_BYTES = 64
const SPACE = 0x20
const MINUS = 0x2d
const PLUS = 0x2b
const NO_NEWLINE = utf8("\n\\ No newline at end of file\n")
const LF = 0x0a
