import { together } from "../sample.js"
import type { Scenario } from "../scenario.js"
import type { Workbench } from "../workbench.js"
import type { Sample } from "../sample.js"

/** From no store to a stored tree. With 90,000 names native git takes a quarter of an hour: once is enough. */
export const cold: Scenario = {
  name: "cold",
  work: "cold capture",
  contenders: ["treeshot", "native-git-add-all", "treeshot-process", "floor"],
  others: {
    "native-git": 7,
    "treeshot-native": 3,
    libgit2: 3,
    "isomorphic-git": 2,
    "isomorphic-git-add": 1,
    "just-git": 1,
  },
  onceOnLarge: ["native-git"],
  goals: [{ contender: "treeshot", limit: { small: 0.25, large: 0.2 } }],
  isOnCopy: false,
  round: (bench) => (cold.others[bench.contender] === 1 ? firstCapture(bench) : captureOnce(bench, false)),
}

/** That of the settled store, which is cold, too: to do it once more would take minutes. */
async function firstCapture(bench: Workbench): Promise<Sample> {
  const { first, base } = await bench.settled()
  return base.tree === undefined ? first : { ...first, outcome: base.tree }
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
