import type { KeptRow, Result } from "./result.js"
import type { Scenario } from "./scenario.js"
import { SCENARIOS } from "./scenarios/all.js"
import type { TreeName } from "./trees/recipes.js"

/** A line of the table: a work, what it took, and whether that is what was wanted. */
export interface Line {
  readonly work: string
  readonly tree: TreeName
  /** What `reached` may be at most. */
  readonly limit?: number
  readonly unit: "ratio" | "ms" | "MB"
  /** The ratio, or the figure itself. */
  readonly reached: number
  /** What `ours` is compared with, in ms; `what` when that is not native git with names. */
  readonly base?: { readonly ms: number; readonly what?: string }
  readonly oursMs?: number
  readonly floorMs?: number
}

/** Whether a line has what it wants; undefined when it wants nothing. Figures are shown, and judged, with two digits. */
export function isMet({ limit, reached }: Line): boolean | undefined {
  return limit === undefined ? undefined : Number(reached.toFixed(2)) <= limit
}

/** All lines of one tree for which there are figures. */
export function linesOf(result: Result, tree: TreeName): Line[] {
  const rows = result.rows.filter((row) => row.tree === tree)
  return [...SCENARIOS.flatMap((scenario) => scenarioLines(scenario, rows, tree)), ...ownLines(rows, tree)]
}

function scenarioLines({ name, work, contenders, goals }: Scenario, rows: readonly KeptRow[], tree: TreeName): Line[] {
  const [native, all] = ["native-git", "native-git-add-all"].map((one) => find(rows, name, one))
  const floor = find(rows, name, "floor")
  const floorMs = floor === undefined ? {} : { floorMs: floor.medians.ms }
  const lines: Line[] = []
  for (const contender of contenders) {
    const ours = contender.startsWith("treeshot") ? find(rows, name, contender) : undefined
    if (ours === undefined) continue
    const goal = goals.find((one) => one.contender === contender)
    const limit = goal === undefined ? {} : { limit: goal.limit[tree] }
    const durability = contender === "treeshot" ? "" : ', durability "process"'
    const oursMs = ours.medians.ms
    const line = { work: `${work}${durability}`, tree, oursMs, ...floorMs }
    if (goal?.isMs === true) lines.push({ ...line, ...limit, unit: "ms", reached: oursMs })
    const base = native ?? all
    if (base !== undefined) lines.push({ ...line, ...limit, unit: "ratio", ...against(oursMs, base) })
    // The other way of native git, with no goal, so that nobody has to guess.
    if (native !== undefined && all !== undefined) lines.push({ ...line, unit: "ratio", ...against(oursMs, all) })
  }
  return lines
}

function against(oursMs: number, { contender, medians }: KeptRow): Pick<Line, "reached" | "base"> {
  const what = contender === "native-git" ? {} : { what: "add --all" }
  return { reached: oursMs / medians.ms, base: { ms: medians.ms, ...what } }
}

/** What is asked of this library alone. */
function ownLines(rows: readonly KeptRow[], tree: TreeName): Line[] {
  const lines: Line[] = []
  const [warm, fresh] = [find(rows, "unchanged", "treeshot"), find(rows, "new-process", "treeshot")]
  if (warm !== undefined && fresh !== undefined) {
    const [oursMs, ms] = [fresh.medians.ms, warm.medians.ms]
    const base = { ms, what: "ours, warm" }
    lines.push({
      work: "new process against a warm one",
      tree,
      limit: 1.5,
      unit: "ratio",
      reached: oursMs / ms,
      base,
      oursMs,
    })
  }
  const cold = find(rows, "cold", "treeshot")
  if (cold !== undefined)
    lines.push({
      work: "peak memory of a cold capture",
      tree,
      limit: 400,
      unit: "MB",
      reached: Math.max(...cold.rounds.map(({ peakRssBytes }) => peakRssBytes)) / 1e6,
    })
  // Imports block as every import does, and are no calls.
  const calls = rows.filter(({ contender, scenario }) => contender === "treeshot" && !WITH_IMPORT.includes(scenario))
  if (calls.length > 0) {
    const p99 = Math.max(...calls.map(({ medians }) => medians.heldUpP99Ms))
    const most = Math.max(...calls.flatMap(({ rounds }) => rounds.map(({ heldUpMaxMs }) => heldUpMaxMs)))
    lines.push({ work: "event loop held up, p99 of the worst call", tree, limit: 20, unit: "ms", reached: p99 })
    lines.push({ work: "event loop held up, at most, in any round", tree, limit: 100, unit: "ms", reached: most })
  }
  return lines
}

const WITH_IMPORT: readonly string[] = ["start", "new-process-import"]

function find(rows: readonly KeptRow[], scenario: string, contender: string): KeptRow | undefined {
  return rows.find((row) => row.scenario === scenario && row.contender === contender)
}
