import prettyBytes from "pretty-bytes"
import { DEFAULT_RETENTION } from "../core/retention.js"
import type { KeptReason, PruneReport, RemovedSnapshot, RetentionPolicy, Snapshot } from "../snapshot-store.js"
import { indent } from "./changes.js"
import type { Command, Option, Session, Words } from "./command.js"
import { DONE, FAILED } from "./failure.js"
import { hintLines } from "./hints.js"
import { patiently } from "./patience.js"
import { YES } from "./restore-options.js"
import { table, type Cell } from "./table.js"
import { count, grouped, localTime, printable, shortId } from "./text.js"
import { ageMs, sizeBytes, wholeNumber, wrongUse } from "./values.js"

const RULES: readonly Option[] = [
  { usage: "--keep-last <number>", text: "Keep the newest so many" },
  { usage: "--keep-within <age>", text: "Keep all that are younger, such as 12h, 7d or 4w" },
  { usage: "--keep-hourly <number>", text: "Keep one of each of so many hours" },
  { usage: "--keep-daily <number>", text: "Keep one of each of so many days" },
  { usage: "--keep-weekly <number>", text: "Keep one of each of so many weeks" },
  { usage: "--max-bytes <size>", text: "Drop the oldest until the store fits, such as 500MB" },
]

/** Lets snapshots go by rules. */
export const prune: Command = {
  name: "prune",
  operands: "",
  summary: "Let snapshots of the folder go by rules",
  about: `What any rule keeps stays, but a size limit wins over the other rules; alone, it
keeps all that fits. The newest, the pinned, what is in use, and safety
snapshots of the last day always stay. treeshot gc gives back the space.`,
  options: [
    ...RULES,
    { usage: "--default", text: "All of 7 days, one a day for 30, and the last 20" },
    { usage: "--dry-run", text: "Only say what would go and what would stay, and why" },
    YES,
  ],
  examples: [
    ["prune --default --dry-run", "What the rules of automatic maintenance would let go."],
    ["prune --keep-last 50 --keep-daily 30", "Keep the newest fifty, and one a day for a month."],
    ["prune --max-bytes 500MB", "Drop the oldest until the store fits into 500 MB."],
  ],
  prepare(words) {
    const policy = policyOf(words)
    const dryRun = words.has("dry-run")
    return async (session) => {
      const { confirm, screen, store } = session
      if (confirm !== undefined && !dryRun && !words.has("yes")) {
        const preview = await store.prune(policy, { dryRun: true })
        if (preview.removed.length > 0) {
          screen.print(...reportLines(preview, true, session))
          if (!(await confirm(`Let ${count(preview.removed.length, "snapshot")} go?`))) {
            screen.print("Nothing was touched.")
            return FAILED
          }
        }
      }
      const report = await patiently(() => store.prune(policy, { dryRun }), session.signal)
      session.finishProgress()
      if (session.screen.json) session.screen.printJson(report)
      else session.screen.print(...reportLines(report, dryRun, session))
      return DONE
    }
  },
}

function policyOf(words: Words): RetentionPolicy {
  const given = {
    keepLast: wholeNumber(words, "keep-last", 0),
    keepWithinMs: ageMs(words, "keep-within"),
    keepHourly: wholeNumber(words, "keep-hourly", 0),
    keepDaily: wholeNumber(words, "keep-daily", 0),
    keepWeekly: wholeNumber(words, "keep-weekly", 0),
    maxBytes: sizeBytes(words, "max-bytes"),
  }
  const rules = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  if (words.has("default")) return { ...DEFAULT_RETENTION, ...rules }
  if (Object.keys(rules).length === 0)
    throw wrongUse("policy", "prune needs a rule, such as --keep-last 50 or --max-bytes 500MB, or --default.")
  return rules
}

function reportLines(report: PruneReport, dryRun: boolean, session: Session): string[] {
  const { removed, kept, adopted, bytesFreed, bytesOver } = report
  const { screen, suggest } = session
  const isNothing = removed.length === 0 && adopted.length === 0
  const isLocked = kept.some(({ reasons }) => reasons.includes("locked"))
  const hints = dryRun ? [] : hintLines([[suggest("gc"), "gives the space back"]], screen.columns)
  return [
    isNothing
      ? `No snapshot ${dryRun ? "would go" : "went"}.`
      : `${dryRun ? "To let go" : "Let go"}: ${count(removed.length, "snapshot")}`,
    ...section(removed, ({ reason }) => [GONE[reason]], session),
    ...(adopted.length > 0
      ? [`${count(adopted.length, "tree")} without a snapshot ${dryRun ? "would go" : "went"}, too.`]
      : []),
    `${dryRun ? "To keep" : "Kept"}: ${count(kept.length, "snapshot")}`,
    ...section(kept, ({ reasons }) => reasons.map((reason) => KEPT[reason]), session),
    ...(isNothing
      ? []
      : [`Only what ${dryRun ? "would go" : "went"} needs ${prettyBytes(bytesFreed)} of the store.`, ...hints]),
    ...(bytesOver === undefined
      ? []
      : [`What has to stay is ${prettyBytes(bytesOver)} above the limit. Give more room, or forget some of it.`]),
    ...(isLocked ? ["Another tool holds packed-refs.lock in the store. Prune again when it has ended."] : []),
  ]
}

/** Each snapshot with why, when they are few; else how many there are for each reason. */
function section<Item extends Snapshot>(
  snapshots: readonly Item[],
  reasonsOf: (snapshot: Item) => readonly string[],
  { screen }: Session,
): string[] {
  if (snapshots.length > MOST_SHOWN) {
    const counts = new Map<string, number>()
    for (const snapshot of snapshots)
      for (const reason of reasonsOf(snapshot)) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    const rows = Array.from(counts, ([reason, number]) => [grouped(number), reason])
    return [...table([{ align: "right" }, {}], rows, screen.columns - 2).map(indent), indent("--json lists them all.")]
  }
  const rows = snapshots.map((snapshot): readonly Cell[] => [
    { text: shortId(snapshot.id), paint: (text) => screen.paint("yellow", text) },
    localTime(snapshot.createdAt).slice(0, "2025-11-22 16:59".length),
    snapshot.kind === "safety" ? "safety" : "",
    printable(snapshot.label ?? ""),
    reasonsOf(snapshot).join(", "),
  ])
  return table([{}, {}, {}, { cut: "end" }, {}], rows, screen.columns - 2).map(indent)
}

const GONE: Readonly<Record<RemovedSnapshot["reason"], string>> = {
  "no-rule": "no rule keeps it",
  "max-bytes": "no room for it",
}

const KEPT: Readonly<Record<KeptReason, string>> = {
  last: "one of the last",
  within: "young enough",
  hourly: "of its hour",
  daily: "of its day",
  weekly: "of its week",
  fits: "fits",
  newest: "the newest",
  "recent-safety": "safety of the last day",
  pinned: "pinned",
  held: "in use",
  locked: "locked by another tool",
}

const MOST_SHOWN = 30
