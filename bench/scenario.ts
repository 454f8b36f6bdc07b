import type { Sample } from "./sample.js"
import type { TreeName } from "./trees/recipes.js"
import type { Workbench } from "./workbench.js"

/** A contender's limit in a scenario, for each tree. */
export interface Goal {
  readonly contender: "treeshot" | "treeshot-process"
  /** A part of native git's time, or milliseconds. */
  readonly limit: Readonly<Record<TreeName, number>>
  readonly isMs?: boolean
}

/** A work that is measured. */
export interface Scenario {
  readonly name: string
  /** What the table calls it. */
  readonly work: string
  /** In the order of a round. */
  readonly contenders: readonly string[]
  /** Contenders that run on the small tree only, and in how many rounds at most. */
  readonly others: Readonly<Record<string, number>>
  /** Those of them that run once on the large tree, too. */
  readonly onceOnLarge?: readonly string[]
  readonly goals: readonly Goal[]
  /** Works on a copy of the tree. */
  readonly isOnCopy: boolean
  /** `round` counts from 0. */
  round(bench: Workbench, round: number): Promise<Sample>
}
