import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { expect, test } from "vitest"
import { temporaryFolder } from "../support/temporary-folder.js"

const DIST = new URL("../../dist/", import.meta.url).href

/** Prints the address of each module that is loaded after it. */
const HOOKS = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from "node:fs"
  export async function load(url, context, next) {
    writeSync(1, url + "\\n")
    return next(url, context)
  }`)}`

const PROGRAM = `
  import { register } from "node:module"
  register(${JSON.stringify(HOOKS)})
  const { openStore } = await import(${JSON.stringify(`${DIST}index.js`)})
  const store = await openStore({ worktree: "work", gitdir: "store" })
  const { changed } = await store.capture()
  await store.close()
  console.log(changed ? "changed" : "unchanged")`

test("opening a store and a capture with no change load few files, and no package that they do not need", async () => {
  const folder = await temporaryFolder()
  mkdirSync(join(folder, "work"))
  const file = join(folder, "work/file")
  writeFileSync(file, "text")
  const longAgo = new Date("2020-01-02T03:04:05Z")
  utimesSync(file, longAgo, longAgo)
  // What was written a moment ago may change without showing.
  await pause(50)

  const first = loaded(folder, "changed")
  expect(packagesIn(first)).toContain("ignore")
  // The part of it that is used comes with the package, named in its licenses.
  expect(packagesIn(first)).not.toContain("isomorphic-git")
  expect(first).toContain(`${DIST}platform/node/git-library.js`)
  expect(readFileSync(new URL("licenses.txt", DIST), "utf8")).toMatch(/^isomorphic-git [\d.]+ \(MIT\)$/m)

  const again = loaded(folder, "unchanged")
  expect(again.filter((url) => url.startsWith(DIST)).length).toBeLessThanOrEqual(6)
  expect(packagesIn(again)).toEqual(["lru-cache", "p-limit", "yocto-queue"])
  expect(again).not.toContain("node:child_process")
})

test("the program of each thread is one file", () => {
  for (const name of ["job-program", "maintain-program", "platform/node/content-worker", "platform/node/stat-worker"])
    expect(readFileSync(new URL(`${name}.js`, DIST), "utf8"), name).not.toMatch(/(?:from|import) ?\(?"\./)
})

/** The addresses of the modules that a capture in a new process loads. */
function loaded(folder: string, outcome: "changed" | "unchanged"): readonly string[] {
  const { PATH } = process.env
  const done = spawnSync(process.execPath, ["--input-type=module", "-e", PROGRAM], {
    cwd: folder,
    env: { PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: "1" },
    encoding: "utf8",
  })
  expect(done.stderr).toBe("")
  const lines = done.stdout.trimEnd().split("\n")
  expect(lines.pop()).toBe(outcome)
  return lines
}

function packagesIn(urls: readonly string[]): readonly string[] {
  const names = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [])
  return [...new Set(names)].toSorted()
}
