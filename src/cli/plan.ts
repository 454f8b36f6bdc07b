import { aimOf } from "./aim.js"
import type { Command, Session, Words } from "./command.js"
import { DONE } from "./failure.js"
import { hintLines } from "./hints.js"
import { preview } from "./preview.js"
import { givenAgain, KEEP_EDITED, RESTORE_OPTIONS, restoreOptionsOf } from "./restore-options.js"

/** Says what a restore, a revert, an undo or a redo would do. */
export const plan: Command = {
  name: "plan",
  operands: "<rev> [from] [to]",
  takesPaths: true,
  summary: "Say what restore, revert, undo or redo would do",
  about: `Lists what would be created, changed, merged and deleted, and what differs
but would be kept, with the reason. Takes what restore and revert take.

In place of <rev> may stand undo, redo, or revert <from> <to>.`,
  options: [...RESTORE_OPTIONS, KEEP_EDITED],
  examples: [
    ["plan latest", "What it would take to go back to the newest snapshot."],
    ["plan latest~2 -- src", "The same for one folder and an older one."],
    ["plan undo", "What undo would do."],
    ["plan revert latest~1 latest", "What it would take to take back the last step only."],
  ],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const findAim = aimOf(words.operands)
  const options = restoreOptionsOf(words)
  return async (session) => {
    const { store, screen } = session
    const aim = await findAim(session)
    const made = await store.plan(aim.target, options(session))
    session.finishProgress()
    if (screen.json) screen.printJson(made)
    else if (made.writes.length + made.deletes.length + made.keeps.length === 0) screen.print(aim.idle)
    else {
      screen.print(aim.planned, ...preview(made, "Nothing was touched.", session))
      if (made.writes.length + made.deletes.length > 0)
        screen.print(
          "",
          ...hintLines([[session.suggest(...aim.command, ...givenAgain(words)), "does it"]], screen.columns),
        )
    }
    return DONE
  }
}
