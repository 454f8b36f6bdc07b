import type { Scenario } from "../scenario.js"

/** A capture with nothing changed, in a process that goes on. */
export const unchanged: Scenario = {
  name: "unchanged",
  work: "capture, nothing changed",
  contenders: ["treeshot", "native-git", "floor"],
  others: { libgit2: 7, "isomorphic-git-add": 3, "just-git": 3 },
  goals: [{ contender: "treeshot", limit: { small: 0.7, large: 0.7 } }],
  isOnCopy: true,
  async round(bench) {
    const { process, base } = await bench.settled()
    const { took, captured } = await process.capture()
    if (captured.tree !== base.tree) throw new Error(`nothing changed, and ${base.tree} became ${captured.tree}`)
    return captured.tree === undefined ? took : { ...took, outcome: captured.tree }
  },
}
