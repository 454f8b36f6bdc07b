import { SnapshotError } from "../core/errors.js"
import { gitEnvironment, type Variables } from "./git-environment.js"
import type { ProcessResult } from "./process-result.js"
import { nodeSystem } from "./process-system.js"
import { run } from "./run.js"
import { demandOptions, demandTexts, demandVariables, type RunOptions } from "./run-options.js"

/** How to run native git. */
export interface GitRunOptions extends Omit<RunOptions, "env"> {
  /** Paths, at least one, put after `--`, and taken as they are: no character in them is a pattern. */
  readonly paths?: readonly string[]
  /** Variables on top of the inherited ones, as they are: GIT_DIR, GIT_INDEX_FILE and the like belong here. */
  readonly env?: Variables
  /** The environment to inherit from, less what redirects git. Default: this process's. */
  readonly inheritedEnv?: Variables
}

/**
 * Runs native git, found on the PATH, with nothing in its way: no hook, no pager, no question, no collection of garbage,
 * no daemon that watches files, and nothing inherited that points it to another repository.
 *
 * `args` begins with the subcommand, or with options of git itself. Gives and rejects as `run` does.
 */
export async function runGit(args: readonly string[], options: GitRunOptions = {}): Promise<ProcessResult> {
  demandTexts("args", args)
  demandOptions(options)
  const { paths, env = {}, inheritedEnv = process.env, ...rest } = options
  if (paths !== undefined) demandTexts("paths", paths)
  if (paths?.length === 0)
    throw new SnapshotError(
      "INVALID_ARGUMENT",
      "Without a path, git would take all of them. Leave paths out for that.",
      {
        argument: "paths",
      },
    )
  demandVariables("env", env)
  demandVariables("inheritedEnv", inheritedEnv)
  const environment = gitEnvironment(inheritedEnv, env)
  return run("git", gitArguments(args, paths, nodeSystem.platform), { ...rest, env: environment })
}

/**
 * The arguments for native git on `platform`.
 * Source: https://git-scm.com/docs/git-config for `core.hooksPath`, `core.fsmonitor` and `gc.auto`
 */
export function gitArguments(
  args: readonly string[],
  paths: readonly string[] | undefined,
  platform: NodeJS.Platform,
): string[] {
  return [
    ...["-c", "core.fsmonitor=false"],
    ...["-c", "gc.auto=0"],
    // Nothing can be in there.
    ...["-c", `core.hooksPath=${platform === "win32" ? "NUL" : "/dev/null"}`],
    "--no-pager",
    ...(paths === undefined ? args : ["--literal-pathspecs", ...args, "--", ...paths]),
  ]
}
