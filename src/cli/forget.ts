import type { Command } from "./command.js"
import { DONE, FAILED } from "./failure.js"
import { hintLines } from "./hints.js"
import { YES } from "./restore-options.js"
import { nameOf } from "./text.js"

/** Lets one snapshot go. */
export const forget: Command = {
  name: "forget",
  operands: "<rev>",
  summary: "Let one snapshot go, pinned or not",
  about: `It is gone at once. What no other snapshot holds is gone for good once treeshot
gc has run. On a terminal it asks first.`,
  options: [YES],
  examples: [["forget 3f2a9c1d77", "Let it go."]],
  prepare(words) {
    const [rev = ""] = words.operands
    return async (session) => {
      const { store, screen, confirm, now } = session
      const snapshot = await store.resolve(rev)
      const name = nameOf(snapshot, now)
      const pinned = snapshot.pinned ? ", which is pinned" : ""
      if (confirm !== undefined && !words.has("yes") && !(await confirm(`Forget ${name}${pinned}?`))) {
        screen.print("Nothing was touched.")
        return FAILED
      }
      await store.forget(snapshot.id)
      if (screen.json) screen.printJson(snapshot)
      else
        screen.print(`Forgot ${name}.`, ...hintLines([[session.suggest("gc"), "gives the space back"]], screen.columns))
      return DONE
    }
  },
}
