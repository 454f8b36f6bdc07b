import type { Snapshot } from "../snapshot-store.js"
import type { Command, Session, Words } from "./command.js"
import { DONE } from "./failure.js"
import { hintLines } from "./hints.js"
import { table, type Column } from "./table.js"
import { age, localTime, printable, shortId } from "./text.js"
import { choice, metadata, pointInTime, wholeNumber, wrongUse } from "./values.js"

/** Lists snapshots. */
export const list: Command = {
  name: "list",
  operands: "",
  summary: "List the snapshots of the folder, newest first",
  about: `A restore takes a safety snapshot before it touches anything; --all shows those,
too. A snapshot is incomplete when something had to be left out of it.`,
  options: [
    { usage: "--kind <kind>", text: "capture (the default), safety or all" },
    { usage: "--all", text: "The same as --kind all" },
    { usage: "--limit <number>", text: "At most so many, the newest" },
    { usage: "--since <time>", text: "Taken at this time or later, such as 2025-11-22" },
    { usage: "--until <time>", text: "Taken at this time or before, or on this day" },
    { usage: "--meta <key=value>", text: "Only snapshots with this pair", repeatable: true },
  ],
  examples: [
    ["list --limit 10", "The last ten."],
    ["list --since 2025-11-22 --until 2025-11-22T12:00", "Those of one morning."],
    ["list --all --json", "Everything, for a program."],
  ],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const kind = choice(words, "kind", ["capture", "safety", "all"])
  if (words.has("all") && kind !== undefined && kind !== "all")
    throw wrongUse("kind", `--all and --kind ${kind} do not go together.`)
  const limit = wholeNumber(words, "limit", 1)
  const since = pointInTime(words, "since", "first")
  const until = pointInTime(words, "until", "last")
  const pairs = metadata(words)
  const options = {
    kind: words.has("all") ? "all" : (kind ?? "capture"),
    ...(limit !== undefined && { limit }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(pairs !== undefined && { metadata: pairs }),
  } as const
  const narrowed = limit !== undefined || since !== undefined || until !== undefined || pairs !== undefined
  return async (session) => {
    const snapshots = await session.store.list(options)
    if (session.screen.json) session.screen.printJson(snapshots)
    else if (snapshots.length > 0) session.screen.print(...snapshotTable(snapshots, session))
    else session.screen.print(...nothing(narrowed || options.kind === "safety", session))
    return DONE
  }
}

/** Columns that say the same of every snapshot are left out. */
function snapshotTable(snapshots: readonly Snapshot[], { screen, now }: Session): string[] {
  const kinds = snapshots.some(({ kind }) => kind !== "capture")
  const gaps = snapshots.some(({ complete }) => !complete)
  const pins = snapshots.some(({ pinned }) => pinned)
  const columns: Column[] = [
    { title: "ID" },
    { title: "TAKEN" },
    { title: "AGE" },
    ...(kinds ? [{ title: "KIND" }] : []),
    ...(gaps ? [{ title: "COMPLETE" }] : []),
    ...(pins ? [{ title: "PINNED" }] : []),
    { title: "LABEL", cut: "end" },
  ]
  const rows = snapshots.map((each) => [
    { text: shortId(each.id), paint: (text: string) => screen.paint("yellow", text) },
    localTime(each.createdAt).slice(0, "2025-11-22 16:59".length),
    age(each.createdAt, now).replace(" ago", ""),
    ...(kinds ? [each.kind] : []),
    ...(gaps ? [each.complete ? "yes" : "no"] : []),
    ...(pins ? [each.pinned ? "yes" : ""] : []),
    printable(each.label ?? ""),
  ])
  const [heading = "", ...lines] = table(columns, rows, screen.columns)
  return [screen.paint("dim", heading), ...lines]
}

function nothing(narrowed: boolean, session: Session): string[] {
  const { columns } = session.screen
  if (narrowed)
    return [
      "No snapshot is like that.",
      ...hintLines([[session.suggest("list", "--all"), "shows all there are"]], columns),
    ]
  return [
    `There is no snapshot of ${printable(session.store.worktree)} yet.`,
    ...hintLines([[session.suggest("capture"), "takes one"]], columns),
  ]
}
