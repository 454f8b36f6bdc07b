import { mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import fc from "fast-check"
import { expect, test } from "vitest"
import { openOn } from "../../src/calls/open.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { SnapshotStore } from "../../src/index.js"
import { refusal } from "../../src/platform/io-error.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { nodeDisk, updateFolder, writeFolder } from "../support/disk.js"
import { nativeBackend } from "../../src/sidecar/native-capture.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
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
async function openLate(
  worktree: string,
  gitdir: string,
  backend: "pure" | "native" = "pure",
  fileSystem: FileSystem = nodeFileSystem(),
): Promise<SnapshotStore> {
  const platform = { ...(await nodePlatform()), fileSystem, clock: { nowMs: () => Date.now() + 120_000 } }
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

test("what could not be read, or changed all the time, is captured as soon as it can be, in the same process and in another", async () => {
  for (const [what, errno] of [
    ["file", "EACCES"],
    ["folder/file", "EIO"],
    ["folder", "EACCES"],
  ] as const)
    for (const reopens of [false, true]) {
      const root = join(await temporaryFolder(), "work")
      mkdirSync(join(root, "folder"), { recursive: true })
      for (const path of ["file", "folder/file", "other"]) writeFileSync(join(root, path), path)
      await pause(50)
      let isRefused = true
      const refusing = faultyFileSystem(nodeFileSystem(), [], async ({ kind, path }, make) => {
        const isOpened = kind === "open" || kind === "openFolder"
        if (isRefused && isOpened && addressOf(path) === join(root, what)) throw refusal("open", path, errno)
        return make()
      })
      const open = (): Promise<SnapshotStore> => openLate(root, `${root}.store`, "pure", refusing)
      let store = await open()
      expect((await store.capture()).skipped).toEqual([{ path: what, reason: "unreadable" }])
      isRefused = false
      if (reopens) {
        await store.close()
        store = await open()
      }
      const { skipped, changed } = await store.capture()
      expect({ skipped, changed }).toEqual({ skipped: [], changed: true })
      expect(await store.changes("latest")).toEqual([])
      expect(await store.readFile("latest", "folder/file")).toBeDefined()
      expect((await store.capture()).changed).toBe(false)
      await store.close()
    }
})

test("an ignore file that changes after its rules were read does not pass for those rules next time", async () => {
  const root = join(await temporaryFolder(), "work")
  mkdirSync(root)
  for (const path of ["a", "b"]) writeFileSync(join(root, path), path)
  writeFileSync(join(root, ".gitignore"), "a\n")
  await pause(50)
  let reads = 0
  const changing = faultyFileSystem(nodeFileSystem(), [], async ({ kind, path }, make) => {
    // Once for its rules, once as a file. The clock of the store is two minutes ahead: what is written now is old for it.
    if (kind === "open" && path.endsWith("/.gitignore") && ++reads === 2) writeFileSync(join(root, ".gitignore"), "b\n")
    return make()
  })
  const store = await openLate(root, `${root}.store`, "pure", changing)
  const { snapshot } = await store.capture()
  expect(await store.readFile(snapshot.id, "a")).toBeUndefined()
  expect(await store.readFile(snapshot.id, "b")).toBeDefined()
  expect(reads).toBe(2)
  await store.capture()
  expect(await store.readFile("latest", "a")).toBeDefined()
  expect(await store.readFile("latest", "b")).toBeUndefined()
  await store.close()
})

/** The path behind a folder's handle. */
function addressOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
