import { spawnSync } from "node:child_process"
import { mkdir, realpath, rm, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Environment } from "../../src/core/environment.js"
import type { FileSystem, OpenMode } from "../../src/core/file-system.js"
import { ROOT, type RepoPath } from "../../src/core/path.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { ignoreRules } from "../../src/tree/ignore-rules.js"
import { ignoreSources, type OutsideRules } from "../../src/tree/ignore-sources.js"
import { foldsLetterCase } from "../../src/tree/letter-case.js"
import { findOwnRepository } from "../../src/tree/own-repository.js"
import { readSmallPlainFile } from "../../src/tree/read-small-file.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const fs = nodeFileSystem()

describe.runIf(gitIsThere())("rules from outside the work tree", () => {
  it("come from info/exclude, which is weaker than ignore files", async () => {
    const { top, write } = await project()
    await write(".git/info/exclude", "*.log\n")
    await write(".gitignore", "!keep.log\n")
    await expectAlike(top, NO_SETTINGS, ["a.log", "keep.log", "d/b.log", "x"], ["a.log", "d/b.log"])
  })

  it("come from info/exclude of the main work tree in a linked one", async () => {
    const { home, top, write } = await project()
    git(["commit", "-q", "--allow-empty", "-m", "start"], { cwd: top })
    const linked = join(home, "linked")
    git(["worktree", "add", "-q", linked], { cwd: top })
    await write(".git/info/exclude", "*.log\n")
    await mkdir(join(top, ".git/worktrees/linked/info"), { recursive: true })
    await write(".git/worktrees/linked/info/exclude", "*.no\n")
    await expectAlike(linked, NO_SETTINGS, ["a.log", "a.no", "x"], ["a.log"])
  })

  it("come from the submodule's own gitdir in a submodule", async () => {
    const { home, top } = await project()
    const other = join(home, "other")
    git(["init", "-q", other])
    git(["commit", "-q", "--allow-empty", "-m", "start"], { cwd: other })
    git(["-c", "protocol.file.allow=always", "submodule", "add", "-q", other, "sub"], { cwd: top })
    await writeFile(join(top, ".git/modules/sub/info/exclude"), "*.log\n")
    await writeFile(join(top, ".git/info/exclude"), "*.no\n")
    await expectAlike(join(top, "sub"), NO_SETTINGS, ["a.log", "a.no"], ["a.log"])
  })

  it("come from core.excludesFile of each configuration file, and the strongest counts", async () => {
    const { home, top, write } = await project()
    for (const name of ["system", "xdg", "user", "global", "repository", "worktree"])
      await writeFile(join(home, `${name}.rules`), `${name}\n`)
    const paths = ["system", "xdg", "user", "global", "repository", "worktree", "default"]
    const set = (file: string, name: string): Promise<void> =>
      writeDeep(file, `[core]\n\texcludesFile = ~/${name}.rules\n`)
    await writeDeep(join(home, ".config/git/ignore"), "default\n")
    const plain: Environment = { home, variables: {} }
    const nowhere = { GIT_CONFIG_NOSYSTEM: "yes" }

    await expectAlike(top, { home, variables: nowhere }, paths, ["default"])
    await set(join(home, "system.config"), "system")
    await expectAlike(top, { home, variables: { GIT_CONFIG_SYSTEM: join(home, "system.config") } }, paths, ["system"])
    await set(join(home, ".config/git/config"), "xdg")
    await expectAlike(top, plain, paths, ["xdg"])
    await set(join(home, ".gitconfig"), "user")
    await expectAlike(top, plain, paths, ["user"])
    await set(join(home, "global.config"), "global")
    await expectAlike(top, { home, variables: { GIT_CONFIG_GLOBAL: join(home, "global.config") } }, paths, ["global"])
    await write(
      ".git/config",
      `[core]\nrepositoryFormatVersion = 0\nexcludesFile = ${home}/repository.rules\n[extensions]\n\tworktreeConfig\n`,
    )
    await expectAlike(top, plain, paths, ["repository"])
    await set(join(top, ".git/config.worktree"), "worktree")
    await expectAlike(top, plain, paths, ["worktree"])
  })

  it("come from $XDG_CONFIG_HOME/git/ignore where that is set, and from ~/.config/git/ignore where it is not", async () => {
    const { home, top } = await project()
    await writeDeep(join(home, ".config/git/ignore"), "here\n")
    await writeDeep(join(home, "xdg/git/ignore"), "there\n")
    await expectAlike(top, { home, variables: {} }, ["here", "there"], ["here"])
    await expectAlike(top, { home, variables: { XDG_CONFIG_HOME: join(home, "xdg") } }, ["here", "there"], ["there"])
    await expectAlike(top, { home, variables: { XDG_CONFIG_HOME: "" } }, ["here", "there"], ["here"])
  })

  it("come from a file named relative to the repository's top, through a link, and from none when the setting is empty", async () => {
    const { home, top, write } = await project()
    await writeDeep(join(home, ".config/git/ignore"), "default\n")
    await write("sub/x", "")
    await write("rules", "set\n")
    await symlink("rules", join(top, "linked"))
    await write(".git/config", "[core]\n\texcludesFile = linked\n")
    await expectAlike(top, { home, variables: {} }, ["set", "default"], ["set"])
    await expectAlike(join(top, "sub"), { home, variables: {} }, ["set", "default"], ["set"])
    await write(".git/config", "[core]\n\texcludesFile =\n")
    await expectAlike(top, { home, variables: {} }, ["set", "default"], [])
  })

  it("follow include.path and conditions on the gitdir and the branch", async () => {
    const { home, top } = await project()
    git(["symbolic-ref", "HEAD", "refs/heads/topic/one"], { cwd: top })
    for (const name of ["a", "b"]) {
      await writeFile(join(home, `${name}.config`), `[core]\nexcludesFile = ${home}/${name}.rules\n`)
      await writeFile(join(home, `${name}.rules`), `${name}\n`)
    }
    const conditions = [
      `gitdir:${top}/`,
      `gitdir:${top}/.git`,
      `gitdir:${top}`,
      "gitdir:~/",
      "gitdir:~/nowhere/",
      "gitdir:project/",
      "gitdir:pro*/.git",
      "gitdir:PROJECT/",
      "gitdir/i:PROJECT/",
      "gitdir:./project/",
      "onbranch:topic/",
      "onbranch:topic/*",
      "onbranch:topic",
      "onbranch:one",
      "hasconfig:remote.*.url:x",
    ]
    const held: string[] = []
    for (const condition of conditions) {
      const text = `[include]\npath = a.config\n[includeIf "${condition}"]\npath = ~/b.config\n`
      await writeFile(join(home, ".gitconfig"), text)
      const ignored = ignoredByGit(top, { home, variables: {} }, ["a", "b"])
      expect([condition, await ignoredByUs(top, { home, variables: {} }, ["a", "b"])]).toEqual([condition, ignored])
      held.push(...(ignored[0] === "b" ? [condition] : []))
    }
    expect(held.length).toBeGreaterThan(5)
    await writeFile(join(home, ".gitconfig"), "[include]\npath = .gitconfig\n".repeat(9))
    await expect(outside(top, { home, variables: {} })).resolves.toBeDefined()
  })

  it("come from the ignore files of the folders above a work tree inside a repository", async () => {
    const { top, write } = await project()
    await write(".gitignore", "*.log\n/x\n/a/b/y\nd/\n!/a/keep.log\n")
    await write("a/.gitignore", "!b/one.log\n/b/z\nb2\n")
    await write("a/b/.gitignore", "!two.log\n")
    await write(".git/info/exclude", "/a/b/w\n")
    const paths = ["one.log", "two.log", "three.log", "c/one.log", "x", "y", "z", "w", "c/z", "b2", "d"]
    await expectAlike(join(top, "a/b"), NO_SETTINGS, paths, ["three.log", "c/one.log", "y", "z", "w", "b2"])
    await expectAlike(
      join(top, "a"),
      NO_SETTINGS,
      ["keep.log", "b/y", "b/three.log", "b/z", "x"],
      ["b/y", "b/three.log", "b/z"],
    )
  })

  it("are anchored at folders whose names look like patterns", async () => {
    const { top, write } = await project()
    const odd = "[a]*?\\!# é/ b"
    await write(`${odd}/.gitignore`, "/x\ny\n!/q/y\n")
    await write("ab/.gitignore", "z\n")
    await expectAlike(join(top, odd), NO_SETTINGS, ["x", "y", "q/y", "q/x", "z"], ["x", "y"])
  })

  it("leave the repository's rules out when they ignore the work tree itself, and keep the user's", async () => {
    const { home, top, write } = await project()
    await write(".gitignore", "/boxes/\n*.tmp\n")
    await write("boxes/.gitignore", "*.no\n")
    await write("boxes/one/x", "")
    await writeDeep(join(home, ".config/git/ignore"), "*.log\n/boxes/one/q\n")
    const rules = await outside(join(top, "boxes/one"), { home, variables: { GIT_CONFIG_NOSYSTEM: "1" } })
    expect(rules).toEqual({
      prefix: "",
      unread: [],
      sources: [{ origin: join(home, ".config/git/ignore"), base: "", text: "*.log\n/boxes/one/q\n" }],
    })
    const decided = ignoreRules({ ...rules, exclude: [], ignoreCase: false })
    expect(["a.log", "a.tmp", "a.no", "x"].filter((path) => decided.ignores(path as RepoPath, "file"))).toEqual([
      "a.log",
    ])
  })

  it("are the user's alone where there is no repository", async () => {
    const home = await temporaryFolder()
    await writeDeep(join(home, ".config/git/ignore"), "*.log\n")
    const worktree = join(home, "plain")
    await mkdir(worktree)
    expect(await findOwnRepository(fs, worktree)).toBeUndefined()
    expect(await outside(worktree, { home, variables: { GIT_CONFIG_NOSYSTEM: "1" } })).toEqual({
      prefix: "",
      unread: [],
      sources: [{ origin: join(home, ".config/git/ignore"), base: "", text: "*.log\n" }],
    })
  })

  it("are not taken from a link, a folder or a fifo where an ignore file belongs", async () => {
    const { home, top, write } = await project()
    await write("rules", "*.log\n")
    await write("a/b/x", "")
    await symlink("rules", join(top, ".gitignore"))
    await mkdir(join(top, "a/.gitignore"))
    await expectAlike(join(top, "a/b"), NO_SETTINGS, ["x.log"], [])
    git(["init", "-q", home])
    await writeFile(join(home, ".gitconfig"), `[core]\nexcludesFile = ${home}/fifo\n`)
    expect(spawnSync("mkfifo", [join(home, "fifo")]).status).toBe(0)
    expect((await outside(top, { home, variables: {} })).sources.map(({ text }) => text)).not.toContain("*.log\n")
  })

  it("say where they come from: relative to the ignore root, or absolute outside of it", async () => {
    const { home, top, write } = await project()
    await writeDeep(join(home, ".config/git/ignore"), "u\n")
    await write(".git/info/exclude", "e\n")
    await write(".gitignore", "t\n")
    await write("a/.gitignore", "a\n")
    await write("a/b/x", "")
    const { sources, prefix } = await outside(join(top, "a/b"), { home, variables: { GIT_CONFIG_NOSYSTEM: "1" } })
    expect(prefix).toBe("a/b")
    expect(sources).toEqual([
      { origin: join(home, ".config/git/ignore"), base: "", text: "u\n" },
      { origin: ".git/info/exclude", base: "", text: "e\n" },
      { origin: ".gitignore", base: "", text: "t\n" },
      { origin: "a/.gitignore", base: "a", text: "a\n" },
    ])
  })
})

