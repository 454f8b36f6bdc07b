import type { Keep, PlannedChange, RestorePlan } from "../snapshot-store.js"
import { indent, pathOf } from "./changes.js"
import type { Command, Session, Words } from "./command.js"
import { DONE } from "./failure.js"
import { hintLines } from "./hints.js"
import { KEEP_REASONS } from "./keep-reasons.js"
import { RESTORE_OPTIONS, findTarget, givenAgain, restoreOptionsOf, type RestoreTarget } from "./restore-options.js"
import type { Style } from "./screen.js"
import { table, type Cell } from "./table.js"
import { grouped, printablePath, shortId } from "./text.js"

/** Says what a restore would do. */
export const plan: Command = {
  name: "plan",
  operands: "<rev>",
  takesPaths: true,
  summary: "Say what a restore would do, and touch nothing",
  about: `Lists what would be created, changed and deleted, and what differs from the
snapshot but would be kept, with the reason. Takes what restore takes.`,
  options: RESTORE_OPTIONS,
  examples: [
    ["plan latest", "What it would take to go back to the newest snapshot."],
    ["plan latest~2 -- src", "The same for one folder and an older one."],
  ],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const [rev = ""] = words.operands
  const options = restoreOptionsOf(words)
  return async (session) => {
    const { store, screen } = session
    const target = await findTarget(rev, session)
    const made = await store.plan({ to: target.id }, options(session))
    session.finishProgress()
    if (screen.json) screen.printJson(made)
    else screen.print(...lines(made, target, givenAgain(words), session))
    return DONE
  }
}

function lines(made: RestorePlan, { id, name }: RestoreTarget, same: readonly string[], session: Session): string[] {
  const { writes, deletes, keeps } = made
  if (writes.length + deletes.length + keeps.length === 0) return [`Nothing to do: everything is as in ${name}.`]
  const creates = writes.filter(({ before }) => before === undefined)
  const changes = writes.filter(({ before }) => before !== undefined)
  return [
    `To restore ${name}:`,
    ...section("create", "green", creates, session),
    ...section("change", "yellow", changes, session),
    ...section("delete", "red", deletes, session),
    ...section("keep", "cyan", keeps, session),
    `${grouped(creates.length)} to create, ${grouped(changes.length)} to change, ${grouped(deletes.length)} to delete, ${grouped(keeps.length)} kept. Nothing was touched.`,
    ...(writes.length + deletes.length > 0
      ? ["", ...hintLines([[session.suggest("restore", shortId(id), ...same), "does it"]], session.screen.columns)]
      : []),
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
    ...(more > 0 ? [indent(`… and ${grouped(more)} more to ${verb}; --json lists them all.`)] : []),
  ]
}

const MOST_SHOWN = 40
