import { parseArgs } from "node:util"
import { PARTS } from "./parts.js"

/** What to do. */
export interface TortureOptions {
  readonly minutes: number
  readonly seed: number
  /** Names of parts. */
  readonly parts: readonly string[]
  readonly isWritten: boolean
  /** Writes docs/RELIABILITY.md from what was kept, and tortures nothing. */
  readonly docs: boolean
}

const NAMES = PARTS.map(({ name }) => name)

export const HELP = `npm run torture -- [options]
  --minutes <number>   how long it may take; 5 by default
  --seed <number>      repeats the choices of an earlier run; the time by default
  --only <part,part>   ${NAMES.join(", ")}
  --no-result          leaves test/torture/results/latest.json alone
  --docs               only writes the figures of the last run into docs/RELIABILITY.md
Exits with 1 when anything was lost; what it was lost in is kept then.
`

/** Undefined: help was asked for. What cannot be understood throws. */
export function parseOptions(args: readonly string[]): TortureOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "5" },
      seed: { type: "string" },
      only: { type: "string", default: NAMES.join(",") },
      "no-result": { type: "boolean", default: false },
      docs: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  })
  if (values.help) return undefined
  const minutes = Number(values.minutes)
  if (!(minutes > 0)) throw new Error(`${values.minutes} is no number of minutes`)
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed)
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`${values.seed} is no seed`)
  const parts = values.only.split(",")
  const other = parts.find((name) => !NAMES.includes(name))
  if (other !== undefined) throw new Error(`${other} is none of ${NAMES.join(", ")}`)
  return { minutes, seed, parts, isWritten: !values["no-result"], docs: values.docs }
}
