import type { KeepReason, Outcome, RestoreReport } from "../snapshot-store.js"
import type { Aim } from "./aim.js"
import { indent } from "./changes.js"
import type { Session } from "./command.js"
import { hintLines } from "./hints.js"
import { KEEP_REASONS } from "./keep-reasons.js"
import type { Style } from "./screen.js"
import { table, type Cell } from "./table.js"
import { count, grouped, printable, printablePath, shortId } from "./text.js"

/** What was done, path by path and in numbers, and how to take it back. */
export function reportLines({ outcomes, complete, undo }: RestoreReport, aim: Aim, session: Session): string[] {
  const { screen } = session
  if (outcomes.length === 0) return [aim.idle]
  return [
    complete ? aim.done : screen.paint("red", aim.notAll),
    ...SECTIONS.flatMap(([action, style]) => section(outcomes.filter(isOf(action)), style, session)),
    outcomeNumbers(outcomes),
    ...(undo === undefined
      ? []
      : [
          "",
          `What the folder was before is snapshot ${shortId(undo.id)}:`,
          ...hintLines([[session.suggest(aim.back), "goes back to it"]], screen.columns),
        ]),
  ]
}

/** "3 written, 1 deleted, 0 kept." */
export function outcomeNumbers(outcomes: readonly Outcome[]): string {
  const of = (action: Outcome["action"]): number => outcomes.filter(isOf(action)).length
  return [
    `${grouped(of("written"))} written`,
    ...(of("merged") > 0 ? [`, ${grouped(of("merged"))} merged`] : []),
    `, ${grouped(of("deleted"))} deleted, ${grouped(of("kept"))} kept`,
    ...(of("failed") > 0 ? [`, ${count(of("failed"), "path")} failed`] : []),
    ".",
  ].join("")
}

function isOf(action: Outcome["action"]): (outcome: Outcome) => boolean {
  return (outcome) => outcome.action === action
}

const SECTIONS: readonly (readonly [Outcome["action"], Style])[] = [
  ["written", "green"],
  ["merged", "magenta"],
  ["deleted", "red"],
  ["kept", "cyan"],
  ["failed", "red"],
]

function section(entries: readonly Outcome[], style: Style, { screen }: Session): string[] {
  const rows = entries
    .slice(0, MOST_SHOWN)
    .map(({ path, action, reason, aside }): readonly Cell[] => [
      { text: action.padEnd(7), paint: (text) => screen.paint(style, text) },
      printablePath(path),
      aside === undefined
        ? reasonText(reason)
        : `changed twice meanwhile: what it was before is ${printablePath(aside)}`,
    ])
  const more = entries.length - rows.length
  return [
    ...table([{}, { cut: "start" }, {}], rows, screen.columns - 2).map(indent),
    ...(more > 0 ? [indent(`… and ${grouped(more)} more ${entries[0]?.action}; --json lists them all.`)] : []),
  ]
}

function reasonText(reason: string | undefined): string {
  if (reason === "write-failed") return "not deleted, because a write failed"
  return KEEP_REASONS[reason as KeepReason] ?? ERRORS[reason ?? ""] ?? printable(reason ?? "")
}

/** What the system's error names mean for a path that could not be restored. */
const ERRORS: Readonly<Record<string, string>> = {
  EACCES: "permission denied: give this user access to its folder",
  EPERM: "not permitted: check who owns it, and its folder",
  EROFS: "its file system is read-only",
  EBUSY: "in use: close what uses it",
  EEXIST: "something else came in its place meanwhile",
  EIO: "the device reported an error",
  ENAMETOOLONG: "its name is too long for this file system",
}

const MOST_SHOWN = 40
