import { UNDO } from "./aim.js"
import { carryOut } from "./carry-out.js"
import type { Command } from "./command.js"
import { YES } from "./restore-options.js"

/** Takes the last restore back. */
export const undo: Command = {
  name: "undo",
  operands: "",
  summary: "Take back the last restore or revert that stands",
  about: `Given again, it takes back the one before.

Only paths that are still as the restore left them are touched; what was
edited since stays and is reported. What undo does, redo takes back.

treeshot plan undo shows all this beforehand.`,
  options: [YES],
  examples: [["undo", "Go back to before the last restore."]],
  prepare: (words) => carryOut(words, () => Promise.resolve(UNDO)),
}
