import type { Change, FileDiff, FileVersion } from "../snapshot-store.js"
import type { Screen, Style } from "./screen.js"
import { table, type Cell } from "./table.js"
import { count, grouped, printablePath } from "./text.js"

/** A table of changed files with their counts of lines; at most `limit` of them. */
export function changeTable(diffs: readonly FileDiff[], screen: Screen, limit: number = Infinity): string[] {
  const rows = diffs.slice(0, limit).map((each): readonly Cell[] => {
    const [letter, style] = STATUS[each.status]
    return [
      { text: letter, paint: (text) => screen.paint(style, text) },
      pathOf(each),
      ...(linesOf(each, screen) ?? [remarkOn(each), ""]),
    ]
  })
  return table([{}, { cut: "start" }, { align: "right" }, { align: "right" }], rows, screen.columns - 2).map(indent)
}

/** "2 files changed, 10 lines added, 3 removed". */
export function changeSummary(diffs: readonly FileDiff[]): string {
  const added = diffs.reduce((sum, each) => sum + each.additions, 0)
  const removed = diffs.reduce((sum, each) => sum + each.deletions, 0)
  return `${count(diffs.length, "file")} changed, ${count(added, "line")} added, ${grouped(removed)} removed`
}

/** A path for people; an empty folder's ends in a slash. */
export function pathOf(change: Pick<Change, "path" | "before" | "after">): string {
  const folder = (change.after ?? change.before)?.mode === "40000"
  return printablePath(change.path) + (folder ? "/" : "")
}

/** One line, indented. */
export function indent(line: string): string {
  return `  ${line}`
}

function linesOf({ binary, additions, deletions }: FileDiff, screen: Screen): readonly Cell[] | undefined {
  if (binary || additions + deletions === 0) return undefined
  return [
    { text: `+${grouped(additions)}`, paint: (text) => screen.paint("green", text) },
    { text: `-${grouped(deletions)}`, paint: (text) => screen.paint("red", text) },
  ]
}

function remarkOn({ binary, before, after }: FileDiff): string {
  if (binary) return "binary"
  if (before === undefined || after === undefined) return (after ?? before)?.mode === "40000" ? "folder" : "empty"
  return rightsOf(before) === rightsOf(after) ? "" : `${rightsOf(before)} → ${rightsOf(after)}`
}

function rightsOf({ mode, permissions }: FileVersion): string {
  return permissions === undefined ? mode : permissions.toString(8)
}

const STATUS: Readonly<Record<Change["status"], readonly [letter: string, style: Style]>> = {
  added: ["A", "green"],
  deleted: ["D", "red"],
  modified: ["M", "yellow"],
  typechange: ["T", "magenta"],
}
