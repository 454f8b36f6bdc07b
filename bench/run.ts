/*
 * Compares captures, diffs and restores of real folders with native git and others. `npm run bench -- --help` says how
 * to call it; docs/PERFORMANCE.md says what came out.
 */
import { mkdir, realpath } from "node:fs/promises"
import { loadavg } from "node:os"
import { fetchLibgit2 } from "./libgit2-package.js"
import { thisMachine } from "./machine.js"
import { markdownOf } from "./markdown.js"
import { measureAll } from "./measure.js"
import { HELP, parseOptions, type BenchOptions } from "./options.js"
import { merged, readResult, resultOf, writeResult, type Result } from "./result.js"
import { makeTree } from "./trees/make-tree.js"

const options = parseOptions(process.argv.slice(2))
if (options === undefined) process.stdout.write(HELP)
else await main(options)

async function main(wanted: BenchOptions): Promise<void> {
  await mkdir(wanted.cache, { recursive: true })
  const cache = await realpath(wanted.cache)
  const [load = 0] = loadavg()
  if (load > 0.5) say(`the machine is busy (load average ${load.toFixed(1)}): the figures will vary`)
  if (wanted.contenders.includes("libgit2")) await fetchLibgit2(cache, say)
  const machine = thisMachine()
  let measured: Result | undefined
  for (const name of wanted.trees) {
    const tree = await makeTree(name, cache, say)
    await measureAll(tree, { ...wanted, cache }, say, async (runs) => {
      measured = merged(measured, resultOf(tree, runs, machine, load))
      // What was measured is kept, even if the next scenario fails.
      if (wanted.isWritten) await writeResult(merged(await readResult(), measured))
    })
  }
  if (measured !== undefined) process.stdout.write(`${markdownOf(measured)}\n`)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
