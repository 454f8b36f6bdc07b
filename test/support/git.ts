import { spawnSync } from "node:child_process"

/** What native git printed, as bytes and text. */
export interface GitOutput {
  readonly status: number
  readonly stdout: Buffer
  readonly text: string
  readonly stderr: string
}

/** How to run native git. */
export interface GitOptions {
  readonly cwd?: string
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Do not throw on a status other than 0. */
  readonly anyStatus?: boolean
}

/**
 * Runs native git, the tests' oracle, cut off from the configuration of the machine and of the user.
 * A missing git fails the test that asks for it, and says so.
 */
export function git(args: readonly string[], options: GitOptions = {}): GitOutput {
  const done = spawnSync("git", args, {
    cwd: options.cwd,
    input: options.input,
    maxBuffer: 1 << 30,
    env: { ...cleanEnvironment(), ...options.env },
  })
  if (done.error !== undefined)
    throw new Error(`this test compares with native git, which could not be started: ${done.error.message}`)
  const stderr = done.stderr.toString()
  if (done.status !== 0 && options.anyStatus !== true)
    throw new Error(`git ${args.join(" ")} gave ${done.status}: ${stderr}`)
  return { status: done.status ?? -1, stdout: done.stdout, text: done.stdout.toString(), stderr }
}

/** Whether native git can be run here. Under CI it has to be: there, a missing git throws. */
export function gitIsThere(): boolean {
  const there = spawnSync("git", ["--version"]).status === 0
  if (there) return true
  if (process.env["CI"]) throw new Error("native git is missing; the comparison with it has to run under CI")
  console.warn("native git is missing: the tests that compare with it do not run")
  return false
}

function cleanEnvironment(): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !name.startsWith("GIT_")) env[name] = value
  return {
    ...env,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "Tester",
    GIT_AUTHOR_EMAIL: "tester@localhost",
    GIT_COMMITTER_NAME: "Tester",
    GIT_COMMITTER_EMAIL: "tester@localhost",
    LC_ALL: "C",
  }
}