describe.runIf(gitIsThere())("the user's own repository", () => {
  it("is the nearest one that encloses the work tree, as git rev-parse says", async () => {
    const { home, top, write } = await project()
    await write("a/b/x", "")
    git(["init", "-q", join(top, "nested")])
    git(["commit", "-q", "--allow-empty", "-m", "start"], { cwd: top })
    git(["worktree", "add", "-q", join(home, "linked")], { cwd: top })
    git(["init", "-q", "--separate-git-dir", join(home, "apart.git"), join(home, "separate")])
    await mkdir(join(home, "linked/sub"), { recursive: true })
    for (const worktree of [
      top,
      join(top, "a/b"),
      join(top, "nested"),
      join(home, "linked/sub"),
      join(home, "separate"),
    ]) {
      const found = await findOwnRepository(fs, worktree)
      const said = git(
        ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir", "--show-prefix"],
        { cwd: worktree },
      ).text.split("\n")
      expect([found?.top, found?.gitdir, found?.commonDir, found?.prefix && `${found.prefix}/`]).toEqual([
        said[0],
        said[1],
        said[2],
        said[3],
      ])
    }
  })

  it("is not a .git that is broken: the search goes on above it", async () => {
    const { home, top, write } = await project()
    await write("empty/.git/x", "")
    await write("gone/.git", `gitdir: ${home}/nowhere\n`)
    await write("text/.git", "something else\n")
    await write("head/.git/HEAD", "ref: refs/heads/main\n")
    await mkdir(join(top, "dangling"))
    await symlink("nowhere", join(top, "dangling/.git"))
    for (const name of ["empty", "gone", "text", "head", "dangling"])
      expect((await findOwnRepository(fs, join(top, name)))?.prefix).toBe(name)
    await rm(join(top, ".git"), { recursive: true })
    expect(await findOwnRepository(fs, join(top, "empty"))).toBeUndefined()
  })
})

