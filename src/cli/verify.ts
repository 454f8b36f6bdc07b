import { refTimeMs } from "../core/ref-name.js"
import type { Snapshot, VerifyProblem, VerifyReport } from "../snapshot-store.js"
import { indent } from "./changes.js"
import type { Command, Session, Words } from "./command.js"
import { DONE, FAILED } from "./failure.js"
import { hintLines, type Hint } from "./hints.js"
import { patiently } from "./patience.js"
import { table, type Cell } from "./table.js"
import { count, grouped, localTime, printable, printablePath, shortId } from "./text.js"

/** Checks the store, and repairs it. */
export const verify: Command = {
  name: "verify",
  operands: "",
  summary: "Check all that is in the store, and repair it",
  about: `Every object that a snapshot counts on is read and compared with its id, every
pack with its checksums; the snapshots of all folders in the store are checked.
It changes nothing and may run beside everything else.

With --repair, what is lost is taken back from other packs, from your
repository and from the folder as it is now. Files that are damaged are moved to
damaged/ in the store, and nothing is deleted.`,
  options: [{ usage: "--repair", text: "Take back what is lost; move what is damaged aside" }],
  examples: [
    ["verify", "Check the store."],
    ["verify --repair", "Repair what can be repaired."],
    ["verify --json", "Everything that is wrong, for a program."],
  ],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const repair = words.has("repair")
  return async (session) => {
    const { store, screen, signal, onProgress } = session
    const report = await patiently(() => store.verify({ repair, signal, onProgress }), signal)
    session.finishProgress()
    if (screen.json) screen.printJson(report)
    else screen.print(...reportLines(report, repair, await store.list({ kind: "all" }), session))
    return report.ok ? DONE : FAILED
  }
}

function reportLines(
  report: VerifyReport,
  repair: boolean,
  snapshots: readonly Snapshot[],
  session: Session,
): string[] {
  const { screen } = session
  const { ok, problems, repaired, setAside } = report
  const lost = lostSnapshots(report)
  const checked = `${count(report.snapshots, "snapshot")} and ${count(report.objects, "object")} checked`
  return [
    ok ? `${checked}: all is well.` : screen.paint("red", `${checked}: ${count(problems.length, "problem")}.`),
    ...problemLines(problems, session),
    ...touchedLines(problems, snapshots, lost, session),
    ...lostLines(lost),
    ...(repaired.length === 0
      ? []
      : ["", `Repaired: ${count(repaired.length, "object or file", "objects and files")}.`]),
    ...asideLines(setAside),
    ...adoptedLines(report.adopted),
    ...(ok ? [] : ["", "Try next:", ...hintLines(hintsFor(problems, repair, lost, session), screen.columns)]),
  ]
}

function problemLines(problems: readonly VerifyProblem[], { screen }: Session): string[] {
  if (problems.length === 0) return []
  const rows = problems
    .slice(0, MOST_SHOWN)
    .map(({ oid, problem, reason, file, snapshots }): readonly Cell[] => [
      { text: reason === undefined ? problem : REASONS[reason], paint: (text) => screen.paint("red", text) },
      nameOf(oid),
      touchedBy(oid, snapshots),
      file === undefined || file === oid ? "" : `in ${printablePath(file)}`,
    ])
  return ["", ...table([{}, {}, {}, { cut: "start" }], rows, screen.columns - 2).map(indent), ...more(problems.length)]
}

/** Which refs packed-refs named is not known any more. */
function touchedBy(oid: string, snapshots: readonly string[]): string {
  if (snapshots.length > 0) return count(snapshots.length, "snapshot")
  return oid === "packed-refs" ? "not known which snapshots" : "no snapshot"
}

