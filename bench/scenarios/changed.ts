import type { Scenario } from "../scenario.js"
import type { Workbench } from "../workbench.js"
import type { Sample } from "../sample.js"

/** A capture after one file was edited. */
export const changedOne: Scenario = {
  name: "changed-1",
  work: "capture, 1 file changed",
  contenders: ["treeshot", "native-git", "treeshot-process", "floor"],
  others: {},
  goals: [{ contender: "treeshot", limit: { small: 0.6, large: 0.6 } }],
  isOnCopy: true,
  round: (bench, round) => captureEdited(bench, bench.edited.slice(0, 1), `changed-1 ${round}`),
}

/** A capture after many files were edited. */
export const changedMany: Scenario = {
  name: "changed-1000",
  work: "capture, 1,000 files changed",
  contenders: ["treeshot", "native-git", "native-git-add-all", "treeshot-process", "floor"],
  others: {},
  goals: [{ contender: "treeshot", limit: { small: 0.5, large: 0.5 } }],
  isOnCopy: true,
  round: (bench, round) => captureEdited(bench, bench.edited, `changed-1000 ${round}`),
}

async function captureEdited(bench: Workbench, paths: readonly string[], edit: string): Promise<Sample> {
  const { process } = await bench.settled()
  await bench.edit(paths, edit)
  const { took, captured } = await process.capture()
  return captured.tree === undefined ? took : { ...took, outcome: captured.tree }
}