describe.runIf(gitIsThere())("the search for the user's own repository", () => {
  it("ends where another file system begins", async () => {
    const { top, write } = await project()
    await write("mounted/x", "")
    const mounted = join(top, "mounted")
    const twoSystems = {
      realPath: (path: string) => fs.realPath(path),
      open: (path: string, mode: OpenMode) => fs.open(path, mode),
      lstat: async (path: string) => {
        const found = await fs.lstat(path)
        return found && path.startsWith(mounted) ? { ...found, device: found.device + 1n } : found
      },
    }
    expect((await findOwnRepository(fs, mounted))?.prefix).toBe("mounted")
    expect(await findOwnRepository(twoSystems as unknown as FileSystem, mounted)).toBeUndefined()
  })
})

describe("letter case", () => {
  it("counts on a file system where the other spelling of a name leads nowhere or elsewhere", async () => {
    const folder = await temporaryFolder()
    const folds = await realpath(folder.toUpperCase()).then(
      () => true,
      () => false,
    )
    expect(await foldsLetterCase(fs, folder)).toBe(folds)
    await writeFile(join(folder, "Name"), "")
    expect(await foldsLetterCase(fs, folder)).toBe(folds)
    if (folds) return
    await writeFile(join(folder, "nAME"), "")
    expect(await foldsLetterCase(fs, folder)).toBe(false)
  })

  it("does not count where the other spelling of a name leads to the same file", async () => {
    const folder = await temporaryFolder()
    const folding = {
      list: (path: string) => fs.list(path),
      lstat: (path: string) => fs.lstat(folder + path.slice(folder.length).toLowerCase()),
    }
    await writeFile(join(folder, "1"), "")
    await writeFile(join(folder, "name"), "")
    expect(await foldsLetterCase(folding, folder)).toBe(true)
  })
})

