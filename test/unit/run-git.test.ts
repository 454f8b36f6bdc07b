import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { gitEnvironment } from "../../src/sidecar/git-environment.js"
import { gitArguments, runGit, type GitRunOptions } from "../../src/sidecar/git.js"
import { requireSuccess } from "../../src/sidecar/require-success.js"
import { git, gitIsThere } from "../support/git.js"
import { text } from "../support/processes.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const NO_CONFIG = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" }

describe("the environment of git", () => {
  it("has nothing inherited that redirects it or changes what a command means", () => {
    const inherited = {
      GIT_DIR: "/d",
      GIT_WORK_TREE: "/w",
      GIT_INDEX_FILE: "/i",
      GIT_OBJECT_DIRECTORY: "/o",
      GIT_ALTERNATE_OBJECT_DIRECTORIES: "/a",
      GIT_COMMON_DIR: "/c",
      GIT_NAMESPACE: "n",
      GIT_CEILING_DIRECTORIES: "/",
      GIT_DISCOVERY_ACROSS_FILESYSTEM: "1",
      GIT_QUARANTINE_PATH: "/q",
      GIT_CONFIG: "/c",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "core.worktree",
      GIT_CONFIG_VALUE_0: "/w",
      GIT_CONFIG_PARAMETERS: "'core.bare=true'",
      GIT_TEMPLATE_DIR: "/t",
      GIT_DEFAULT_HASH: "sha256",
      GIT_GLOB_PATHSPECS: "1",
      GIT_REDIRECT_STDOUT: "/r",
      GIT_PAGER: "less",
      GIT_EDITOR: "vi",
      GIT_TRACE: "1",
      GIT_OF_THE_FUTURE: "/f",
      git_dir: "/small",
    }
    expect(gitEnvironment(inherited)).toEqual({ GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" })
  })

  it.runIf(gitIsThere())("has none of the variables that git itself calls local to a repository", () => {
    const names = git(["rev-parse", "--local-env-vars"]).text.trim().split("\n")
    expect(names).toContain("GIT_DIR")
    const inherited = Object.fromEntries(names.map((name) => [name, "/elsewhere"]))
    expect(Object.keys(gitEnvironment(inherited)).filter((name) => names.includes(name))).toEqual([])
  })

  it("has what the user is and how he connects, and everything that is not git's", () => {
    const kept = {
      HOME: "/home/me",
      PATH: "/bin",
      SSH_AUTH_SOCK: "/s",
      GITHUB_TOKEN: "t",
      GIT_AUTHOR_NAME: "a",
      GIT_COMMITTER_EMAIL: "c",
      GIT_CONFIG_GLOBAL: "/g",
      GIT_CONFIG_SYSTEM: "/s",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_EXEC_PATH: "/e",
      GIT_SSH_COMMAND: "ssh",
      GIT_SSL_CAINFO: "/ca",
      GIT_PROXY_COMMAND: "proxy",
      GIT_ASKPASS: "ask",
    }
    expect(gitEnvironment({ ...kept, NOT_THERE: undefined })).toEqual({
      ...kept,
      GIT_TERMINAL_PROMPT: "0",
      GIT_OPTIONAL_LOCKS: "0",
      LC_ALL: "C",
    })
  })

  it("speaks the language that it has to, and has what the caller adds or takes away", () => {
    const added = { GIT_DIR: "/mine", GIT_OPTIONAL_LOCKS: "1", HOME: undefined }
    expect(gitEnvironment({ GIT_DIR: "/theirs", LC_ALL: "de_DE.UTF-8", HOME: "/h" }, added)).toEqual({
      GIT_DIR: "/mine",
      GIT_TERMINAL_PROMPT: "0",
      GIT_OPTIONAL_LOCKS: "1",
      LC_ALL: "C",
    })
  })
})

describe("the arguments of git", () => {
  it("name a place for hooks where none can be, as the system calls it", () => {
    expect(gitArguments(["status"], undefined, "linux")).toContain("core.hooksPath=/dev/null")
    expect(gitArguments(["status"], undefined, "win32")).toContain("core.hooksPath=NUL")
  })

  it("end in the paths, after a --", () => {
    expect(gitArguments(["add", "-f"], ["-n", "a"], "linux").slice(-5)).toEqual(["add", "-f", "--", "-n", "a"])
    expect(gitArguments(["add"], [], "linux").slice(-2)).toEqual(["add", "--"])
  })
})

describe("arguments that git cannot be run with", () => {
  it.each<[string, readonly unknown[]]>([
    ["args", [undefined]],
    ["args", ["status"]],
    ["args", [[1]]],
    ["options", [["--version"], null]],
    ["options", [["--version"], 5]],
    ["paths", [["ls-files"], { paths: "ab" }]],
    ["paths", [["ls-files"], { paths: null }]],
    ["paths", [["ls-files"], { paths: [] }]],
    ["paths", [["ls-files"], { paths: [1] }]],
    ["env", [["--version"], { env: null }]],
    ["env", [["--version"], { env: { GIT_DIR: 5 } }]],
    ["inheritedEnv", [["--version"], { inheritedEnv: null }]],
    ["inheritedEnv", [["--version"], { inheritedEnv: "HOME" }]],
    ["timeoutMs", [["--version"], { timeoutMs: null }]],
  ])("are refused by name, and the promise is what rejects: %s (%#)", async (argument, call) => {
    const [args, options] = call as Parameters<typeof runGit>
    const running = runGit(args, options)
    await expect(running).rejects.toMatchObject({ code: "INVALID_ARGUMENT", details: { argument } })
  })
})

describe.runIf(gitIsThere())("git", () => {
  it("looks at the repository that it was sent to, whatever this process inherited", async () => {
    const folder = await repository()
    const elsewhere = { GIT_DIR: "/nowhere", GIT_INDEX_FILE: "/nowhere/index", GIT_WORK_TREE: "/nowhere" }
    const result = await sure(["rev-parse", "--absolute-git-dir"], {
      cwd: folder,
      inheritedEnv: { ...process.env, ...elsewhere },
    })
    expect(result).toBe(`${join(folder, ".git")}\n`)
  })

  it("uses the index that the caller names", async () => {
    const folder = await repository()
    await writeFile(join(folder, "file"), "content")
    const env = { GIT_INDEX_FILE: join(folder, "other-index") }
    await sure(["add"], { cwd: folder, env, paths: ["file"] })
    expect(await sure(["ls-files"], { cwd: folder, env })).toBe("file\n")
    expect(await sure(["ls-files"], { cwd: folder })).toBe("")
  })

  it("runs no hook, and none of the daemons that a repository asks for", async () => {
    const folder = await repository()
    await writeFile(join(folder, ".git/hooks/pre-commit"), "#!/bin/sh\ntouch hook-ran\nexit 1\n", { mode: 0o755 })
    await sure(["config", "core.fsmonitor", "touch fsmonitor-ran"], { cwd: folder })
    await writeFile(join(folder, "file"), "content")
    await sure(["add"], { cwd: folder, paths: ["file"] })
    const env = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" }
    await sure(["commit", "--quiet", "-m", "one"], { cwd: folder, env })
    expect(await sure(["status", "--porcelain"], { cwd: folder })).toBe("")
    expect(await sure(["config", "gc.auto"], { cwd: folder })).toBe("0\n")
  })

  it("takes paths as they are, whatever a pattern or an option would make of them", async () => {
    const folder = await repository()
    const odd = ["*.txt", ":(top)", "-n", "a [b] c.txt"]
    for (const name of [...odd, "other.txt"]) await writeFile(join(folder, name), name)
    await sure(["add"], { cwd: folder, paths: odd })
    const listed = (await sure(["ls-files", "-z"], { cwd: folder })).split("\0").slice(0, -1)
    expect(listed.toSorted()).toEqual(odd.toSorted())
  })

  it("waits for no editor and no terminal, and says what it says in English", async () => {
    const folder = await repository()
    const inheritedEnv = { ...process.env, LC_ALL: "de_DE.UTF-8", LANGUAGE: "de", GIT_PAGER: "sleep 600" }
    const result = await runGit(["log"], { cwd: folder, inheritedEnv })
    expect(result).toMatchObject({ kind: "exited", code: 128, stdin: { state: "none" } })
    expect(text(result.stderr)).toContain("does not have any commits yet")
  })
})

async function sure(args: readonly string[], options: GitRunOptions): Promise<string> {
  const { inheritedEnv = process.env, ...rest } = options
  return text(requireSuccess(await runGit(args, { ...rest, inheritedEnv: { ...inheritedEnv, ...NO_CONFIG } })).stdout)
}

async function repository(): Promise<string> {
  const folder = await temporaryFolder()
  await sure(["init", "--quiet"], { cwd: folder })
  return folder
}
