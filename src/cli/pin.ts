import type { Command } from "./command.js"
import { DONE } from "./failure.js"
import { nameOf } from "./text.js"

/** Pins a snapshot. */
export const pin: Command = {
  name: "pin",
  operands: "<rev>",
  summary: "Keep a snapshot, whatever prune is told",
  about: `treeshot prune and automatic maintenance never let a pinned snapshot go, a size
limit included. treeshot forget does. treeshot list shows what is pinned.`,
  options: [{ usage: "--remove", text: "Take the pin away" }],
  examples: [
    ["pin latest", "Keep the newest snapshot."],
    ["pin --remove 3f2a9c1d77", "Let the rules decide about it again."],
  ],
  prepare(words) {
    const [rev = ""] = words.operands
    const pinned = !words.has("remove")
    return async ({ store, screen, now }) => {
      const { id } = await store.resolve(rev)
      await store.pin(id, pinned)
      const snapshot = await store.resolve(id)
      if (screen.json) screen.printJson(snapshot)
      else screen.print(`${nameOf(snapshot, now)} is ${pinned ? "pinned" : "not pinned any more"}.`)
      return DONE
    }
  },
}
