import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import fc from "fast-check"
import { expect, test } from "vitest"
import { openOn } from "../../src/calls/open.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { Environment } from "../../src/core/environment.js"
import type { OpenOptions, SnapshotStore } from "../../src/index.js"
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
    { numRuns: 12 },
  )
})

/** Opens a store for which all files are old: what was written a minute ago can be counted on. */
async function openLate(
  worktree: string,
  gitdir: string,
  backend: "pure" | "native" = "pure",
  fileSystem: FileSystem = nodeFileSystem(),
  options: Partial<OpenOptions> = {},
  environment?: Environment,
): Promise<SnapshotStore> {
  const platform = {
    ...(await nodePlatform()),
    fileSystem,
    ...(environment && { environment }),
    clock: { nowMs: () => Date.now() + 120_000 },
  }
  const place = {
    platform,
    loadGit: () => import("isomorphic-git"),
    stores: async () => "/nowhere",
    native: nativeBackend(platform),
  }
  return openOn(place, { worktree, gitdir, backend, durability: "process", ...options })
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

test("other excludes, and other places of configuration, count although no file changed, in any process", async () => {
  const root = join(await temporaryFolder(), "work")
  mkdirSync(join(root, "d"), { recursive: true })
  for (const path of ["a.log", "d/b"]) writeFileSync(join(root, path), path)
  const home = await temporaryFolder()
  mkdirSync(join(home, ".config/git"), { recursive: true })
  writeFileSync(join(home, ".config/git/ignore"), "b\n")
  await pause(50)
  const filesOf = async (exclude: readonly string[], environment: Environment = { variables: {} }): Promise<string> => {
    const store = await openLate(root, `${root}.store`, "pure", nodeFileSystem(), { exclude }, environment)
    const { snapshot } = await store.capture()
    const found = [await store.readFile(snapshot.id, "a.log"), await store.readFile(snapshot.id, "d/b")]
    await store.close()
    return found.map((content, i) => (content === undefined ? "" : ["a.log", "d/b"][i])).join(" ")
  }
  expect(await filesOf(["*.log"])).toBe(" d/b")
  expect(await filesOf([])).toBe("a.log d/b")
  expect(await filesOf(["d/"])).toBe("a.log ")
  expect(await filesOf([])).toBe("a.log d/b")
  expect(await filesOf([], { variables: {}, home })).toBe("a.log ")
  expect(await filesOf([], { variables: { XDG_CONFIG_HOME: join(home, "none") }, home })).toBe("a.log d/b")
})

test("what is in an ignored folder where a tracked file was stays ignored", async () => {
  const root = join(await temporaryFolder(), "work")
  git(["init", "--quiet", root])
  writeFileSync(join(root, "build"), "x")
  git(["-C", root, "add", "--all"])
  rmSync(join(root, "build"))
  mkdirSync(join(root, "build/sub"), { recursive: true })
  writeFileSync(join(root, ".gitignore"), "build\n*.key\n")
  for (const path of ["build/out", "build/sub/secret.key"]) writeFileSync(join(root, path), path)
  const store = await openLate(root, `${root}.store`)
  const { snapshot } = await store.capture()
  for (const path of ["build/out", "build/sub/secret.key"])
    expect(await store.readFile(snapshot.id, path)).toBeUndefined()
  await store.close()
})

test("a store that is open stores again what a pack held that was deleted or damaged", async () => {
  for (const damage of ["delete", "overwrite"]) {
    const root = join(await temporaryFolder(), "work")
    mkdirSync(join(root, "a"), { recursive: true })
    for (const path of ["a/b", "c"]) writeFileSync(join(root, path), `${path} `.repeat(500))
    await pause(50)
    const store = await openLate(root, `${root}.store`)
    await store.capture()
    const packs = join(`${root}.store`, "objects/pack")
    const [first = ""] = readdirSync(packs).filter((name) => name.endsWith(".pack"))
    writeFileSync(join(root, "c"), "edited")
    await store.capture()
    await store.readFile("latest", "a/b")
    if (damage === "delete") rmSync(join(packs, first))
    else writeFileSync(join(packs, first), Buffer.alloc(readFileSync(join(packs, first)).length))
    await store.readFile("latest", "a/b").catch(() => {})
    writeFileSync(join(root, "c"), "edited again")
    await store.capture()
    await store.close()
    const other = await openLate(root, `${root}.store`)
    expect(await other.readFile("latest", "a/b"), damage).toBeDefined()
    await other.close()
  }
})
