/*
 * Compares captures, diffs and restores of real folders with native git and others. `npm run bench -- --help` says how
 * to call it; docs/PERFORMANCE.md says what came out.
 */
import { mkdir, realpath } from "node:fs/promises"
import { loadavg } from "node:os"
import { measureAll, type Runs } from "./measure.js"
import { HELP, parseOptions, type BenchOptions } from "./options.js"
import { median } from "./sample.js"
import { makeTree } from "./trees/make-tree.js"

const options = parseOptions(process.argv.slice(2))
if (options === undefined) process.stdout.write(HELP)
else await main(options)

async function main(wanted: BenchOptions): Promise<void> {
  await mkdir(wanted.cache, { recursive: true })
  const cache = await realpath(wanted.cache)
  const [load = 0] = loadavg()
  if (load > 0.5) say(`the machine is busy (load average ${load.toFixed(1)}): the figures will vary`)
  for (const name of wanted.trees) {
    const tree = await makeTree(name, cache, say)
    const runs = await measureAll(tree, { ...wanted, cache }, say)
    for (const { scenario, contender, samples } of runs) {
      const native = runs.find((other) => other.scenario === scenario && other.contender === "native-git")
      const [ms, cpu] = [msOf(samples), median(samples.map((sample) => sample.processorMs))]
      const [ratio, cpuRatio] = native === undefined ? [NaN, NaN] : [ms / msOf(native.samples), cpu / median(native.samples.map((sample) => sample.processorMs))]
      process.stdout.write(`${name} ${scenario.name} ${contender}: ${ms.toFixed(1)} ms, ratio ${ratio.toFixed(2)}, processor ${cpu.toFixed(0)} ms, ratio ${cpuRatio.toFixed(2)}; held up p99 ${median(samples.map((sample) => sample.heldUpP99Ms)).toFixed(1)} max ${Math.max(...samples.map((sample) => sample.heldUpMaxMs)).toFixed(1)} ms; peak ${(median(samples.map((sample) => sample.peakRssBytes)) / 1e6).toFixed(0)} MB\n`)
    }
  }
}

function msOf(samples: Runs["samples"]): number {
  return median(samples.map(({ ms }) => ms))
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
