import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { mergeLines } from "../../src/tree/merge-lines.js"
import { gitIsThere } from "../support/git.js"
import { seeded } from "../support/interleave.js"
import { temporaryFolder } from "../support/temporary-folder.js"

describe.runIf(gitIsThere())("merges of lines", () => {
  test("are those of git merge-file, byte for byte, and so are the conflicts", async () => {
    const folder = await temporaryFolder()
    const random = seeded(7)
    const ends = { merged: 0, conflict: 0 }
    for (let round = 0; round < 300; round++) {
      // No two lines are alike, so that there is one way only to compare.
      const base = Array.from({ length: 1 + random(40) }, (_, i) => `line ${i}`)
      const edited = (who: string): string[] => {
        const lines = [...base]
        for (let edit = 1 + random(3); edit > 0; edit--) {
          const at = random(lines.length + 1)
          const fresh = Array.from({ length: random(3) }, (_, i) => `${random(6) === 0 ? "same" : who} ${edit} ${i}`)
          lines.splice(at, random(3), ...fresh)
        }
        return lines
      }
      const newline = random(4) === 0 ? "" : "\n"
      const [ours, theirs, was] = [edited("ours"), edited("theirs"), base].map((lines) =>
        Buffer.from(lines.length === 0 ? "" : lines.join("\n") + newline),
      ) as [Buffer, Buffer, Buffer]
      const wanted = mergeFile(folder, ours, was, theirs)
      const merged = mergeLines(was, ours, theirs)
      const told = `${ours.toString()}---\n${was.toString()}---\n${theirs.toString()}`
      expect(merged && Buffer.from(merged).toString(), told).toBe(wanted?.toString())
      if (merged === undefined) ends.conflict++
      else ends.merged++
    }
    expect(ends.merged).toBeGreaterThan(50)
    expect(ends.conflict).toBeGreaterThan(50)
  })

  test("take large files with many equal lines, and bytes that are no text", async () => {
    const folder = await temporaryFolder()
    const lines = Array.from({ length: 40_000 }, (_, i) => (i % 4 === 0 ? "" : `line ${i} \xff`))
    const changed = (at: number, line: string): Buffer => Buffer.from(lines.with(at, line).join("\n"), "latin1")
    const [ours, was, theirs] = [
      changed(10, "ours"),
      Buffer.from(lines.join("\n"), "latin1"),
      changed(39_990, "theirs"),
    ]
    const merged = mergeLines(was, ours, theirs)
    expect(merged && Buffer.from(merged)).toEqual(mergeFile(folder, ours, was, theirs))
  })
})

/** Undefined for a conflict. */
function mergeFile(folder: string, ours: Buffer, base: Buffer, theirs: Buffer): Buffer | undefined {
  const paths = Object.entries({ ours, base, theirs }).map(([name, content]) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  })
  const ran = spawnSync("git", ["merge-file", "-p", ...paths], { maxBuffer: 1e8 })
  if (ran.error !== undefined || ran.status === null || ran.status > 127)
    throw ran.error ?? new Error(String(ran.stderr))
  return ran.status === 0 ? ran.stdout : undefined
}
