import { changeSummary, changeTable } from "./changes.js"
import type { Command, Session, Words } from "./command.js"
import { DONE } from "./failure.js"
import { FILTER_OPTIONS, filterOf } from "./filter.js"
import { printablePath } from "./text.js"
import { wholeNumber, wrongUse } from "./values.js"

/** Compares two states. */
export const diff: Command = {
  name: "diff",
  operands: "[from] [to]",
  takesPaths: true,
  summary: "Print what changed as a patch that git apply takes",
  about: `From a snapshot (default: latest) to another one or, when none is given, to the
work tree as it is now; "worktree" names that, too. The patch is exact, binary
files included. Paths count from where you are, or from the folder of -C.`,
  options: [
    { usage: "--stat", text: "A table of files and counts of lines instead" },
    { usage: "--name-only", text: "Only the names of the files" },
    { usage: "-U, --context <lines>", text: "Lines around each change (default: 3)" },
    ...FILTER_OPTIONS,
  ],
  examples: [
    ["diff", "What changed since the newest snapshot."],
    ["diff latest~1 latest --stat", "Which files changed between the last two snapshots."],
    ["diff 3f2a9c1d77 -- src test", "What changed in two folders since then."],
    ["diff latest~3 latest > change.patch", "Save it; git apply change.patch does it again elsewhere."],
  ],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const [from = "latest", to = "worktree"] = words.operands
  const context = wholeNumber(words, "context", 0)
  const filter = filterOf(words)
  const [stat, nameOnly] = [words.has("stat"), words.has("name-only")]
  if (stat && nameOnly) throw wrongUse("stat", "--stat and --name-only do not go together.")
  return async (session) => {
    const { store, screen, signal } = session
    const options = { ...filter(session), signal, ...(context !== undefined && { context }) }
    if (screen.json) screen.printJson(await store.diff(from, to, options))
    else if (nameOnly) {
      const changes = await store.changes(from, to, filter(session))
      screen.print(...changes.map(({ path }) => printablePath(path)))
    } else if (stat) {
      const diffs = await store.diff(from, to, options)
      if (diffs.length > 0) screen.print(...changeTable(diffs, screen), changeSummary(diffs))
    } else screen.printBytes(await store.patch(from, to, options))
    return DONE
  }
}
