import { concat, equalBytes } from "../core/bytes.js"
import { isBinary } from "./binary-patch.js"
import { lineDiff, type LineRun } from "./line-diff.js"

/**
 * What both sides made of `base`, line by line, byte for byte; undefined where they changed the same lines or lines next
 * to each other in different ways, and where one of the three is binary or longer than 4 MiB.
 */
export function mergeLines(base: Uint8Array, ours: Uint8Array, theirs: Uint8Array): Uint8Array | undefined {
  if ([base, ours, theirs].some((content) => content.length > MOST_BYTES || isBinary(content))) return undefined
  const sides = [new Side(base, ours), new Side(base, theirs)] as const
  const merged: Uint8Array[] = []
  let done = 0
  for (let region = nextRegion(sides); region !== undefined; region = nextRegion(sides)) {
    const [left, right] = sides.map((side) => side.take(region))
    if (left !== undefined && right !== undefined && !equalBytes(left, right)) return undefined
    merged.push(base.subarray(done, region.start), left ?? right ?? EMPTY)
    done = region.end
  }
  return concat([...merged, base.subarray(done)])
}

const MOST_BYTES = 4 * 1024 * 1024
const EMPTY = new Uint8Array()

/** A part of the base that one side changed, or both did. */
interface Region {
  readonly start: number
  readonly end: number
  readonly line: number
  readonly endLine: number
}

/** What one side made of the base, from the first change on that was not taken yet. */
class Side {
  readonly #runs: readonly LineRun[]
  readonly #content: Uint8Array
  #taken = 0

  constructor(base: Uint8Array, content: Uint8Array) {
    this.#content = content
    this.#runs = lineDiff(base, content)
  }

  get next(): Region | undefined {
    return this.#regionAt(this.#taken)
  }

  /** The region with the changes that touch it; those with no line between them touch. */
  grown(region: Region): Region {
    let grown = region
    for (let at = this.#taken; ; at++) {
      const run = this.#regionAt(at)
      if (run === undefined || run.line > grown.endLine) return grown
      grown = {
        start: Math.min(grown.start, run.start),
        end: Math.max(grown.end, run.end),
        line: Math.min(grown.line, run.line),
        endLine: Math.max(grown.endLine, run.endLine),
      }
    }
  }

  /** What this side made of a region; undefined when it changed nothing there. */
  take({ start, end, endLine }: Region): Uint8Array | undefined {
    const first = this.#runs[this.#taken]
    if (first === undefined || first.before.line > endLine) return undefined
    let last = first
    for (let run: LineRun | undefined = first; run !== undefined && run.before.line <= endLine;) {
      last = run
      run = this.#runs[++this.#taken]
    }
    // Around its changes a side is as the base.
    return this.#content.subarray(
      first.after.start - (first.before.start - start),
      last.after.end + (end - last.before.end),
    )
  }

  #regionAt(at: number): Region | undefined {
    const before = this.#runs[at]?.before
    return before && { start: before.start, end: before.end, line: before.line, endLine: before.line + before.lines }
  }
}

/** The first region that was not taken yet, with all changes of either side that touch each other. */
function nextRegion([left, right]: readonly [Side, Side]): Region | undefined {
  const [one, other] = [left.next, right.next]
  let region = one === undefined || (other !== undefined && other.line < one.line) ? other : one
  for (let known: Region | undefined; region !== undefined && region !== known;) {
    known = region
    region = right.grown(left.grown(region))
    if (region.start === known.start && region.end === known.end && region.endLine === known.endLine) region = known
  }
  return region
}
