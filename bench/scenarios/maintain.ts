import type { Captured } from "../contender.js"
import type { Scenario } from "../scenario.js"

/** Making a store small again after many captures in which a few files changed. */
export const maintain: Scenario = {
  name: "maintain",
  work: "maintenance after 40 captures",
  contenders: ["treeshot", "native-git-add-all"],
  others: {},
  goals: [],
  isOnCopy: true,
  async round(bench, round) {
    const { process, base } = await bench.settled()
    const states: Captured[] = [base]
    for (let at = 0; at < CAPTURES; at++) {
      const some = bench.edited.filter((_, i) => i % CAPTURES === at || i < ALWAYS)
      await bench.edit(some, `maintain ${round} ${at}`)
      states.push((await process.capture()).captured)
    }
    return process.tidy(states)
  },
}

/** Fewer than begin maintenance by themselves. */
const CAPTURES = 40
/** So many files change each time. */
const ALWAYS = 20
