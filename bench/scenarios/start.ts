import { together } from "../sample.js"
import type { Scenario } from "../scenario.js"

/** What a program that uses the library waits for when it starts. */
export const start: Scenario = {
  name: "start",
  work: "import and openStore of an existing store",
  contenders: ["treeshot"],
  others: {},
  goals: [{ contender: "treeshot", limit: { small: 60, large: 60 }, isMs: true }],
  isOnCopy: true,
  async round(bench) {
    const { place } = await bench.settled()
    const process = await bench.start()
    const opened = await process.open(place)
    await process.close()
    return together(process.loaded, opened)
  },
}
