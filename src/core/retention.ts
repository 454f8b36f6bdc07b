/*
 * Which snapshots stay, as a pure function of the list, the time and the policy.
 */
import { SnapshotError } from "./errors.js"

/**
 * What to keep: a snapshot stays when any rule keeps it. At least one rule has to be given; numbers are whole and not
 * negative. Hours, days and weeks are those of UTC; weeks begin on Monday. The rules that count, all but `keepWithinMs`,
 * count captures; safety snapshots stay by `keepWithinMs` only. Whatever the rules say, the workspace's newest capture
 * and its newest snapshot stay, and so do pinned ones, the safety snapshots of the last 24 hours, and what a running
 * capture or an unfinished restore counts on.
 */
export interface RetentionPolicy {
  /** The newest so many. */
  readonly keepLast?: number
  /** All that were taken within so many milliseconds. */
  readonly keepWithinMs?: number
  /** The newest one of each of the newest so many hours that have one. */
  readonly keepHourly?: number
  /** The newest one of each of the newest so many days that have one. */
  readonly keepDaily?: number
  /** The newest one of each of the newest so many weeks that have one. */
  readonly keepWeekly?: number
  /**
   * The store's own bytes after the next maintenance. It wins over the other rules: the oldest go first, until the rest
   * fits. Without another rule everything stays that fits.
   */
  readonly maxBytes?: number
}

/** What is kept unless somebody asks for something else: a week in full, a month by the day, and twenty at least. */
export const DEFAULT_RETENTION: RetentionPolicy = { keepWithinMs: 7 * 86_400_000, keepDaily: 30, keepLast: 20 }

/** What retention looks at in a snapshot. */
export interface RetentionItem {
  /** Decides between snapshots of one millisecond. */
  readonly ref: string
  readonly createdMs: number
  readonly kind: "capture" | "safety"
  readonly pinned?: boolean
  /** Something that runs, or ended in the middle, counts on it. */
  readonly held?: boolean
}

/**
 * Why a snapshot stays: a rule, or what holds whatever the rules say.
 * - `fits`: no rule but `maxBytes` is given, and it leaves room for it.
 * - `recent-safety`: a safety snapshot of the last 24 hours.
 * - `held`: a running capture builds on it, or an unfinished restore needs it.
 * - `locked`: it was to go, and another tool holds the lock of the packed refs.
 */
export type KeptReason =
  | "last"
  | "within"
  | "hourly"
  | "daily"
  | "weekly"
  | "fits"
  | "newest"
  | "recent-safety"
  | "pinned"
  | "held"
  | "locked"

/** What stays and what goes, both newest first. */
export interface Retention<Item> {
  readonly kept: readonly KeptItem<Item>[]
  readonly removed: readonly Item[]
}

/** A snapshot that stays, with at least one reason. */
export interface KeptItem<Item> {
  readonly item: Item
  readonly reasons: readonly KeptReason[]
}

/**
 * What `policy` keeps of the snapshots of one workspace at `nowMs`, its `maxBytes` aside, for which sizes have to be known:
 * see core/size-cap.ts. A policy that is none: INVALID_ARGUMENT.
 */
export function retain<Item extends RetentionItem>(
  items: readonly Item[],
  nowMs: number,
  policy: RetentionPolicy,
): Retention<Item> {
  checkPolicy(policy)
  const sorted = items.toSorted(newestFirst)
  const captures = sorted.filter(({ kind }) => kind === "capture")
  const reasons = new Map<Item, KeptReason[]>()
  const keep = (reason: KeptReason, kept: readonly Item[]): void => {
    for (const item of kept) reasons.set(item, [...(reasons.get(item) ?? []), reason])
  }
  const { keepLast = 0, keepWithinMs, keepHourly = 0, keepDaily = 0, keepWeekly = 0 } = policy
  const within = (ms: number): Item[] => sorted.filter(({ createdMs }) => nowMs - createdMs <= ms)
  keep("newest", [...new Set([...sorted.slice(0, 1), ...captures.slice(0, 1)])])
  keep(
    "recent-safety",
    within(DAY_MS).filter(({ kind }) => kind === "safety"),
  )
  keep(
    "pinned",
    sorted.filter(({ pinned }) => pinned === true),
  )
  keep(
    "held",
    sorted.filter(({ held }) => held === true),
  )
  keep("last", captures.slice(0, keepLast))
  if (keepWithinMs !== undefined) keep("within", within(keepWithinMs))
  keep("hourly", newestOfEach(captures, keepHourly, hourOf))
  keep("daily", newestOfEach(captures, keepDaily, dayOf))
  keep("weekly", newestOfEach(captures, keepWeekly, weekOf))
  if (hasCapOnly(policy)) keep("fits", sorted)
  return {
    kept: sorted.flatMap((item) => {
      const why = reasons.get(item)
      return why === undefined ? [] : [{ item, reasons: why }]
    }),
    removed: sorted.filter((item) => !reasons.has(item)),
  }
}

/** Refuses what is no policy, and one without a rule: INVALID_ARGUMENT. A rule that is not known might have kept something. */
export function checkPolicy(policy: RetentionPolicy): void {
  const refuse = (argument: string, message: string): never => {
    throw new SnapshotError("INVALID_ARGUMENT", message, { argument })
  }
  if (typeof policy !== "object" || policy === null) refuse("policy", "A policy is an object such as { keepLast: 20 }.")
  const given = Object.entries(policy).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    if (!RULES.has(name)) refuse(name, `There is no rule "${name}". The rules are ${[...RULES].join(", ")}.`)
    if (!(Number.isSafeInteger(value) && (value as number) >= 0))
      refuse(
        name,
        `${name} is a whole number, 0 or more; this is ${typeof value === "number" ? value : `a ${typeof value}`}.`,
      )
  }
  if (given.length === 0)
    refuse("policy", `A policy without a rule would keep next to nothing. Give a rule, such as keepLast.`)
}

function hasCapOnly(policy: RetentionPolicy): boolean {
  return Object.entries(policy).every(([name, value]) => name === "maxBytes" || value === undefined)
}

/** The newest of each of the first `count` periods; `captures` come newest first. */
function newestOfEach<Item extends RetentionItem>(
  captures: readonly Item[],
  count: number,
  periodOf: (createdMs: number) => number,
): Item[] {
  const newest = new Map<number, Item>()
  for (const item of captures) {
    const period = periodOf(item.createdMs)
    if (newest.size < count && !newest.has(period)) newest.set(period, item)
  }
  return [...newest.values()]
}

/** Sorts the newest first. */
export function newestFirst(a: RetentionItem, b: RetentionItem): number {
  if (a.createdMs !== b.createdMs) return b.createdMs - a.createdMs
  return a.ref < b.ref ? 1 : a.ref > b.ref ? -1 : 0
}

function hourOf(createdMs: number): number {
  return Math.floor(createdMs / HOUR_MS)
}

function dayOf(createdMs: number): number {
  return Math.floor(createdMs / DAY_MS)
}

/** Weeks of ISO 8601, which begin on Monday; 1970-01-01 was a Thursday. */
function weekOf(createdMs: number): number {
  return Math.floor((dayOf(createdMs) + 3) / 7)
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const RULES: ReadonlySet<string> = new Set<keyof RetentionPolicy>([
  "keepLast",
  "keepWithinMs",
  "keepHourly",
  "keepDaily",
  "keepWeekly",
  "maxBytes",
])
