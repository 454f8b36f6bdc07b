import { REDO } from "./aim.js"
import { carryOut } from "./carry-out.js"
import type { Command } from "./command.js"
import { YES } from "./restore-options.js"

/** Takes the last undo back. */
export const redo: Command = {
  name: "redo",
  operands: "",
  summary: "Do again what was undone last",
  about: `There is something to redo until a capture finds changes, or something else
is restored. Only paths that are still as undo left them are touched.

treeshot plan redo shows all this beforehand.`,
  options: [YES],
  examples: [["redo", "Do again what was undone last."]],
  prepare: (words) => carryOut(words, () => Promise.resolve(REDO)),
}
