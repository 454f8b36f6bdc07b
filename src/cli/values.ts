/*
 * What the text of an option or operand means. Everything here throws INVALID_ARGUMENT with one sentence.
 */
import { SnapshotError } from "../core/errors.js"
import type { Words } from "./command.js"
import { printable } from "./text.js"

/** A wrong use of the command line. */
export function wrongUse(argument: string, message: string): SnapshotError<"INVALID_ARGUMENT"> {
  return new SnapshotError("INVALID_ARGUMENT", message, { argument })
}

/** A whole number from `least` up; undefined when the option is not given. */
export function wholeNumber(words: Words, option: string, least: number): number | undefined {
  const text = words.value(option)
  if (text === undefined) return undefined
  const number = /^\d{1,15}$/.test(text) ? Number(text) : -1
  if (number < least)
    throw wrongUse(option, `--${option} takes a whole number from ${least} up, not "${printable(text)}".`)
  return number
}

/** One of `choices`; undefined when the option is not given. */
export function choice<Choice extends string>(
  words: Words,
  option: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = words.value(option)
  const found = choices.find((each) => each === text)
  if (text !== undefined && found === undefined)
    throw wrongUse(option, `--${option} takes one of ${choices.join(", ")}; not "${printable(text)}".`)
  return found
}

/** A number of bytes: "5000", "5MB" (5,000,000) or "5MiB" (5,242,880). */
export function sizeBytes(words: Words, option: string): number | undefined {
  const text = words.value(option)
  if (text === undefined) return undefined
  const [, digits, unit = ""] = /^(\d{1,12}(?:\.\d{1,6})?) ?([a-z]*)$/i.exec(text) ?? []
  const factor = UNITS.get(unit.toLowerCase())
  if (digits === undefined || factor === undefined)
    throw wrongUse(option, `--${option} takes a size such as 5MB, 512KiB or 100000, not "${printable(text)}".`)
  return Math.floor(Number(digits) * factor)
}

/** How long ago something may be, in milliseconds: "12h", "7d"; undefined when the option is not given. */
export function ageMs(words: Words, option: string): number | undefined {
  const text = words.value(option)
  if (text === undefined) return undefined
  const [, digits, unit = ""] = /^(\d{1,9}) ?([a-z]+)$/i.exec(text) ?? []
  const factor = AGES.get(unit.toLowerCase())
  if (digits === undefined || factor === undefined)
    throw wrongUse(option, `--${option} takes an age such as 30min, 12h, 7d or 4w, not "${printable(text)}".`)
  return Number(digits) * factor
}

/** A point in time; a date alone is the first or the last moment of that day here. */
export function pointInTime(words: Words, option: string, ofDay: "first" | "last"): Date | undefined {
  const text = words.value(option)
  if (text === undefined) return undefined
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/i.exec(text)
  if (parts !== null) {
    const [, day, time = ofDay === "first" ? "00:00:00.000" : "23:59:59.999", zone = ""] = parts
    const date = new Date(`${day}T${time}${zone.toUpperCase()}`)
    // A day that no month has is taken for one of the next month.
    if (!Number.isNaN(date.getTime()) && isDay(day as string)) return date
  }
  throw wrongUse(
    option,
    `--${option} takes a date such as 2025-11-22 or a time such as 2025-11-22T16:59, not "${printable(text)}".`,
  )
}

/** The pairs of `--meta key=value`; undefined when there is none. */
export function metadata(words: Words): Readonly<Record<string, string>> | undefined {
  const pairs = new Map<string, string>()
  for (const text of words.values("meta")) {
    const equals = text.indexOf("=")
    if (equals < 1) throw wrongUse("meta", `--meta takes key=value, not "${printable(text)}".`)
    const key = text.slice(0, equals)
    if (pairs.has(key)) throw wrongUse("meta", `--meta gives "${printable(key)}" twice.`)
    pairs.set(key, text.slice(equals + 1))
  }
  return pairs.size === 0 ? undefined : Object.fromEntries(pairs)
}

function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

const AGES: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["min", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
  ["w", 7 * 86_400_000],
])

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
])
