import { parseArgs } from "node:util"
import envPaths from "env-paths"
import { SCENARIOS } from "./scenarios/all.js"
import type { TreeName } from "./trees/recipes.js"

/** What to measure. */
export interface BenchOptions {
  readonly trees: readonly TreeName[]
  readonly rounds: Readonly<Record<TreeName, number>>
  /** Names of scenarios. */
  readonly rows: readonly string[]
  /** Names of contenders. */
  readonly contenders: readonly string[]
  readonly cache: string
  readonly isWritten: boolean
  readonly lock?: string
}

const ROWS = SCENARIOS.map(({ name }) => name)
const CONTENDERS = [...new Set(SCENARIOS.flatMap(({ contenders, others }) => [...contenders, ...Object.keys(others)]))]

export const HELP = `npm run bench -- [options]
  --small, --large        only this tree; both by default
  --rounds <number>       rounds of every row; 7 on the small tree and 3 on the large one by default
  --only <row,row>        ${ROWS.join(", ")}
  --contenders <name,…>   ${CONTENDERS.join(", ")}
  --dist <folder>         the build to measure; ./dist by default, or what TREESHOT_DIST names
  --cache <folder>        where the trees are made, once: 1.4 GB, and about ten times that while it runs on the large one
  --lock <file>           measures only while it holds this lock (flock), for several benches on one machine
  --no-result             leaves bench/results/latest.json alone
Rows that were not measured stay in the result as they are. Other libraries than git run on the small tree only, and in fewer rounds.
`

/** Undefined: help was asked for. What cannot be understood throws. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      small: { type: "boolean", default: false },
      large: { type: "boolean", default: false },
      rounds: { type: "string" },
      only: { type: "string", default: ROWS.join(",") },
      contenders: { type: "string", default: CONTENDERS.join(",") },
      dist: { type: "string" },
      cache: { type: "string", default: envPaths("treeshot-bench", { suffix: "" }).cache },
      lock: { type: "string" },
      "no-result": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  })
  if (values.help) return undefined
  // Contenders run in processes of their own, which read it.
  if (values.dist !== undefined) process.env["TREESHOT_DIST"] = values.dist
  const trees = (["small", "large"] as const).filter((name) => values[name])
  return {
    trees: trees.length === 0 ? ["small", "large"] : trees,
    rounds: { small: roundsOf(values.rounds ?? "7"), large: roundsOf(values.rounds ?? "3") },
    rows: known(values.only, ROWS),
    contenders: known(values.contenders, CONTENDERS),
    cache: values.cache,
    isWritten: !values["no-result"],
    ...(values.lock === undefined ? {} : { lock: values.lock }),
  }
}

function roundsOf(text: string): number {
  const rounds = Number(text)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`${text} is no number of rounds`)
  return rounds
}

function known(list: string, names: readonly string[]): string[] {
  const wanted = list.split(",")
  const other = wanted.find((name) => !names.includes(name))
  if (other !== undefined) throw new Error(`${other} is none of ${names.join(", ")}`)
  return wanted
}
