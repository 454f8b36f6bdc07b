import type { Keep, PlannedChange, RestorePlan } from "../snapshot-store.js"
import { indent, pathOf } from "./changes.js"
import type { Session } from "./command.js"
import { KEEP_REASONS } from "./keep-reasons.js"
import type { Style } from "./screen.js"
import { table, type Cell } from "./table.js"
import { grouped, printablePath } from "./text.js"

/** What a plan would do, path by path and in numbers; `untouched` is the sentence after the numbers. */
export function preview({ writes, deletes, keeps }: RestorePlan, untouched: string, session: Session): string[] {
  const merges = writes.filter(({ merged }) => merged === true)
  const plain = writes.filter(({ merged }) => merged !== true)
  const creates = plain.filter(({ before }) => before === undefined)
  const changes = plain.filter(({ before }) => before !== undefined)
  const numbers = [
    `${grouped(creates.length)} to create`,
    `${grouped(changes.length)} to change`,
    ...(merges.length > 0 ? [`${grouped(merges.length)} to merge`] : []),
    `${grouped(deletes.length)} to delete`,
    `${grouped(keeps.length)} kept`,
  ]
  return [
    ...section("create", "green", creates, session),
    ...section("change", "yellow", changes, session),
    ...section("merge", "magenta", merges, session),
    ...section("delete", "red", deletes, session),
    ...section("keep", "cyan", keeps, session),
    `${numbers.join(", ")}. ${untouched}`.trimEnd(),
  ]
}

function section(
  verb: string,
  style: Style,
  entries: readonly (PlannedChange | Keep)[],
  { screen }: Session,
): string[] {
  const rows = entries
    .slice(0, MOST_SHOWN)
    .map((entry): readonly Cell[] => [
      { text: verb.padEnd(6), paint: (text) => screen.paint(style, text) },
      "reason" in entry ? printablePath(entry.path) : pathOf(entry),
      "reason" in entry ? KEEP_REASONS[entry.reason] : "",
    ])
  const more = entries.length - rows.length
  return [
    ...table([{}, { cut: "start" }, {}], rows, screen.columns - 2).map(indent),
    ...(more > 0 ? [indent(`… and ${grouped(more)} more to ${verb}; plan --json lists them all.`)] : []),
  ]
}

const MOST_SHOWN = 40
