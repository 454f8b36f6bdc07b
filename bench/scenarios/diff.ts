import type { Scenario } from "../scenario.js"

/** The patches and counts of many edited files, between two captures. */
export const diff: Scenario = {
  name: "diff",
  work: "diff of 1,000 changed files",
  contenders: ["treeshot", "native-git", "floor"],
  others: {},
  goals: [{ contender: "treeshot", limit: { small: 0.8, large: 0.8 } }],
  isOnCopy: true,
  async round(bench, round) {
    const { process, base } = await bench.settled()
    await bench.edit(bench.edited, `diff ${round}`)
    const { captured } = await process.capture()
    const { took, compared } = await process.diff(base, captured)
    if (captured.tree === undefined) return took
    const { files, additions, deletions } = compared
    if (files !== bench.edited.length)
      throw new Error(`${bench.contender} found ${files} files that differ, not ${bench.edited.length}`)
    return { ...took, outcome: `${files} files, +${additions} -${deletions}` }
  },
}
