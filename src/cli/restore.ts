import type { KeepReason, Outcome, RestoreReport, Snapshot, SnapshotStore } from "../snapshot-store.js"
import { indent } from "./changes.js"
import type { Command, Session, Words } from "./command.js"
import { Aftermath, DONE, FAILED } from "./failure.js"
import { hintLines } from "./hints.js"
import { KEEP_REASONS } from "./keep-reasons.js"
import { RESTORE_OPTIONS, findTarget, restoreOptionsOf } from "./restore-options.js"
import type { Style } from "./screen.js"
import { table, type Cell } from "./table.js"
import { count, grouped, printable, printablePath, shortId } from "./text.js"

/** Brings a snapshot back. */
export const restore: Command = {
  name: "restore",
  operands: "<rev>",
  takesPaths: true,
  summary: "Bring the folder, or some paths, back to a snapshot",
  about: `First a safety snapshot is taken, so that you can go back. Then only what
differs is touched: files are created, changed and deleted. What Git ignores,
what a snapshot left out and what cannot be read stays as it is. treeshot plan
shows all this beforehand.

Paths count from where you are, or from the folder of -C.`,
  options: RESTORE_OPTIONS,
  examples: [
    ["restore latest", "Go back to the newest snapshot."],
    ["restore 3f2a9c1d77 -- src/main.ts docs", "Bring back one file and one folder."],
    ["restore latest~1 --keep-added", "Go back, and keep the files that are new since."],
  ],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const [rev = ""] = words.operands
  const options = restoreOptionsOf(words)
  return async (session) => {
    const { store, screen } = session
    const { id, name } = await findTarget(rev, session)
    const safetyBefore = await newestSafety(store)
    const report = await store
      .restore(id, options(session))
      .catch(async (error) => Promise.reject(await withAftermath(error, safetyBefore, session)))
    session.finishProgress()
    if (screen.json) screen.printJson(report)
    else screen.print(...lines(report, name, session))
    return report.complete ? DONE : FAILED
  }
}

async function newestSafety(store: SnapshotStore): Promise<Snapshot | undefined> {
  return (await store.list({ kind: "safety", limit: 1 }))[0]
}

/** A restore that stopped half-way has taken its safety snapshot, which the user needs to know of. */
async function withAftermath(error: unknown, before: Snapshot | undefined, session: Session): Promise<unknown> {
  const safety = await newestSafety(session.store).catch(() => undefined)
  if (safety !== undefined && safety.id !== before?.id)
    return new Aftermath(
      error,
      `What was done was taken back. If anything is amiss, the folder as it was is snapshot ${shortId(safety.id)}: ${session.suggest("restore", shortId(safety.id))}`,
    )
  return session.signal.aborted ? new Aftermath(error, "Nothing was touched.") : error
}

function lines({ outcomes, complete, undo }: RestoreReport, name: string, session: Session): string[] {
  if (outcomes.length === 0) return [`Nothing to do: everything is as in ${name}.`]
  const of = (action: Outcome["action"]): Outcome[] => outcomes.filter((each) => each.action === action)
  const [written, deleted, kept, failed] = [of("written"), of("deleted"), of("kept"), of("failed")]
  return [
    complete ? `Restored ${name}:` : session.screen.paint("red", `Not all of ${name} could be restored:`),
    ...section(written, "green", session),
    ...section(deleted, "red", session),
    ...section(kept, "cyan", session),
    ...section(failed, "red", session),
    [
      `${grouped(written.length)} written, ${grouped(deleted.length)} deleted, ${grouped(kept.length)} kept`,
      ...(failed.length > 0 ? [`, ${count(failed.length, "path")} failed`] : []),
      ".",
    ].join(""),
    ...(undo === undefined
      ? []
      : [
          "",
          `What the folder was before is snapshot ${shortId(undo.id)}:`,
          ...hintLines([[session.suggest("restore", shortId(undo.id)), "goes back to it"]], session.screen.columns),
        ]),
  ]
}

function section(entries: readonly Outcome[], style: Style, { screen }: Session): string[] {
  const rows = entries
    .slice(0, MOST_SHOWN)
    .map(({ path, action, reason }): readonly Cell[] => [
      { text: action.padEnd(7), paint: (text) => screen.paint(style, text) },
      printablePath(path),
      reasonText(reason),
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
  EEXIST: "changed twice meanwhile: what it was before is beside it, as .treeshot-…",
  EIO: "the device reported an error",
  ENAMETOOLONG: "its name is too long for this file system",
}

const MOST_SHOWN = 40
