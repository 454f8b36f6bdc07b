import { existsSync } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import type { Took } from "./contender-call.js"
import type { Machine } from "./machine.js"
import type { Runs } from "./measure.js"
import { median, type Sample } from "./sample.js"
import type { BenchTree } from "./trees/make-tree.js"
import type { TreeName } from "./trees/recipes.js"

/** All that was measured, as it is kept. */
export interface Result {
  readonly machine: Machine
  readonly trees: Readonly<Partial<Record<TreeName, KeptTree>>>
  readonly rows: readonly KeptRow[]
}

interface KeptTree {
  readonly files: number
  readonly folders: number
  readonly bytes: number
  readonly packages: readonly string[]
}

/** One contender in one scenario on one tree. */
export interface KeptRow {
  readonly tree: TreeName
  readonly scenario: string
  readonly contender: string
  readonly measuredAt: string
  /** Of the machine when the run of the bench began. */
  readonly loadAverage: number
  readonly medians: Figures
  readonly rounds: readonly Figures[]
}

type Figures = Took

const FILE = fileURLToPath(new URL("../results/latest.json", import.meta.url))

/** What was measured last; undefined when nothing was. */
export async function readResult(): Promise<Result | undefined> {
  if (!existsSync(FILE)) return undefined
  const kept = JSON.parse(await readFile(FILE, "utf8")) as Partial<Result>
  return kept.rows === undefined ? undefined : (kept as Result)
}

export async function writeResult(result: Result): Promise<void> {
  const text = JSON.stringify(result, (_, value: unknown) => (typeof value === "number" ? rounded(value) : value), 2)
  await mkdir(dirname(FILE), { recursive: true })
  // A round a line: figures of one run are read together.
  await writeFile(FILE, `${text.replaceAll(/\{\s+"ms"[^{}]*\}/g, (figures) => figures.replaceAll(/\s+/g, " "))}\n`)
}

/** What one run of the bench gave for one tree. */
export function resultOf(tree: BenchTree, runs: readonly Runs[], machine: Machine, loadAverage: number): Result {
  const measuredAt = new Date().toISOString()
  const { name, paths, folders, bytes, packages } = tree
  return {
    machine,
    trees: { [name]: { files: paths.length, folders, bytes, packages } },
    rows: runs
      .filter(({ samples }) => samples.length > 0)
      .map(({ scenario, contender, samples }) => ({
        tree: name,
        scenario: scenario.name,
        contender,
        measuredAt,
        loadAverage,
        medians: mediansOf(samples),
        rounds: samples.map(figuresOf),
      })),
  }
}

/** `later` over `earlier`. Contenders are compared within one run only: what was measured again goes as a whole. */
export function merged(earlier: Result | undefined, later: Result): Result {
  if (earlier === undefined || JSON.stringify(earlier.machine) !== JSON.stringify(later.machine)) return later
  const isAgain = (row: KeptRow): boolean =>
    later.rows.some(({ tree, scenario }) => tree === row.tree && scenario === row.scenario)
  return {
    machine: later.machine,
    trees: { ...earlier.trees, ...later.trees },
    rows: [...earlier.rows.filter((row) => !isAgain(row)), ...later.rows],
  }
}

/** What came out was compared already. */
function figuresOf({ ms, processorMs, peakRssBytes, heldUpMaxMs, heldUpP99Ms }: Sample): Figures {
  return { ms, processorMs, peakRssBytes, heldUpMaxMs, heldUpP99Ms }
}

function mediansOf(samples: readonly Figures[]): Figures {
  return {
    ms: median(samples.map(({ ms }) => ms)),
    processorMs: median(samples.map(({ processorMs }) => processorMs)),
    peakRssBytes: median(samples.map(({ peakRssBytes }) => peakRssBytes)),
    heldUpMaxMs: median(samples.map(({ heldUpMaxMs }) => heldUpMaxMs)),
    heldUpP99Ms: median(samples.map(({ heldUpP99Ms }) => heldUpP99Ms)),
  }
}

function rounded(value: number): number {
  return Number(value.toFixed(value < 10 ? 3 : 1))
}
