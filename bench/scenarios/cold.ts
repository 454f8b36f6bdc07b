import { together } from "../sample.js"
import type { Scenario } from "../scenario.js"
import type { Workbench } from "../workbench.js"
import type { Sample } from "../sample.js"

/** From no store to a stored tree. */
export const cold: Scenario = {
  name: "cold",
  work: "cold capture",
  contenders: ["treeshot", "native-git", "treeshot-process", "floor"],
  slow: ["treeshot-native", "isomorphic-git", "isomorphic-git-add", "just-git", "libgit2"],
  goals: [{ contender: "treeshot", limit: { small: 0.25, large: 0.2 } }],
  isOnCopy: false,
  round: (bench) => captureOnce(bench, false),
}

/** Opens a new store, captures once and closes, in a process that does nothing else. */
export async function captureOnce(bench: Workbench, isSeeded: boolean): Promise<Sample> {
  return bench.withNewStore(async (place) => {
    const process = await bench.start()
    const opened = await process.open(place)
    const { took, captured } = await process.capture()
    const closed = await process.close()
    const sample = together(opened, took, closed)
    return captured.tree === undefined ? sample : { ...sample, outcome: captured.tree }
  }, isSeeded)
}
