import { rmSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import type { BenchOptions } from "./options.js"
import { quietly } from "./quiet-lock.js"
import type { Sample } from "./sample.js"
import type { Scenario } from "./scenario.js"
import { SCENARIOS } from "./scenarios/all.js"
import { editedPaths } from "./trees/edits.js"
import type { BenchTree } from "./trees/make-tree.js"
import { makeRepository } from "./trees/repository.js"
import { openWorkbench, type Workbench } from "./workbench.js"

/** All runs of one contender in one scenario. */
export interface Runs {
  readonly scenario: Scenario
  readonly contender: string
  readonly samples: readonly Sample[]
}

/** Every scenario on one tree, round by round, each contender once a round, those for comparison only after the others. `keep` gets what each scenario gave. */
export async function measureAll(
  tree: BenchTree,
  options: BenchOptions,
  say: (line: string) => void,
  keep: (runs: readonly Runs[]) => Promise<void>,
): Promise<void> {
  const scratch = await mkdtemp(join(options.cache, "run-"))
  const finish = removeWhenStopped(scratch)
  const edited = await editedPaths(tree)
  const benches = new Map<string, Workbench>()
  const repository = (): Promise<string> => makeRepository(tree, say)
  const benchOf = (contender: string): Workbench => {
    const bench =
      benches.get(contender) ??
      openWorkbench({ tree, contender, edited, scratch: join(scratch, contender), repository })
    benches.set(contender, bench)
    return bench
  }
  const scenarios = SCENARIOS.filter(({ name }) => options.rows.includes(name))
  try {
    const copied = new Set(scenarios.filter(({ isOnCopy }) => isOnCopy).flatMap((one) => racers(one, tree, options)))
    for (const contender of copied) {
      say(`${tree.name}: copying the tree for ${contender}`)
      await benchOf(contender).copy()
    }
    for (const scenario of scenarios) await keep(await measureOne(scenario, benchOf, tree, options, say))
  } finally {
    for (const bench of benches.values()) await bench.close()
    await rm(scratch, { recursive: true, force: true })
    finish()
  }
}

/** Copies of a large tree must not stay behind when somebody stops the bench. What it gives takes that back. */
function removeWhenStopped(scratch: string): () => void {
  const stop = (): void => {
    rmSync(scratch, { recursive: true, force: true })
    process.exit(1)
  }
  process.once("SIGINT", stop).once("SIGTERM", stop)
  return () => process.off("SIGINT", stop).off("SIGTERM", stop)
}

async function measureOne(
  scenario: Scenario,
  benchOf: (contender: string) => Workbench,
  tree: BenchTree,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Runs[]> {
  const names = racers(scenario, tree, options)
  if (scenario.isOnCopy)
    for (const name of names) {
      if (!benchOf(name).isSettled()) say(`${tree.name}: the first capture of ${name}`)
      await benchOf(name).settled()
    }
  const samples = new Map<string, Sample[]>(names.map((name) => [name, []]))
  // The others come after: what takes a minute leaves caches and processors other than it found them.
  const groups = [true, false].map((isMain) => names.filter((name) => scenario.contenders.includes(name) === isMain))
  for (const group of groups)
    for (let round = 0; round < options.rounds[tree.name]; round++)
      for (const name of rotated(group, round)) {
        if (round >= mostRounds(scenario, name, tree)) continue
        const sample = await quietly(options.lock, () => scenario.round(benchOf(name), round))
        requireSame(scenario, name, sample, [...samples.entries()], round)
        samples.get(name)?.push(sample)
        const { ms, processorMs } = sample
        say(
          `${tree.name}: ${scenario.name} ${round + 1}: ${name} ${ms.toFixed(1)} ms, processor ${processorMs.toFixed(0)} ms`,
        )
      }
  return names.map((contender) => ({ scenario, contender, samples: samples.get(contender) ?? [] }))
}

function racers({ contenders, others, onceOnLarge = [] }: Scenario, tree: BenchTree, options: BenchOptions): string[] {
  const names = [...contenders, ...(tree.name === "small" ? Object.keys(others) : onceOnLarge)]
  return names.filter((name) => options.contenders.includes(name))
}

function mostRounds({ others, onceOnLarge }: Scenario, name: string, tree: BenchTree): number {
  return tree.name === "large" && onceOnLarge?.includes(name) === true ? 1 : (others[name] ?? Infinity)
}

/** So that nobody always comes after the same one. */
function rotated<T>(values: readonly T[], by: number): T[] {
  const start = by % Math.max(1, values.length)
  return [...values.slice(start), ...values.slice(0, start)]
}

/** What contenders gave in one round must be the same, or the figures are worthless. */
function requireSame(
  { name }: Scenario,
  contender: string,
  { outcome }: Sample,
  others: readonly (readonly [string, readonly Sample[]])[],
  round: number,
): void {
  if (outcome === undefined) return
  for (const [other, samples] of others) {
    const theirs = samples[round]?.outcome
    if (theirs !== undefined && theirs !== outcome)
      throw new Error(`${name}: ${contender} gave ${outcome}, where ${other} gave ${theirs}`)
  }
}
