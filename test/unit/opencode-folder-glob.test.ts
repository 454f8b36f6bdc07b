import fc from "fast-check"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { parseGlobs } from "../../src/core/globs.js"
import { folderGlob } from "../../src/opencode/folder-glob.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const part = fc.constantFrom(
  ..."!\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~a1 \n\t",
  ..."é 日 😀 .. [! {a,b} {1..3} ** @( !( +(x) \\\\ [:alpha:] __proto__ constructor toString".split(" "),
)
const name = fc
  .array(part, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(""))
  .filter((text) => text !== "." && text !== "..")
const folders = fc.uniqueArray(
  fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/")),
  { minLength: 1, maxLength: 12 },
)

/** fast-glob takes ".\\" at the start of a path for "./", and lists nothing there. */
const listed = folders.map((all) => all.filter((folder) => !folder.startsWith(".\\")))

/** The folder's names without one character each: what a glob that loses an escape would match. */
function neighbours(folder: string): string[] {
  const symbols = [...folder]
  return symbols.map((_, at) => symbols.toSpliced(at, 1).join("")).filter((path) => path !== folder)
}

it("a folder's glob matches what is in the folder and nothing else", () => {
  fc.assert(
    fc.property(folders, (all) => {
      for (const folder of all) {
        const { matches } = parseGlobs([folderGlob(folder)])
        expect([`${folder}/f`, `${folder}/.in/f`].map(matches)).toEqual([true, true])
        for (const other of [...all, ...all.flatMap(neighbours)])
          if (!`${other}/f`.startsWith(`${folder}/`)) expect([other, matches(`${other}/f`)]).toEqual([other, false])
      }
    }),
    { numRuns: 30 },
  )
})

it.runIf(process.platform === "linux")("a folder's glob lists what is in the folder and nothing else", async () => {
  const { lister } = await nodePlatform({})
  await fc.assert(
    fc.asyncProperty(listed, async (all) => {
      const root = await temporaryFolder()
      const files = [...new Set([...all, ...all.flatMap(neighbours)])]
        .filter((path) => !/(?:^|\/)\.{0,2}(?:\/|$)|^\.\\/.test(path))
        .map((path) => `${path}/.f`)
      for (const file of files) {
        mkdirSync(join(root, file, ".."), { recursive: true })
        writeFileSync(join(root, file), "")
      }
      for (const folder of all) {
        const { paths } = await lister.list(root, [folderGlob(folder)])
        expect([...paths].sort()).toEqual(files.filter((file) => file.startsWith(`${folder}/`)).sort())
      }
    }),
    { numRuns: 10 },
  )
})
