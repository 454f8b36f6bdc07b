import { together } from "../sample.js"
import type { Scenario } from "../scenario.js"

/** The same in a new process, from before the store is opened; imports are not in it. */
export const unchangedNewProcess: Scenario = scenario("new-process", false)

/** The same with what the import of the library takes. */
export const unchangedWithImport: Scenario = scenario("new-process-import", true)

function scenario(name: string, isImportCounted: boolean): Scenario {
  return {
    name,
    work: `capture, nothing changed, new process${isImportCounted ? ", with its imports" : ""}`,
    contenders: ["treeshot", "native-git"],
    others: {},
    goals: [],
    isOnCopy: true,
    async round(bench) {
      const { place, base } = await bench.settled()
      const process = await bench.start()
      const opened = await process.open(place)
      const { took, captured } = await process.capture()
      await process.close()
      if (captured.tree !== base.tree) throw new Error(`nothing changed, and ${base.tree} became ${captured.tree}`)
      const sample = isImportCounted ? together(process.loaded, opened, took) : together(opened, took)
      return captured.tree === undefined ? sample : { ...sample, outcome: captured.tree }
    },
  }
}
