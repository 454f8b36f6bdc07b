/*
 * A work tree with a repository of its own, and stores that may take what it has hashed. All times are old to these
 * stores: their clock is ahead, and so is the time of the index.
 */
import fs from "node:fs"
import { join } from "node:path"
import { expect, onTestFinished } from "vitest"
import { openOn } from "../../src/calls/open.js"
import type { Platform } from "../../src/core/platform.js"
import type { CaptureResult, OpenOptions, SnapshotStore } from "../../src/index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { nativeBackend } from "../../src/sidecar/native-capture.js"
import { git } from "./git.js"
import { temporaryFolder } from "./temporary-folder.js"

/** The place, and hands to work on it with. */
export interface SeededRepository {
  readonly scratch: string
  readonly root: string
  readonly gitdir: string
  /** Runs git in the work tree; gives what it prints. */
  git(...args: readonly string[]): string
  write(path: string, content: string | Uint8Array, mode?: number): void
  /** Commits everything, packs it, and makes the index later than all files. */
  commit(): void
  ageIndex(gitdir?: string): void
  /** Opens a store that may seed, on another worktree or gitdir if told. */
  open(options?: Partial<OpenOptions>, ports?: Partial<Platform>): Promise<SnapshotStore>
  /** Captures into a new store, and compares what it gives with a capture that has no seed. */
  captured(worktree?: string): Promise<CaptureResult>
}

/** How far ahead the index and the clock are, in seconds. */
const INDEX_AHEAD_S = 10
const CLOCK_AHEAD_MS = 120_000

export async function seededRepository(): Promise<SeededRepository> {
  const scratch = await temporaryFolder()
  const [root, gitdir] = [join(scratch, "work"), join(scratch, "store")]
  const home = join(scratch, "home")
  for (const folder of [root, home]) fs.mkdirSync(folder)
  let stores = 0
  const run = (...args: readonly string[]): string => git(args, { cwd: root }).text
  const place: SeededRepository = {
    scratch,
    root,
    gitdir,
    git: run,
    write(path, content, mode) {
      fs.mkdirSync(join(root, path, ".."), { recursive: true })
      fs.writeFileSync(join(root, path), content)
      if (mode !== undefined) fs.chmodSync(join(root, path), mode)
    },
    commit() {
      run("-c", "core.safecrlf=false", "add", "-A")
      run("commit", "--quiet", "--allow-empty", "-m", "all")
      run("repack", "-a", "-d", "-q")
      place.ageIndex()
    },
    ageIndex(of = join(root, ".git")) {
      const seconds = Date.now() / 1000 + INDEX_AHEAD_S
      for (const name of fs.readdirSync(of))
        if (name === "index" || name.startsWith("sharedindex.")) fs.utimesSync(join(of, name), seconds, seconds)
    },
    async open(options = {}, ports = {}) {
      const real = await nodePlatform()
      const platform = {
        ...real,
        environment: { variables: { GIT_CONFIG_NOSYSTEM: "1", GIT_ATTR_NOSYSTEM: "1" }, home },
        clock: { nowMs: () => Date.now() + CLOCK_AHEAD_MS },
        ...ports,
      }
      const outer = { platform, loadGit: () => import("isomorphic-git"), stores: async () => join(scratch, "stores") }
      const store = await openOn(
        { ...outer, native: nativeBackend(platform) },
        { worktree: root, gitdir, durability: "process", ...options },
      )
      onTestFinished(() => store.close())
      return store
    },
    async captured(worktree = root) {
      const seeded = await place.open({ worktree, gitdir: join(scratch, `seeded-${stores}`) })
      const { statChecker: _, ...without } = await nodePlatform()
      const plain = await place.open({ worktree, gitdir: join(scratch, `plain-${stores++}`) }, {
        ...without,
        statChecker: undefined,
      } as unknown as Partial<Platform>)
      const [found, read] = [await seeded.capture(), await plain.capture()]
      expect(found.stats.seedProblem).toBeUndefined()
      expect(found.snapshot.tree).toBe(read.snapshot.tree)
      expect(found.skipped).toEqual(read.skipped)
      expect(parentsOf(seeded, found.snapshot.id)).toBe(parentsOf(plain, read.snapshot.id))
      // What the seed told is what the next capture counts on.
      expect((await seeded.capture()).changed).toBe(false)
      return found
    },
  }
  run("init", "--quiet", "--initial-branch", "main")
  return place
}

function parentsOf(store: SnapshotStore, id: string): string {
  return git(["--git-dir", store.gitdir, "log", "-1", "--format=%P", id]).text
}

/** Expects every object that the refs of a store reach to be in the store itself, and to be what its name says. */
export function expectWhole(gitdir: string): void {
  const ignored = UNUSUAL_NAMES.flatMap((name) => ["-c", `fsck.${name}=ignore`])
  expect(git(["--git-dir", gitdir, ...ignored, "fsck", "--full", "--strict", "--no-dangling"]).text).toBe("")
  const objects = git(["--git-dir", gitdir, "rev-list", "--objects", "--all"])
    .text.split("\n")
    .filter((line) => line !== "")
  expect(objects.length).toBeGreaterThan(0)
  const oids = objects.map((line) => line.slice(0, 40)).join("\n")
  const checked = git(["--git-dir", gitdir, "cat-file", "--batch-check"], { input: `${oids}\n` }).text
  expect(checked).not.toContain("missing")
}

/** What fsck says of names that work trees, and the history that a linked pack brings along, may well have. */
const UNUSUAL_NAMES = [
  "hasDotgit",
  "gitattributesBlob",
  "gitattributesSymlink",
  "gitignoreSymlink",
  "gitmodulesBlob",
  "gitmodulesSymlink",
  "gitmodulesParse",
]
