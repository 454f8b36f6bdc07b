import type { Scenario } from "../scenario.js"
import { requireOriginals } from "../trees/edits.js"

/** Many edited files, which were captured, become what they were. */
export const restore: Scenario = {
  name: "restore",
  work: "restore of 1,000 changed files",
  contenders: ["treeshot", "native-git", "treeshot-process", "floor"],
  others: {},
  goals: [
    { contender: "treeshot", limit: { small: 1.5, large: 1.5 } },
    { contender: "treeshot-process", limit: { small: 0.8, large: 0.8 } },
  ],
  isOnCopy: true,
  async round(bench, round) {
    const { process, place, base } = await bench.settled()
    await bench.edit(bench.edited, `restore ${round}`)
    await process.capture()
    const took = await process.restore(base)
    await requireOriginals(bench.tree, place.worktree, bench.edited)
    return took
  },
}
