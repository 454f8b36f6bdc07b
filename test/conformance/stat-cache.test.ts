import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import fc from "fast-check"
import { expect, test } from "vitest"
import { openOn } from "../../src/calls/open.js"
import type { SnapshotStore } from "../../src/index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { nodeDisk, updateFolder, writeFolder } from "../support/disk.js"
import { nativeBackend } from "../../src/sidecar/native-capture.js"
import { git, gitIsThere } from "../support/git.js"
import { applyEdits, randomEdits, randomFolder, type Edit } from "../support/random-folder.js"
import { byteText } from "../support/random-names.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/** Edits, and whether another process comes next. */
interface Step {
  readonly edits: readonly Edit[]
  readonly reopen: boolean
}

const SHAPE = { maxItems: 6, specials: true, unsafe: true, ignoreFiles: true, repositories: true } as const

const BACKENDS: readonly ("pure" | "native")[] = gitIsThere() ? ["pure", "native"] : ["pure"]

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ edits: randomEdits(SHAPE, 4), reopen: fc.boolean() }),
  { minLength: 2, maxLength: 6 },
)

test("whatever is edited between captures, what is known of the last one gives the snapshot that reading everything gives", async () => {
  const base = await temporaryFolder()
  let count = 0
  await fc.assert(
    fc.asyncProperty(randomFolder(SHAPE), steps, fc.constantFrom(...BACKENDS), async (folder, history, backend) => {
      const root = join(base, `${count++}`)
      const at = byteText(root)
      writeFolder(nodeDisk, at, folder)
      let store = await openLate(root, `${root}.store`, backend)
      let now = folder
      for (const [i, { edits, reopen }] of [{ edits: [], reopen: false }, ...history].entries()) {
        // Longer than the grain of the times, so that no edit hides in the tick of a capture.
        await pause(15)
        const next = applyEdits(now, edits)
        updateFolder(nodeDisk, at, now, next)
        now = next
        if (reopen) {
          await store.close()
          store = await openLate(root, `${root}.store`, backend)
        }
        await pause(15)
        const known = await store.capture()
        const fresh = await openLate(root, `${root}.fresh-${i}`)
        const read = await fresh.capture()
        expect(known.snapshot.tree).toBe(read.snapshot.tree)
        expect(known.skipped).toEqual(read.skipped)
        expect(manifestOf(store, known.snapshot.id)).toBe(manifestOf(fresh, read.snapshot.id))
        expect((await store.capture()).changed).toBe(false)
        await fresh.close()
      }
      await store.close()
    }),
    { numRuns: 20 },
  )
})

/** Opens a store for which all files are old: what was written a minute ago can be counted on. */
async function openLate(worktree: string, gitdir: string, backend: "pure" | "native" = "pure"): Promise<SnapshotStore> {
  const platform = { ...(await nodePlatform()), clock: { nowMs: () => Date.now() + 120_000 } }
  const place = {
    platform,
    loadGit: () => import("isomorphic-git"),
    stores: async () => "/nowhere",
    native: nativeBackend(platform),
  }
  return openOn(place, { worktree, gitdir, backend, durability: "process" })
}

function manifestOf(store: SnapshotStore, id: string): string {
  return git(["--git-dir", store.gitdir, "log", "-1", "--format=%P", id]).text
}

test("an ignore file that comes, changes or goes counts for all below it, wherever its rules come from", async () => {
  const base = await temporaryFolder()
  const root = join(base, "work")
  git(["init", "--quiet", root])
  for (const path of ["a/b/c/x", "a/b/c/y", "z"]) {
    mkdirSync(join(root, path, ".."), { recursive: true })
    writeFileSync(join(root, path), path)
  }
  const store = await openLate(root, join(base, "store"))
  const files = async (): Promise<string[]> => {
    await pause(15)
    const { snapshot } = await store.capture()
    return git(["--git-dir", store.gitdir, "ls-tree", "-r", "--name-only", snapshot.tree]).text.trimEnd().split("\n")
  }
  expect(await files()).toEqual(["a/b/c/x", "a/b/c/y", "z"])
  writeFileSync(join(root, "a/.gitignore"), "x\n")
  expect(await files()).toEqual(["a/.gitignore", "a/b/c/y", "z"])
  writeFileSync(join(root, "a/.gitignore"), "y\n")
  expect(await files()).toEqual(["a/.gitignore", "a/b/c/x", "z"])
  git(["-C", root, "add", "--force", "a/b/c/y"])
  expect(await files()).toEqual(["a/.gitignore", "a/b/c/x", "a/b/c/y", "z"])
  git(["-C", root, "rm", "--quiet", "--cached", "a/b/c/y"])
  rmSync(join(root, "a/.gitignore"))
  expect(await files()).toEqual(["a/b/c/x", "a/b/c/y", "z"])
  writeFileSync(join(root, ".git/info/exclude"), "c/\n")
  expect(await files()).toEqual(["z"])
  await store.close()
})
