import type { Scenario } from "../scenario.js"
import { captureOnce } from "./cold.js"

/** From no store to a stored tree, where the work tree's own repository has all of it. */
export const seeded: Scenario = {
  name: "seeded",
  work: "cold capture, own repository clean",
  contenders: ["treeshot", "native-git", "treeshot-process"],
  others: {},
  goals: [{ contender: "treeshot", limit: { small: 1, large: 1 } }],
  isOnCopy: false,
  round: (bench) => captureOnce(bench, true),
}
