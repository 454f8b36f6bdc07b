import type { Command } from "./command.js"

/** A part of the help, as cac makes it. */
export interface Section {
  readonly title?: string
  readonly body: string
}

/** The help of `command`, or of the whole program, out of what cac knows of options and commands. */
export function helpSections(sections: readonly Section[], command: Command | undefined): Section[] {
  const usage = find(sections, "Usage")
  const options = find(sections, "Options")
  if (command === undefined)
    return [{ body: ABOUT }, ...usage, ...find(sections, "Commands"), START, REVISIONS, ...options, STATUS]
  const examples = { title: "Examples", body: command.examples.map(example).join("\n") }
  const revisions = command.operands === "" ? [] : [REVISIONS]
  return [
    { body: `${command.summary}.\n\n${command.about}` },
    ...usage,
    examples,
    ...revisions,
    ...splitOptions(options, command),
    STATUS,
  ]
}

function find(sections: readonly Section[], title: string): Section[] {
  return sections
    .filter((section) => section.title === title)
    .map((section) => ({ title, body: section.body.replace(DEFAULT_OF_NO, "").replace(/ +$/gm, "") }))
}

/** What cac adds to an option such as --no-open: that without it the opposite holds. */
const DEFAULT_OF_NO = / \(default: true\)$/gm

/** The options of the command first, then those of every command. */
function splitOptions(options: readonly Section[], command: Command): Section[] {
  const lines = options.flatMap(({ body }) => body.split("\n"))
  const own = lines.slice(0, command.options.length)
  const shared = { title: "Options of every command", body: lines.slice(own.length).join("\n") }
  return own.length === 0 ? [shared] : [{ title: "Options", body: own.join("\n") }, shared]
}

function example([line, meaning]: readonly [string, string]): string {
  return `  treeshot ${line}\n      ${meaning}`
}

const ABOUT = `treeshot takes snapshots of a folder as plain Git objects, and brings them back.
It keeps them in a store of its own and never touches your repository.`

const START: Section = {
  title: "To begin",
  body: `  treeshot capture --label "before the refactoring"
  treeshot diff                  what changed since then
  treeshot restore latest        bring it back
  treeshot <command> --help      more about a command`,
}

const REVISIONS: Section = {
  title: "Revisions",
  body: `  latest         the newest snapshot of this folder
  latest~2       two snapshots before it
  3f2a9c1d77     the id of a snapshot, or its first digits (4 or more)
  refs/snapshots/…   the name of its ref
  The id of a Git tree will do, too, where no snapshot is needed.`,
}

const STATUS: Section = {
  title: "Exit status",
  body: `  0   done (files that a capture left out are listed on stderr)
  1   failed or interrupted, a restore that is not complete, or problems found
  2   the command line is wrong`,
}
