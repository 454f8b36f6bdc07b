/*
 * Kills, failures, crowds, odd orders, damage, stale locks and hostile bytes, for as long as one likes: `npm run torture --
 * --help` says how to call it; docs/RELIABILITY.md says what came out.
 */
import { HELP, parseOptions, type TortureOptions } from "./options.js"
import { PARTS } from "./parts.js"
import type { PartResult } from "./part.js"
import { keepResult, tableOf, writeDocs } from "./result.js"
import { runPart } from "./run-part.js"

const options = parseOptions(process.argv.slice(2))
if (options === undefined) process.stdout.write(HELP)
else if (options.docs) await writeDocs()
else await main(options)

async function main({ minutes, seed, parts: wanted, isWritten }: TortureOptions): Promise<void> {
  const parts = PARTS.filter(({ name }) => wanted.includes(name))
  const endMs = performance.now() + minutes * 60_000
  process.stderr.write(`seed ${seed}\n`)
  const results: PartResult[] = []
  for (const [at, part] of parts.entries()) {
    // What one part leaves over is for the others.
    const shares = parts.slice(at).reduce((sum, { share }) => sum + share, 0)
    const limitMs = ((endMs - performance.now()) * part.share) / shares
    results.push(await runPart(part, seed, limitMs, sayer()))
    process.stderr.write("\n")
  }
  if (isWritten) await keepResult(results)
  process.stdout.write(`${tableOf(results)}\n`)
  if (results.some(({ lost }) => lost.length > 0)) process.exitCode = 1
}

/** On a terminal one line that changes; elsewhere a line now and then. */
function sayer(): (line: string) => void {
  let saidMs = Number.NEGATIVE_INFINITY
  return (line) => {
    const everyMs = process.stderr.isTTY ? 200 : 10_000
    if (!line.includes("\n") && performance.now() - saidMs < everyMs) return
    saidMs = performance.now()
    process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${line}` : `${line}\n`)
  }
}
