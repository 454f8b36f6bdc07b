import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { seeded } from "../support/interleave.js"
import type { Part, PartResult } from "./part.js"

/** Runs a part for at most about so long. `say` is told how far it is, as a line for people. */
export async function runPart(
  part: Part,
  seed: number,
  limitMs: number,
  say: (line: string) => void,
): Promise<PartResult> {
  const { name, title } = part
  const folder = await realpath(await mkdtemp(join(tmpdir(), `treeshot-torture-${name}-`)))
  const startedMs = performance.now()
  const done = new Map<string, number>()
  const lost: string[] = []
  let runs = 0
  try {
    await part.run({
      random: seeded(seed),
      folder,
      // A part that never ran would say that nothing was lost.
      isOver: () => lost.length > 0 || (runs > 0 && performance.now() - startedMs >= limitMs),
      ran(counts) {
        runs++
        for (const [what, count] of Object.entries(counts)) done.set(what, (done.get(what) ?? 0) + count)
        say(`${name}: ${runs} runs${lost.length === 0 ? "" : `, ${lost.length} lost`}`)
      },
      lose: (what) => void lost.push(`run ${runs + 1}: ${what}`),
    })
  } catch (error) {
    lost.push(`run ${runs + 1} ended with ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
  if (lost.length === 0) await rm(folder, { recursive: true, force: true })
  else say(`${name}: lost something; seed ${seed}, the folder is ${folder}\n  ${lost.join("\n  ")}\n`)
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  return { name, title, seed, ranAt: new Date().toISOString(), seconds, runs, done: Object.fromEntries(done), lost }
}
