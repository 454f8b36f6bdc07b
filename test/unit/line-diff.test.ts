import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { concat, utf8 } from "../../src/core/bytes.js"
import { textHunks } from "../../src/tree/hunks.js"
import { lineDiff, type LineRun } from "../../src/tree/line-diff.js"

const line = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("", "a", "b", "c", "}", "a\r", "\r") },
  { weight: 1, arbitrary: fc.string({ maxLength: 3, unit: "binary-ascii" }).map((text) => text.replaceAll("\n", "")) },
)
const text = fc
  .tuple(fc.array(line, { maxLength: 25 }), fc.constantFrom("", "\n"))
  .map(([lines, end]) => utf8(lines.join("\n") + end))

describe("lineDiff", () => {
  it("gives runs in order, of whole lines, apart from each other, that turn one text into the other", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const runs = lineDiff(before, after)
        checkRuns(runs, before, after)
        expect(Buffer.from(applied(runs, before, after)).equals(after)).toBe(true)
      }),
      { numRuns: 1500 },
    )
  })

  it("changes as few lines as possible", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const [left, right] = [linesOf(before), linesOf(after)]
        expect(changedLines(lineDiff(before, after))).toBe(left.length + right.length - 2 * longestCommon(left, right))
      }),
      { numRuns: 1000 },
    )
  })

  it("compares lines as bytes: only a newline ends one, and no two bytes are taken for the same", () => {
    const latin = Uint8Array.of(0xe9, 0x0a, 0x80, 0x0a, 0xff, 0x0d, 0x0a)
    const other = Uint8Array.of(0xe9, 0x0a, 0x81, 0x0a, 0xff, 0x0d, 0x0a)
    expect(lineDiff(latin, other)).toEqual([
      { before: { line: 1, lines: 1, start: 2, end: 4 }, after: { line: 1, lines: 1, start: 2, end: 4 } },
    ])
    expect(changedLines(lineDiff(utf8("a\u2028b\rc"), utf8("a\u2028b\rd")))).toBe(2)
    expect(changedLines(lineDiff(utf8("a\r\nb\n"), utf8("a\nb\n")))).toBe(2)
  })

  it("takes a last line without a newline for another line than the same one with it", () => {
    expect(changedLines(lineDiff(utf8("a\nb"), utf8("a\nb\n")))).toBe(2)
    expect(changedLines(lineDiff(utf8("b"), utf8("a\nb")))).toBe(1)
    expect(changedLines(lineDiff(utf8(""), utf8("\n")))).toBe(1)
  })

  it("gives no run for equal contents", () => {
    for (const same of ["", "\n", "a", "a\nb\n"]) expect(lineDiff(utf8(same), utf8(same))).toEqual([])
  })

  it("finds a few changes far apart in a file of 200,000 lines", () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i % 50_000}\n`)
    const changed = [...lines]
    changed[10] = "x\n"
    changed.splice(100_000, 1)
    changed.splice(150_000, 0, "7\n", "8\n")
    const runs = lineDiff(utf8(lines.join("")), utf8(changed.join("")))
    expect(runs.map((run) => [run.before.line, run.before.lines, run.after.lines])).toEqual([
      [10, 1, 1],
      [100_000, 1, 0],
      [150_001, 0, 2],
    ])
  })

  it("finds a line that stays among 200,000 that are replaced", () => {
    const side = (name: string): Uint8Array =>
      utf8(Array.from({ length: 200_001 }, (_, i) => (i === 70_000 ? "stays\n" : `${name}${i}\n`)).join(""))
    const runs = lineDiff(side("a"), side("b"))
    expect(runs.map((run) => [run.before.lines, run.after.lines])).toEqual([
      [70_000, 70_000],
      [130_000, 130_000],
    ])
  })

  it("finds 2,000 edits of lines that stand on both sides, and not one more", () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${i}\n`)
    const swapped = (swaps: number): Uint8Array =>
      utf8(lines.map((_, i) => lines[i >= swaps * 2 ? i : i ^ 1] as string).join(""))
    expect(changedLines(lineDiff(utf8(lines.join("")), swapped(1000)))).toBe(2000)
    expect(lineDiff(utf8(lines.join("")), swapped(1001))).toHaveLength(1)
  })

  it("replaces all that is between the first and the last difference beyond the bound on edits", () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i}\n`)
    // Each line stays a line of the file and almost none stays in order.
    const moved = lines.map((_, i) => lines[(i * 7919) % 200_000] as string)
    const before = utf8(["head\n", ...lines, "tail\n"].join(""))
    const after = utf8(["head\n", ...moved, "tail\n"].join(""))
    const runs = lineDiff(before, after)
    expect(runs.map((run) => [run.before.line, run.before.lines, run.after.lines])).toEqual([
      [1, 199_999, 199_999].with(0, 2),
    ])
    expect(Buffer.from(applied(runs, before, after)).equals(after)).toBe(true)
  })

  it("replaces all beyond the bound on lines", () => {
    const before = new Uint8Array(3_000_000).fill(0x0a)
    const after = before.slice()
    before[0] = after[before.length - 2] = 0x61
    const runs = lineDiff(before, after)
    expect(runs).toHaveLength(1)
    expect(Buffer.from(applied(runs, before, after)).equals(after)).toBe(true)
  })

  it("replaces one line of 10 MB by another", () => {
    const before = new Uint8Array(10_000_000).fill(0x61)
    const after = before.slice()
    after[5_000_000] = 0x62
    const span = { line: 0, lines: 1, start: 0, end: 10_000_000 }
    expect(lineDiff(before, after)).toEqual([{ before: span, after: span }])
  })

  it("replaces all when lines were made to have one and the same hash", () => {
    const lines = collidingLines(12)
    const [before, after] = ["first\n", "1st\n"].map((first) => concat([utf8(first), ...lines, utf8(`${first}last\n`)]))
    const runs = lineDiff(before as Uint8Array, after as Uint8Array)
    expect(runs.map((run) => [run.before.lines, run.after.lines])).toEqual([[lines.length + 2, lines.length + 2]])
  })
})

describe("textHunks", () => {
  it("joins changes with no more than twice the context between them, and parts others", () => {
    const before = Array.from({ length: 30 }, (_, i) => `${i}\n`)
    const after = before.with(5, "x\n").with(12, "y\n").with(20, "z\n")
    const headers = (context: number): string[] =>
      shown(before.join(""), after.join(""), context).match(/^@@.*@@$/gm) ?? []
    expect(headers(3)).toEqual(["@@ -3,14 +3,14 @@", "@@ -18,7 +18,7 @@"])
    expect(headers(2)).toEqual(["@@ -4,5 +4,5 @@", "@@ -11,5 +11,5 @@", "@@ -19,5 +19,5 @@"])
    expect(headers(0)).toEqual(["@@ -6 +6 @@", "@@ -13 +13 @@", "@@ -21 +21 @@"])
    expect(headers(1000)).toEqual(["@@ -1,30 +1,30 @@"])
  })

  it("names the line ahead of an empty range", () => {
    expect(shown("", "a\nb\n")).toBe("@@ -0,0 +1,2 @@\n+a\n+b\n")
    expect(shown("a\n", "")).toBe("@@ -1 +0,0 @@\n-a\n")
    expect(shown("a\nb\n", "a\nx\nb\n", 0)).toBe("@@ -1,0 +2 @@\n+x\n")
  })

  it("tells of each missing newline at the end", () => {
    const note = "\\ No newline at end of file\n"
    expect(shown("a", "a\n")).toBe(`@@ -1 +1 @@\n-a\n${note}+a\n`)
    expect(shown("a\nb", "x\nb")).toBe(`@@ -1,2 +1,2 @@\n-a\n+x\n b\n${note}`)
    expect(shown("a", "b")).toBe(`@@ -1 +1 @@\n-a\n${note}+b\n${note}`)
  })

  it("refuses a context that is no number of lines", () => {
    for (const context of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => shown("a", "b", context)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }))
  })
})

function shown(before: string, after: string, context?: number): string {
  return new TextDecoder().decode(textHunks(utf8(before), utf8(after), context).bytes)
}

function linesOf(bytes: Uint8Array): string[] {
  return (
    Buffer.from(bytes)
      .toString("latin1")
      .match(/[^\n]*\n|[^\n]+$/g) ?? []
  )
}

function checkRuns(runs: readonly LineRun[], before: Uint8Array, after: Uint8Array): void {
  for (const [side, bytes] of [
    ["before", before],
    ["after", after],
  ] as const) {
    let end = 0
    for (const [index, { [side]: span }] of runs.entries()) {
      if (index > 0) expect(span.start).toBeGreaterThan(end)
      expect(span.line).toBe(linesOf(bytes.subarray(0, span.start)).length)
      expect(span.lines).toBe(linesOf(bytes.subarray(span.start, span.end)).length)
      expect([0x0a, undefined]).toContain(bytes[span.start - 1])
      if (span.end < bytes.length) expect(bytes[span.end - 1] ?? 0x0a).toBe(0x0a)
      end = span.end
    }
  }
  for (const run of runs) expect(run.before.lines + run.after.lines).toBeGreaterThan(0)
}

function applied(runs: readonly LineRun[], before: Uint8Array, after: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  for (const run of runs) {
    parts.push(before.subarray(at, run.before.start), after.subarray(run.after.start, run.after.end))
    at = run.before.end
  }
  return concat([...parts, before.subarray(at)])
}

function changedLines(runs: readonly LineRun[]): number {
  return runs.reduce((sum, run) => sum + run.before.lines + run.after.lines, 0)
}

function longestCommon(left: readonly string[], right: readonly string[]): number {
  let row = [0, ...right.map(() => 0)]
  for (const item of left) {
    const next = [0]
    for (let j = 0; j < right.length; j++)
      next.push(item === right[j] ? (row[j] as number) + 1 : Math.max(row[j + 1] as number, next[j] as number))
    row = next
  }
  return row[right.length] as number
}

/**
 * 2 to the power of `stages` different lines with an equal core of the product's line hash, which takes four bytes at a
 * time: a collision is looked for at each stage, and each stage doubles the lines. With another hash in the product these
 * are plain lines.
 */
function collidingLines(stages: number): Uint8Array[] {
  let state = 0x811c9dc5
  let lines: Uint8Array[] = [new Uint8Array(0)]
  for (let stage = 0; stage < stages; stage++) {
    const seen = new Map<number, Uint8Array>()
    for (let i = 0; ; i++) {
      const mixed = Math.imul(i + 1, 0x9e3779b1)
      const block = Uint8Array.from([0, 5, 10, 15, 20, 25, 3, 8], (shift) => 0x80 | ((mixed >>> shift) & 0x7f))
      let hash = state
      for (const word of new Int32Array(block.buffer)) {
        hash = Math.imul(hash ^ word, 0x01000193)
        hash ^= hash >>> 15
      }
      const other = seen.get(hash)
      seen.set(hash, block)
      if (other === undefined) continue
      lines = lines.flatMap((start) => [concat([start, other]), concat([start, block])])
      state = hash
      break
    }
  }
  return lines.map((start) => concat([start, utf8("\n")]))
}