/** Of other folders no more than the id is known here. */
function touchedLines(
  problems: readonly VerifyProblem[],
  snapshots: readonly Snapshot[],
  lost: ReadonlySet<string>,
  { screen }: Session,
): string[] {
  const touched = [...new Set(problems.flatMap((problem) => problem.snapshots))].filter((name) => !lost.has(name))
  if (touched.length === 0) return []
  const known = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]))
  const rows = touched.slice(0, MOST_SHOWN).map((id): readonly Cell[] => {
    const snapshot = known.get(id)
    return [
      { text: nameOf(id), paint: (text) => screen.paint("yellow", text) },
      snapshot === undefined ? "" : localTime(snapshot.createdAt).slice(0, MINUTES),
      printable(snapshot?.label ?? ""),
    ]
  })
  return [
    "",
    "Snapshots that lack something:",
    ...table([{}, {}, { cut: "end" }], rows, screen.columns - 2).map(indent),
    ...more(touched.length),
  ]
}

/** The refs of the snapshots that could not be saved: a repair moves only refs aside that nothing can be made of. */
function lostSnapshots({ problems, setAside }: VerifyReport): ReadonlySet<string> {
  const isMoved = (name: string): boolean =>
    setAside.some((path) => path === `damaged/${name}` || path.startsWith(`damaged/${name}.`))
  return new Set(problems.flatMap(({ snapshots }) => snapshots).filter(isMoved))
}

/** Only the time is known of them, by the names of their refs. */
function lostLines(lost: ReadonlySet<string>): string[] {
  if (lost.size === 0) return []
  const times = [...lost].slice(0, MOST_SHOWN).map((ref) => {
    const ms = refTimeMs(ref)
    return ms === undefined ? printablePath(ref) : localTime(new Date(ms)).slice(0, MINUTES)
  })
  return ["", `${count(lost.size, "snapshot")} could not be saved: ${times.join(", ")}`, ...more(lost.size)]
}

function asideLines(setAside: readonly string[]): string[] {
  if (setAside.length === 0) return []
  return [
    "",
    "Moved aside, in the store:",
    ...setAside.slice(0, MOST_SHOWN).map(printablePath).map(indent),
    ...more(setAside.length),
  ]
}

function adoptedLines(adopted: readonly string[]): string[] {
  if (adopted.length === 0) return []
  return [
    "",
    "Kept without their snapshots, as trees that restore and diff take:",
    ...adopted.slice(0, MOST_SHOWN).map(indent),
    ...more(adopted.length),
  ]
}

function hintsFor(
  problems: readonly VerifyProblem[],
  repair: boolean,
  lost: ReadonlySet<string>,
  { suggest }: Session,
): readonly Hint[] {
  // What this user may not read is not lost, and nothing is to be forgotten for it.
  const again: Hint = [suggest("verify"), "again, once this user has been given access to what is not readable"]
  const isRefused = problems.some(({ reason }) => reason === "unreadable")
  if (!repair) {
    const mend: Hint = [suggest("verify", "--repair"), "take back what can be found elsewhere"]
    return isRefused ? [again, mend] : [mend]
  }
  if (isRefused) return [again]
  const capture: Hint = [suggest("capture"), "store what is in the folder now"]
  const first = problems.flatMap(({ snapshots }) => snapshots).find((each) => !lost.has(each))
  const name = first === undefined || first.startsWith("refs/") ? first : shortId(first)
  return name === undefined ? [capture] : [capture, [suggest("forget", name), "let go what cannot be made whole"]]
}

function nameOf(oid: string): string {
  return /^[0-9a-f]{40}$/.test(oid) ? shortId(oid) : printablePath(oid)
}

function more(all: number): string[] {
  return all <= MOST_SHOWN ? [] : [indent(`… and ${grouped(all - MOST_SHOWN)} more; --json lists them all.`)]
}

const REASONS: Readonly<Record<NonNullable<VerifyProblem["reason"]>, string>> = {
  unreadable: "not readable",
  "too-large": "too large",
}
const MOST_SHOWN = 40
/** So much of a time is shown. */
const MINUTES = "2025-11-22 16:59".length
