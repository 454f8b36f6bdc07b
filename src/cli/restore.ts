import { aimAt } from "./aim.js"
import { carryOut } from "./carry-out.js"
import type { Command } from "./command.js"
import { RESTORE_OPTIONS, restoreOptionsOf, YES } from "./restore-options.js"

/** Brings a snapshot back. */
export const restore: Command = {
  name: "restore",
  operands: "<rev>",
  takesPaths: true,
  summary: "Bring the folder, or some paths, back to a snapshot",
  about: `First a safety snapshot is taken, so that you can go back. Then only what
differs is touched: files are created, changed and deleted. What Git ignores,
what a snapshot left out and what cannot be read stays as it is. treeshot plan
shows all this beforehand, and treeshot undo takes it back.

On a terminal it shows what it would do and asks before it deletes anything.
Paths count from where you are, or from the folder of -C.`,
  options: [...RESTORE_OPTIONS, YES],
  examples: [
    ["restore latest", "Go back to the newest snapshot."],
    ["restore 3f2a9c1d77 -- src/main.ts docs", "Bring back one file and one folder."],
    ["restore latest~1 --keep-added", "Go back, and keep the files that are new since."],
  ],
  prepare(words) {
    const [rev = ""] = words.operands
    return carryOut(words, (session) => aimAt(rev, session), restoreOptionsOf(words))
  },
}
