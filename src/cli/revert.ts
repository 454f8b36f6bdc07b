import { aimWithout } from "./aim.js"
import { carryOut } from "./carry-out.js"
import type { Command } from "./command.js"
import { KEEP_EDITED, RESTORE_OPTIONS, restoreOptionsOf, YES } from "./restore-options.js"

/** Takes one step back. */
export const revert: Command = {
  name: "revert",
  operands: "<from> <to>",
  takesPaths: true,
  summary: "Take back what changed from one snapshot to another",
  about: `What changed before the first and after the second snapshot stays. A text
file that was edited since is merged where nobody else changed the same
lines; otherwise it stays as it is and is reported as a conflict. Links and
binary files are never merged.

treeshot plan revert shows all this beforehand, and treeshot undo takes it back.`,
  options: [...RESTORE_OPTIONS, KEEP_EDITED, YES],
  examples: [
    ["revert latest~1 latest", "Take back the last step."],
    ["revert 3f2a9c1d77 8be04d1f02 -- src", "Take back a step in one folder."],
  ],
  prepare(words) {
    const [from = "", to = ""] = words.operands
    return carryOut(words, (session) => aimWithout(from, to, session), restoreOptionsOf(words))
  },
}