const NO_SETTINGS: Environment = { variables: { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" } }

interface Project {
  readonly home: string
  readonly top: string
  /** Writes a file of the project, with the folders above it. */
  write(path: string, text: string): Promise<void>
}

async function project(): Promise<Project> {
  const home = await temporaryFolder()
  const top = join(home, "project")
  git(["init", "-q", top])
  return { home, top, write: (path, text) => writeDeep(join(top, path), text) }
}

async function writeDeep(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

async function outside(worktree: string, environment: Environment): Promise<OutsideRules> {
  const repository = await findOwnRepository(fs, worktree)
  return ignoreSources({ fs, environment, worktree, repository, ignoreCase: false })
}

/** Holds that we and Git ignore these `paths` and no others of a work tree, whose own ignore file is at its root. */
async function expectAlike(
  worktree: string,
  environment: Environment,
  paths: readonly string[],
  ignored: readonly string[],
): Promise<void> {
  expect(await ignoredByUs(worktree, environment, paths)).toEqual(ignored)
  expect(ignoredByGit(worktree, environment, paths)).toEqual(ignored)
}

async function ignoredByUs(worktree: string, environment: Environment, paths: readonly string[]): Promise<string[]> {
  const rules = ignoreRules({ ...(await outside(worktree, environment)), exclude: [], ignoreCase: false })
  const own = await readSmallPlainFile(fs, join(worktree, ".gitignore"))
  const all = own === undefined ? rules : rules.enter(ROOT, own)
  return paths.filter((path) => all.ignores(path as RepoPath, "file"))
}

function ignoredByGit(worktree: string, { home, variables }: Environment, paths: readonly string[]): string[] {
  const { stdout, error } = spawnSync("git", ["check-ignore", "-z", "--stdin", "--no-index"], {
    cwd: worktree,
    input: paths.map((path) => `${path}\0`).join(""),
    env: { PATH: process.env["PATH"], LC_ALL: "C", HOME: home ?? "/nowhere", ...variables },
  })
  if (error !== undefined) throw error
  return stdout.toString().split("\0").slice(0, -1)
}
