import type { Scenario } from "../scenario.js"
import { changedMany, changedOne } from "./changed.js"
import { cold } from "./cold.js"
import { diff } from "./diff.js"
import { maintain } from "./maintain.js"
import { restore } from "./restore.js"
import { seeded } from "./seeded.js"
import { start } from "./start.js"
import { unchanged } from "./unchanged.js"
import { unchangedNewProcess, unchangedWithImport } from "./unchanged-new-process.js"

/** In the order in which they run: what edits comes last, since edited files are read again for a minute. */
export const SCENARIOS: readonly Scenario[] = [
  cold,
  seeded,
  unchanged,
  unchangedNewProcess,
  unchangedWithImport,
  start,
  changedOne,
  changedMany,
  diff,
  restore,
  maintain,
]
