/*
 * Text for people: numbers, times, and names that steer nothing.
 */
import prettyBytes from "pretty-bytes"

/** "1 file", "2,000 files". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`
}

/** "1.2 kB". */
export function size(bytes: number): string {
  return prettyBytes(bytes)
}

/** `text` with what breaks the line or turns the reading direction as an escape, so that different names read differently. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu, escapeSymbol)
}

function escapeSymbol(symbol: string): string {
  return `\\u{${(symbol.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`
}

/** The first digits of an id: enough for people. */
export function shortId(id: string): string {
  return id.slice(0, 10)
}

/** "14:32". */
export function clockTime(date: Date): string {
  return CLOCK.format(date)
}

/** "Friday, November 28, 2026 at 14:32:07". */
export function fullTime(date: Date): string {
  return FULL.format(date)
}

/** "Today", "Yesterday", "Friday, November 20". */
export function dayOf(date: Date, now: Date): string {
  const days = Math.round((midnight(now) - midnight(date)) / DAY_MS)
  if (days === 0) return "Today"
  if (days === 1) return "Yesterday"
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_AND_YEAR).format(date)
}

/** "just now", "5 minutes ago". */
export function age(date: Date, now: Date): string {
  const seconds = Math.round((date.getTime() - now.getTime()) / 1000)
  if (Math.abs(seconds) < 10) return "just now"
  for (const [unit, length] of UNITS)
    if (Math.abs(seconds) >= length || unit === "second") return RELATIVE.format(Math.trunc(seconds / length), unit)
  return ""
}

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
}

const DAY_MS = 86_400_000
const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" })
const CLOCK = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
const FULL = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "medium", hourCycle: "h23" })
const DAY = new Intl.DateTimeFormat("en", { weekday: "long", month: "long", day: "numeric" })
const DAY_AND_YEAR = new Intl.DateTimeFormat("en", { month: "long", day: "numeric", year: "numeric" })
