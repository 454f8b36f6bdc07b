import { diffArrays } from "diff"
import { countLines, lineStarts, lineTokens, nextLine, wordsOf, type Lines } from "./line-tokens.js"

/** Consecutive lines of a file; none of them when `lines` is 0, and then `line` and `start` tell where they would be. */
export interface Span {
  /** The number of the first line, from 0 on. */
  readonly line: number
  readonly lines: number
  /** The bytes of the lines, with their newlines, are those from `start` up to, not including, `end`. */
  readonly start: number
  readonly end: number
}

/** Lines that were replaced by other lines; at least one line on one of the sides. */
export interface LineRun {
  readonly before: Span
  readonly after: Span
}

/**
 * What changed from `before` to `after`, line by line, as runs in order with equal lines between them. Lines are compared
 * as bytes; only "\n" ends one, and a last line without it differs from the same line with it.
 *
 * The number of changed lines is the smallest possible within these bounds: between the first and the last difference no
 * more than 2,000,000 lines on both sides together; and of their lines that stand on both sides, no more than 2,000
 * removed and added together, less for very long files (200,000,000 divided by the number of such lines). Beyond them
 * everything between the first and the last difference is one run. So time and memory are bounded by the contents'
 * sizes, and equal contents give equal runs on every machine.
 */
export function lineDiff(before: Uint8Array, after: Uint8Array): LineRun[] {
  const { head, beforeEnd, afterEnd } = trim(before, after)
  if (head === beforeEnd && head === afterEnd) return []
  const line = countLines(before, 0, head)
  if (beforeEnd + afterEnd - 2 * head > MAX_LINES) {
    const whole: LineRun = {
      before: { line, lines: countLines(before, head, beforeEnd), start: head, end: beforeEnd },
      after: { line, lines: countLines(after, head, afterEnd), start: head, end: afterEnd },
    }
    if (whole.before.lines + whole.after.lines > MAX_LINES) return [whole]
  }
  const left: Lines = { bytes: before, words: wordsOf(before), starts: lineStarts(before, head, beforeEnd) }
  const right: Lines = { bytes: after, words: wordsOf(after), starts: lineStarts(after, head, afterEnd) }
  const hasBoth = left.starts.length > 1 && right.starts.length > 1
  return runsBetween((hasBoth ? keptLines(left, right) : undefined) ?? NO_LINES, left.starts, right.starts, line)
}

const MAX_LINES = 2_000_000
const MAX_EDITS = 2_000
const MAX_STEPS = 200_000_000

interface Trimmed {
  /** Where the first line that differs begins, on both sides. */
  readonly head: number
  /** Where the last lines that differ end. */
  readonly beforeEnd: number
  readonly afterEnd: number
}

function trim(before: Uint8Array, after: Uint8Array): Trimmed {
  const shorter = Math.min(before.length, after.length)
  const left = wordsOf(before)
  const right = wordsOf(after)
  let same = 0
  while (same + 4 <= shorter && left.getInt32(same, true) === right.getInt32(same, true)) same += 4
  while (same < shorter && before[same] === after[same]) same++
  if (same === before.length && same === after.length) return { head: same, beforeEnd: same, afterEnd: same }
  const head = lineBeginning(before, same)
  let tail = 0
  for (const most = shorter - head - 4; tail <= most; tail += 4) {
    const isAlike = left.getInt32(before.length - 4 - tail, true) === right.getInt32(after.length - 4 - tail, true)
    if (!isAlike) break
  }
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const beforeTail = before.length - tail
  const afterTail = after.length - tail
  if (isLineStart(before, beforeTail) && isLineStart(after, afterTail))
    return { head, beforeEnd: beforeTail, afterEnd: afterTail }
  const beforeEnd = nextLine(before, beforeTail, before.length)
  return { head, beforeEnd, afterEnd: afterTail + beforeEnd - beforeTail }
}

function lineBeginning(bytes: Uint8Array, at: number): number {
  return at === 0 ? 0 : bytes.lastIndexOf(LF, at - 1) + 1
}

function isLineStart(bytes: Uint8Array, at: number): boolean {
  return at === 0 || bytes[at - 1] === LF
}

/** Pairs of line numbers, both rising: lines that stay. */
interface KeptLines {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

const NO_LINES: KeptLines = { before: [], after: [] }

/** The longest common sequence of lines; undefined beyond the bound. */
function keptLines(left: Lines, right: Lines): KeptLines | undefined {
  const tokens = lineTokens(left, right)
  if (tokens === undefined) return undefined
  // A line that the other side does not have at all is changed whatever the rest is: without them the search is short.
  const before = linesIn(tokens[0], tokens[1])
  const after = linesIn(tokens[1], tokens[0])
  const parts = diffArrays(tokensAt(tokens[0], before), tokensAt(tokens[1], after), {
    maxEditLength: Math.min(MAX_EDITS, Math.floor(MAX_STEPS / (before.length + after.length))),
  })
  if (parts === undefined) return undefined
  const kept = { before: [] as number[], after: [] as number[] }
  let i = 0
  let j = 0
  for (const { added, removed, count } of parts) {
    if (removed) i += count
    else if (added) j += count
    else
      for (const end = i + count; i < end; i++, j++) {
        kept.before.push(before[i] as number)
        kept.after.push(after[j] as number)
      }
  }
  return kept
}

/** The numbers of the lines of `tokens` that `others` have, too. */
function linesIn(tokens: Int32Array, others: Int32Array): number[] {
  const known = new Uint8Array(tokens.length + others.length)
  for (const token of others) known[token] = 1
  const lines: number[] = []
  for (let line = 0; line < tokens.length; line++) if (known[tokens[line] as number] === 1) lines.push(line)
  return lines
}

function tokensAt(tokens: Int32Array, lines: readonly number[]): number[] {
  return lines.map((line) => tokens[line] as number)
}

function runsBetween(kept: KeptLines, left: Int32Array, right: Int32Array, firstLine: number): LineRun[] {
  const runs: LineRun[] = []
  let i = 0
  let j = 0
  for (let k = 0; k <= kept.before.length; k++) {
    const nextBefore = kept.before[k] ?? left.length - 1
    const nextAfter = kept.after[k] ?? right.length - 1
    if (nextBefore > i || nextAfter > j)
      runs.push({ before: spanOf(left, i, nextBefore, firstLine), after: spanOf(right, j, nextAfter, firstLine) })
    i = nextBefore + 1
    j = nextAfter + 1
  }
  return runs
}

function spanOf(starts: Int32Array, from: number, to: number, firstLine: number): Span {
  return { line: firstLine + from, lines: to - from, start: starts[from] as number, end: starts[to] as number }
}

const LF = 0x0a
