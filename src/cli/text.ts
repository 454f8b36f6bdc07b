/*
 * Text for people: what is safe to send to a terminal, how wide it is there, and how numbers and times read.
 */
import { escapePath } from "../core/path.js"
import type { Snapshot } from "../snapshot-store.js"

/** `text` with everything that steers a terminal, turns the reading direction or breaks the line as an escape. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu, escapeSymbol)
}

/** A path for people, so that different paths read differently. */
export function printablePath(path: string): string {
  return printable(escapePath(path))
}

/** The first digits of an oid: enough for people. */
export function shortId(id: string): string {
  return id.slice(0, 10)
}

/** A snapshot in a sentence: "snapshot 3f2a9c1d77 (before the merge, 5 min ago)". */
export function nameOf({ id, label, createdAt }: Snapshot, now: Date): string {
  const known = label === undefined ? "" : `${cut(printable(label), LABEL_COLUMNS, "end")}, `
  return `snapshot ${shortId(id)} (${known}${age(createdAt, now)})`
}

/** "1 file", "2,000 files". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`
}

/** "2,000". */
export function grouped(number: number): string {
  return number.toLocaleString("en-US")
}

/** "2025-11-22 16:59:03" in the local time zone. */
export function localTime(date: Date): string {
  const day = [date.getFullYear(), twoDigits(date.getMonth() + 1), twoDigits(date.getDate())].join("-")
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":")}`
}

/** How long before `now` it was: "just now", "5 min ago". */
export function age(date: Date, now: Date): string {
  const seconds = Math.floor((now.getTime() - date.getTime()) / 1000)
  if (seconds < -60) return "in the future"
  if (seconds < 2) return "just now"
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < DAY) return `${Math.floor(seconds / 3600)} h ago`
  if (seconds < 60 * DAY) return `${count(Math.floor(seconds / DAY), "day")} ago`
  if (seconds < 730 * DAY) return `${Math.floor(seconds / (30.44 * DAY))} months ago`
  return `${Math.floor(seconds / (365.25 * DAY))} years ago`
}

/** "0.21 s", "1 min 5 s". */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** How many columns of a terminal `text` takes. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += symbolWidth(segment)
  return width
}

/** `text` in at most `width` columns, with "…" in place of its end or of its start. */
export function cut(text: string, width: number, side: "end" | "start"): string {
  if (displayWidth(text) <= width) return text
  const symbols = Array.from(graphemes.segment(text), ({ segment }) => segment)
  if (side === "start") symbols.reverse()
  const kept: string[] = []
  let room = width - 1
  for (const symbol of symbols) {
    room -= symbolWidth(symbol)
    if (room < 0) break
    kept.push(symbol)
  }
  return side === "start" ? `…${kept.reverse().join("")}` : `${kept.join("").trimEnd()}…`
}

function escapeSymbol(symbol: string): string {
  if (symbol === "\n") return "\\n"
  if (symbol === "\t") return "\\t"
  const code = symbol.codePointAt(0) as number
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0")
}

/** East Asian wide symbols and emoji take two columns, marks and joiners none. */
function symbolWidth(symbol: string): number {
  if (WIDE.test(symbol)) return 2
  return EMPTY.test(symbol) ? 0 : 1
}

const DAY = 86_400
const LABEL_COLUMNS = 30
const PLAIN = /^[\x20-\x7e]*$/
const EMPTY = /^[\p{Mn}\p{Me}\p{Cf}]+$/u
const WIDE =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })
