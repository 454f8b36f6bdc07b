import { mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isSnapshotError } from "../../src/core/errors.js"
import { joinSharedIndex, readGitIndex, type GitIndex } from "../../src/core/git-index.js"
import type { IndexEntry } from "../../src/core/index-entry.js"
import { decodeName, encodeName, ROOT, type RepoPath } from "../../src/core/path.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { findOwnRepository } from "../../src/tree/own-repository.js"
import { trackedPaths, type TrackedPaths } from "../../src/tree/tracked-paths.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const fs = nodeFileSystem()
const hasher = nodeHasher()

describe.runIf(gitIsThere())("readGitIndex and git ls-files", () => {
  it.each([2, 3, 4])("agree on an index of version %i", async (version) => {
    const top = await project(...ODD_NAMES)
    git(["update-index", "--index-version", String(version)], { cwd: top })
    expect((await readIndex(top)).version).toBe(version === 3 ? 2 : version)
    expect(await entries(top)).toEqual(listed(top))
  })

  it("agree on flags, executable files, links, gitlinks and unsettled merges", async () => {
    const top = await project("a", "b", "c", "d/e", "new")
    git(["update-index", "--chmod=+x", "b"], { cwd: top })
    git(["update-index", "--assume-unchanged", "a"], { cwd: top })
    git(["update-index", "--skip-worktree", "c"], { cwd: top })
    git(["rm", "-q", "--cached", "new"], { cwd: top })
    git(["add", "--intent-to-add", "new"], { cwd: top })
    const oid = "1234567890123456789012345678901234567890"
    git(["update-index", "--index-info"], {
      cwd: top,
      input: `120000 ${oid} 0\tlink\n160000 ${oid} 0\tsub\n100644 ${oid} 1\td/m\n100644 ${oid} 2\td/m\n100755 ${oid} 3\td/m\n`,
    })
    const found = await entries(top)
    expect((await readIndex(top)).version).toBe(3)
    expect(found).toEqual(listed(top))
    const flagged = (flag: "assumeValid" | "skipWorktree" | "intentToAdd"): string[] =>
      found.filter((entry) => entry[flag]).map((entry) => entry.path)
    expect(flagged("assumeValid")).toEqual(["a"])
    expect(flagged("skipWorktree")).toEqual(["c"])
    expect(flagged("intentToAdd")).toEqual(["new"])
    git(["update-index", "--index-version", "4"], { cwd: top })
    expect(await entries(top)).toEqual(found)
  })

  it("agree on an index without a checksum", async () => {
    const top = await project("a", "b/c")
    const path = join(top, ".git/index")
    const bytes = await readFile(path)
    await writeFile(path, Buffer.concat([bytes.subarray(0, -20), Buffer.alloc(20)]))
    expect((await readIndex(top)).checksum).toBe("0".repeat(40))
    expect(await entries(top)).toEqual(listed(top))
  })

  it("agree on a split index, whatever was added, changed and removed since the split", async () => {
    const names = Array.from({ length: 300 }, (_, at) => `d${at % 7}/f${at}`)
    const top = await project(...names)
    git(["update-index", "--split-index"], { cwd: top })
    expect((await readIndex(top)).link).toBeDefined()
    expect(await entries(top)).toEqual(listed(top))
    git(["config", "splitIndex.maxPercentChange", "100"], { cwd: top })
    for (const at of [0, 1, 63, 64, 65, 128, 200, 299]) await writeFile(join(top, names[at] as string), `changed ${at}`)
    await writeFile(join(top, "d0/new"), "")
    git(["add", "."], { cwd: top })
    git(["rm", "-q", "--cached", ...names.slice(70, 140), "d3/f3"], { cwd: top })
    const index = await readIndex(top)
    expect(index.entries.length).toBeLessThan(100)
    expect(await entries(top)).toEqual(listed(top))
    git(["update-index", "--index-version", "4"], { cwd: top })
    expect(await entries(top)).toEqual(listed(top))
    git(["rm", "-q", "-r", "--cached", "d1", "d2", "d3", "d4", "d5", "d6"], { cwd: top })
    expect(await entries(top)).toEqual(listed(top))
  })

  it("agree on an index with sparse folders", async () => {
    const top = await project("in/a", "out/b", "out/deep/c", "top")
    git(["commit", "-q", "-m", "start"], { cwd: top })
    git(["sparse-checkout", "set", "--cone", "--sparse-index", "in"], { cwd: top })
    const found = await entries(top)
    expect(found.find((entry) => entry.mode === 0o040000)).toMatchObject({ path: "out/", skipWorktree: true })
    expect(found).toEqual(listed(top, "--sparse"))
  })

  it("agree on the file's state", async () => {
    const top = await project("a", "b/c")
    const debug = git(["ls-files", "--debug"], { cwd: top }).text
    const told = (await entries(top)).map(
      (e) =>
        `${e.path}\n  ctime: ${e.ctimeSeconds}:${e.ctimeNanoseconds}\n  mtime: ${e.mtimeSeconds}:${e.mtimeNanoseconds}\n  dev: ${e.device}\tino: ${e.inode}\n`,
    )
    const withoutOwners = debug.replace(/ {2}uid: .*\n {2}size: (\d+)\t.*\n/g, "")
    expect(told.join("")).toBe(withoutOwners)
    const sizes = [...debug.matchAll(/size: (\d+)/g)].map(([, size]) => Number(size))
    expect((await entries(top)).map((e) => e.sizeBytes)).toEqual(sizes)
  })
})

describe.runIf(gitIsThere())("a damaged index", () => {
  it("is refused with FORMAT_UNSUPPORTED, whichever byte is another one", async () => {
    const top = await project("a", "b/c", "b/d")
    for (const version of ["2", "4"]) {
      git(["update-index", "--index-version", version], { cwd: top })
      const bytes = await readFile(join(top, ".git/index"))
      for (let at = 0; at < bytes.length; at++) {
        const damaged = Uint8Array.from(bytes)
        damaged[at] = (damaged[at] as number) ^ 0x41
        await expectRefused(damaged)
      }
      for (let length = 0; length < bytes.length; length += 7) await expectRefused(bytes.subarray(0, length))
    }
  })

  it("is read or refused, never more than that, when no checksum guards it", async () => {
    const top = await project("a", "b/c", "b/d", "long/path/to/a/file")
    git(["update-index", "--split-index"], { cwd: top })
    await writeFile(join(top, "b/c"), "changed")
    git(["rm", "-q", "--cached", "a"], { cwd: top })
    git(["update-index", "b/c"], { cwd: top })
    const split = await readFile(join(top, ".git/index"))
    const shared = await readGitIndex(hasher, await sharedBytes(top), "shared")
    git(["update-index", "--no-split-index", "--index-version", "4"], { cwd: top })
    const short = await readFile(join(top, ".git/index"))
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    for (const whole of [split, short])
      await fc.assert(
        fc.asyncProperty(damage, async (changes) => {
          const bytes = Uint8Array.from(whole)
          for (const [at, byte] of changes) bytes[12 + (at % (bytes.length - 12))] = byte
          bytes.fill(0, bytes.length - 20)
          try {
            joinSharedIndex(await readGitIndex(hasher, bytes, "index"), shared, "index")
          } catch (error) {
            if (!isSnapshotError(error, "FORMAT_UNSUPPORTED")) throw error
          }
        }),
        { numRuns: 400, seed: 11 },
      )
  })

  it("does not make paths that take far more room than the file", async () => {
    const count = 20_000
    const entry = (path: string): Uint8Array => Uint8Array.from([...new Uint8Array(62), 0, ...encodeName(path), 0])
    const parts = [
      Buffer.from("DIRC\0\0\0\x04\0\0\0\0", "latin1"),
      ...Array.from({ length: count }, () => entry("abcdefgh")),
    ]
    const bytes = Buffer.concat([...parts, Buffer.alloc(20)])
    bytes.writeUInt32BE(count, 8)
    await expectRefused(bytes)
  })

  it("is refused when an extension that it needs is not known", async () => {
    const header = Buffer.from("DIRC\0\0\0\x02\0\0\0\0", "latin1")
    const withExtension = (name: string): Buffer => Buffer.concat([header, Buffer.from(name), Buffer.alloc(4 + 20)])
    expect((await readGitIndex(hasher, withExtension("ABCD"), "index")).entries).toEqual([])
    expect((await readGitIndex(hasher, withExtension("sdir"), "index")).entries).toEqual([])
    await expectRefused(withExtension("abcd"))
    await expectRefused(withExtension("link"))
  })
})

describe.runIf(gitIsThere())("trackedPaths", () => {
  it("holds what the index holds inside the work tree, without the prefix", async () => {
    const top = await project("a", "sub/b", "sub/c/d", "subway/e")
    const oid = "1234567890123456789012345678901234567890"
    git(["update-index", "--index-info"], { cwd: top, input: `160000 ${oid} 0\tsub/repo\n100644 ${oid} 2\tsub/m\n` })
    const whole = await tracked(top)
    expect(has(whole, ["a", "sub/b", "sub/repo", "sub/m", "subway/e", "b", "sub", "sub/repo/x"])).toEqual([
      "a",
      "sub/b",
      "sub/repo",
      "sub/m",
      "subway/e",
    ])
    expect(hasInside(whole, ["", "sub", "sub/c", "sub/repo", "subway", "a", "su"])).toEqual([
      "",
      "sub",
      "sub/c",
      "sub/repo",
      "subway",
    ])
    const part = await tracked(join(top, "sub"))
    expect(has(part, ["b", "c/d", "repo", "m", "a", "sub/b", "way/e"])).toEqual(["b", "c/d", "repo", "m"])
    expect(hasInside(part, ["", "c", "sub"])).toEqual(["", "c"])
    expect(part.isKnown).toBe(true)
  })

  it("reads the index of a linked work tree, and split and sparse ones", async () => {
    const top = await project("a", "in/x", "out/y")
    git(["commit", "-q", "-m", "start"], { cwd: top })
    const linked = join(dirname(top), "linked")
    git(["worktree", "add", "-q", linked], { cwd: top })
    await writeFile(join(linked, "only-here"), "")
    git(["update-index", "--split-index"], { cwd: linked })
    git(["add", "only-here"], { cwd: linked })
    expect(has(await tracked(linked), ["a", "only-here"])).toEqual(["a", "only-here"])
    expect(has(await tracked(top), ["a", "only-here"])).toEqual(["a"])
    git(["sparse-checkout", "set", "--cone", "--sparse-index", "in"], { cwd: top })
    const sparse = await tracked(top)
    expect(has(sparse, ["a", "in/x", "out/y", "out", "out/"])).toEqual(["a", "in/x", "out/y", "out", "out/"])
    expect(hasInside(sparse, ["in", "out", "other"])).toEqual(["in", "out"])
  })

  it("finds each path of any index, in any order of letters that are one, and none beside", async () => {
    const part = fc.constantFrom("a", "A", "b", "B", "a.b", "a-b", "_", "Z", "é", "\u{1f600}", "\uffff", "ab")
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"))
    const top = await project()
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), fc.array(path), async (paths, others) => {
        // No file stands in the place of a folder.
        const files = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`)))
        git(["read-tree", "--empty"], { cwd: top })
        git(["update-index", "--index-info"], {
          cwd: top,
          input: files.map((file) => `100644 1234567890123456789012345678901234567890 0\t${file}\n`).join(""),
        })
        for (const prefix of ["", "a", "B"])
          for (const ignoreCase of [false, true]) {
            const same = (text: string): string => (ignoreCase ? text.toLowerCase() : text)
            const found = await trackedPaths(fs, hasher, { gitdir: join(top, ".git"), prefix }, ignoreCase)
            const start = prefix === "" ? "" : `${same(prefix)}/`
            const known = files.map(same).flatMap((file) => (file.startsWith(start) ? [file.slice(start.length)] : []))
            const asked = [...files, ...others, ...known, ...known.map((file) => dirname(file))]
            for (const one of asked as RepoPath[]) {
              expect(found.has(one)).toBe(known.includes(same(one)))
              expect(found.hasInside(one)).toBe(known.some((file) => file.startsWith(`${same(one)}/`)))
              expect(found.hasAll(one)).toBe(false)
            }
            expect(found.hasInside(ROOT)).toBe(known.length > 0)
          }
      }),
      { numRuns: 60 },
    )
  })

  it("is empty and says so when the index cannot be read, and empty without an index or a repository", async () => {
    const top = await project("a")
    await writeFile(join(top, ".git/index"), "no index")
    expect([(await tracked(top)).isKnown, has(await tracked(top), ["a"])]).toEqual([false, []])
    await rm(join(top, ".git/index"))
    expect([(await tracked(top)).isKnown, has(await tracked(top), ["a"])]).toEqual([true, []])
    git(["init", "-q", "--object-format=sha256", join(top, "other")])
    await writeFile(join(top, "other/a"), "")
    git(["add", "a"], { cwd: join(top, "other") })
    expect([(await tracked(join(top, "other"))).isKnown, has(await tracked(join(top, "other")), ["a"])]).toEqual([
      false,
      [],
    ])
    const none = await trackedPaths(fs, hasher, undefined, false)
    expect([none.isKnown, has(none, ["a"])]).toEqual([true, []])
  })

  it("says so when the shared part of a split index is missing or another one", async () => {
    const top = await project("a", "b")
    git(["update-index", "--split-index"], { cwd: top })
    const shared = await sharedPath(top)
    await writeFile(shared, await readFile(join(top, ".git/index")))
    expect((await tracked(top)).isKnown).toBe(false)
    await rm(shared)
    expect((await tracked(top)).isKnown).toBe(false)
  })

  it("tells whether something else is tracked inside, whatever changes outside", async () => {
    const top = await project("a", "sub/b", "sub/c/d", "subway/e")
    const told = async (folder: string): Promise<string> =>
      Buffer.concat((await tracked(join(top, folder))).told).toString("hex")
    const [whole, inside] = [await told(""), await told("sub")]
    git(["update-index", "--force-remove", "subway/e"], { cwd: top })
    expect([(await told("")) === whole, (await told("sub")) === inside]).toEqual([false, true])
    git(["update-index", "--force-remove", "sub/c/d"], { cwd: top })
    expect((await told("sub")) === inside).toBe(false)
  })

  it("takes two spellings for one where letter case does not count", async () => {
    const top = await project("Sub/README")
    const repository = await findOwnRepository(fs, top)
    const folded = await trackedPaths(fs, hasher, repository, true)
    expect(has(folded, ["sub/readme", "SUB/README"])).toEqual(["sub/readme", "SUB/README"])
    expect(hasInside(folded, ["sUB"])).toEqual(["sUB"])
    const exact = await trackedPaths(fs, hasher, repository, false)
    expect(has(exact, ["sub/readme", "Sub/README"])).toEqual(["Sub/README"])
  })
})

const ODD_NAMES: readonly string[] = [
  "a",
  "a b",
  "a\\b",
  "a\nb",
  "abcdefg",
  "abcdefgh",
  "abcdefghi",
  "dir/x",
  "dir/xy",
  "dir.x",
  "é/ß",
  "𝒳",
  "\ufeffbom",
  `${"l".repeat(200)}/${"m".repeat(200)}/${"n".repeat(200)}`,
  `${"l".repeat(200)}/${"m".repeat(200)}/o`,
]

/** A repository with these files, added to its index. */
async function project(...names: string[]): Promise<string> {
  const top = join(await temporaryFolder(), "project")
  git(["init", "-q", top])
  for (const name of names) {
    await mkdir(dirname(join(top, name)), { recursive: true })
    await writeFile(join(top, name), name)
    // Git takes a file that is as young as the index for a changed one.
    await utimes(join(top, name), 1_000_000_000, 1_000_000_000)
  }
  git(["add", "."], { cwd: top })
  return top
}

async function readIndex(top: string): Promise<GitIndex> {
  return readGitIndex(hasher, await readFile(join(top, ".git/index")), "index")
}

async function entries(top: string): Promise<readonly IndexEntry[]> {
  const index = await readIndex(top)
  if (index.link === undefined) return index.entries
  return joinSharedIndex(index, await readGitIndex(hasher, await sharedBytes(top), "shared"), "index")
}

async function sharedPath(top: string): Promise<string> {
  const { link } = await readIndex(top)
  return join(top, `.git/sharedindex.${link?.checksum}`)
}

async function sharedBytes(top: string): Promise<Uint8Array> {
  return readFile(await sharedPath(top))
}

/** What `git ls-files` says of each entry. */
function listed(top: string, ...args: string[]): object[] {
  const { stdout } = git(["ls-files", "-z", "--stage", ...args], { cwd: top })
  return decodeName(Uint8Array.from(stdout))
    .split("\0")
    .slice(0, -1)
    .map((line) => {
      const [, mode, oid, stage, path] = /^(\d+) (\w+) (\d)\t([^]*)$/.exec(line) as RegExpExecArray
      return expect.objectContaining({
        mode: Number.parseInt(mode as string, 8),
        oid,
        stage: Number(stage),
        path,
      }) as object
    })
}

async function expectRefused(bytes: Uint8Array): Promise<void> {
  const error: unknown = await readGitIndex(hasher, bytes, "the/index").then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(isSnapshotError(error, "FORMAT_UNSUPPORTED") && error.details).toEqual({
    path: "the/index",
    format: "git index",
  })
}

async function tracked(worktree: string): Promise<TrackedPaths> {
  return trackedPaths(fs, hasher, await findOwnRepository(fs, worktree), false)
}

function has(paths: TrackedPaths, asked: readonly string[]): string[] {
  return asked.filter((path) => paths.has(path as RepoPath))
}

function hasInside(paths: TrackedPaths, asked: readonly string[]): string[] {
  return asked.filter((path) => paths.hasInside(path as RepoPath))
}
