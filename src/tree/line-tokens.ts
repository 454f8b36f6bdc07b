/*
 * Lines as numbers. A line ends with "\n", which is part of it; the last one may lack it, and is another line then.
 */

/** Where the lines of `bytes` from `start` to `end` begin, and `end` behind the last of them. */
export function lineStarts(bytes: Uint8Array, start: number, end: number): Int32Array {
  let starts = new Int32Array(((end - start) >> 5) + 16)
  let count = 0
  if (start < end) starts[count++] = start
  const words = wordsOf(bytes)
  let at = start
  for (const lastWord = end - 4; at < end;) {
    if (at <= lastWord && !hasNewline(words.getInt32(at, true))) {
      at += 4
      continue
    }
    for (const stop = Math.min(at + 4, end); at < stop;) {
      if (bytes[at++] !== LF || at === end) continue
      if (count + 1 === starts.length) starts = grown(starts)
      starts[count++] = at
    }
  }
  starts[count] = end
  return starts.subarray(0, count + 1)
}

function grown(lines: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const more = new Int32Array(2 * lines.length)
  more.set(lines)
  return more
}

/** The number of lines of `bytes` from `start` to `end`. */
export function countLines(bytes: Uint8Array, start: number, end: number): number {
  let lines = start < end && bytes[end - 1] !== LF ? 1 : 0
  const words = wordsOf(bytes)
  let at = start
  for (const lastWord = end - 4; at < end;) {
    if (at <= lastWord && !hasNewline(words.getInt32(at, true))) {
      at += 4
      continue
    }
    for (const stop = Math.min(at + 4, end); at < stop; at++) if (bytes[at] === LF) lines++
  }
  return lines
}

/** Four bytes at a time are read through a view, wherever they stand. */
export function wordsOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Whether one of four bytes is a newline: without it no byte of `other` is 0, and only a 0 borrows from its highest bit. */
function hasNewline(word: number): boolean {
  const other = word ^ 0x0a0a0a0a
  return ((other - 0x01010101) & ~other & 0x80808080) !== 0
}

/** Where the line behind the one at `at` begins; `end` when there is none. */
export function nextLine(bytes: Uint8Array, at: number, end: number): number {
  const newline = bytes.indexOf(LF, at)
  return newline < 0 || newline >= end ? end : newline + 1
}

/** One side of a comparison. */
export interface Lines {
  readonly bytes: Uint8Array
  /** As wordsOf gives them. */
  readonly words: DataView
  /** As lineStarts gives them. */
  readonly starts: Int32Array
}

/**
 * A number for each line of both sides, from 0 on: equal lines, and only those, have the same. Takes time in proportion
 * to the bytes; content that was made to spoil its hash table gives undefined.
 */
export function lineTokens(before: Lines, after: Lines): readonly [Int32Array, Int32Array] | undefined {
  const table = newTable(before.starts.length + after.starts.length, before.bytes.length + after.bytes.length)
  const left = numberLines(table, before)
  const right = left && numberLines(table, after)
  return left && right && [left, right]
}

/** A hash table with open addressing: each slot has the number of a line, or -1. */
interface Table {
  readonly slots: Int32Array
  /** By number: the hash of the line, and where it was first seen. */
  readonly hashes: Int32Array
  readonly sources: Lines[]
  readonly lines: Int32Array
  count: number
  /** Steps that are left: a probe is one, and so is a byte that is compared. */
  budget: number
}

function newTable(lines: number, sizeBytes: number): Table {
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * lines))).fill(-1)
  const budget = 32 * lines + 4 * sizeBytes
  return { slots, hashes: new Int32Array(lines), sources: [], lines: new Int32Array(lines), count: 0, budget }
}

function numberLines(table: Table, side: Lines): Int32Array | undefined {
  const numbers = new Int32Array(side.starts.length - 1)
  for (let line = 0; line < numbers.length; line++) {
    numbers[line] = numberOf(table, side, line)
    if (table.budget < 0) return undefined
  }
  return numbers
}

function numberOf(table: Table, side: Lines, line: number): number {
  const hash = hashLine(side, side.starts[line] as number, side.starts[line + 1] as number)
  const mask = table.slots.length - 1
  let slot = hash & mask
  for (; table.budget >= 0; slot = (slot + 1) & mask) {
    const known = table.slots[slot] as number
    if (known < 0) break
    table.budget--
    if (table.hashes[known] === hash && isSameLine(table, known, side, line)) return known
  }
  const number = table.count++
  table.slots[slot] = number
  table.hashes[number] = hash
  table.sources.push(side)
  table.lines[number] = line
  return number
}

function isSameLine(table: Table, known: number, side: Lines, line: number): boolean {
  const other = table.sources[known] as Lines
  let theirs = other.starts[table.lines[known] as number] as number
  const theirEnd = other.starts[(table.lines[known] as number) + 1] as number
  const start = side.starts[line] as number
  const end = side.starts[line + 1] as number
  if (theirEnd - theirs !== end - start) return false
  let at = start
  while (at + 4 <= end && side.words.getInt32(at, true) === other.words.getInt32(theirs, true)) {
    at += 4
    theirs += 4
  }
  while (at < end && side.bytes[at] === other.bytes[theirs]) {
    at++
    theirs++
  }
  table.budget -= at - start
  return at === end
}

function hashLine({ bytes, words }: Lines, start: number, end: number): number {
  let hash = 0x811c9dc5
  let at = start
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ words.getInt32(at, true), 0x01000193)
    hash ^= hash >>> 15
  }
  for (; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

const LF = 0x0a
