import type { Environment } from "../core/environment.js"
import type { FileSystem } from "../core/file-system.js"
import { isTrue, lastVariable, readGitConfig, saysYes, type ConfigVariable } from "../core/git-config.js"
import type { OwnRepository } from "./own-repository.js"
import { readSmallFile } from "./read-small-file.js"
import { folderAbove, isAbsolute, pathFrom } from "./system-path.js"

/** From where configuration is read. */
export interface ConfigPlaces {
  readonly fs: FileSystem
  readonly environment: Environment
  readonly repository: OwnRepository | undefined
}

/**
 * Every variable that counts in the work tree, from the weakest file to the strongest: the system's, the user's, the
 * repository's, its linked work tree's. Included files stand where they are named. Files that are not there count as empty.
 * Source: https://git-scm.com/docs/git-config (FILES, ENVIRONMENT, Includes)
 */
export async function readConfigFiles(places: ConfigPlaces): Promise<ConfigVariable[]> {
  const { environment, repository } = places
  const { GIT_CONFIG_NOSYSTEM, GIT_CONFIG_SYSTEM, GIT_CONFIG_GLOBAL } = environment.variables
  const files: (string | undefined)[] = []
  if (!saysYes(GIT_CONFIG_NOSYSTEM ?? "")) files.push(GIT_CONFIG_SYSTEM ?? "/etc/gitconfig")
  if (GIT_CONFIG_GLOBAL !== undefined) files.push(GIT_CONFIG_GLOBAL)
  else files.push(userFile(environment, "config"), environment.home && pathFrom(environment.home, ".gitconfig"))
  if (repository !== undefined) files.push(pathFrom(repository.commonDir, "config"))

  const variables: ConfigVariable[] = []
  for (const file of files) for (const variable of await readWithIncludes(places, file)) variables.push(variable)
  if (repository === undefined) return variables
  if (await hasWorktreeConfig(places, repository))
    for (const variable of await readWithIncludes(places, pathFrom(repository.gitdir, "config.worktree")))
      variables.push(variable)
  return variables
}

/** Extensions count in repositories that tell their version. */
async function hasWorktreeConfig({ fs }: ConfigPlaces, { commonDir }: OwnRepository): Promise<boolean> {
  const own = readGitConfig((await readSmallFile(fs, pathFrom(commonDir, "config"))) ?? "")
  return lastVariable(own, "core.repositoryformatversion") !== undefined && isTrue(own, "extensions.worktreeconfig")
}

/** The place of one of the user's files for Git: in $XDG_CONFIG_HOME/git, else in ~/.config/git. */
export function userFile(environment: Environment, name: string): string | undefined {
  const folder = environment.variables["XDG_CONFIG_HOME"]
  if (folder) return pathFrom(folder, `git/${name}`)
  return environment.home && pathFrom(environment.home, `.config/git/${name}`)
}

/** A value that names a file, with `~/` for the home folder. `~name/`, another user's home, stays as it is. */
export function expandHome(environment: Environment, value: string): string {
  const { home } = environment
  if (home === undefined || (value !== "~" && !value.startsWith("~/"))) return value
  return value === "~" ? home : pathFrom(home, value.slice(2))
}

async function readWithIncludes(
  places: ConfigPlaces,
  file: string | undefined,
  depth = 0,
  left: { files: number } = { files: MOST_FILES },
): Promise<ConfigVariable[]> {
  if (!file || depth > DEEPEST_INCLUDE || left.files-- <= 0) return []
  const text = await readSmallFile(places.fs, file)
  const variables: ConfigVariable[] = []
  for (const variable of readGitConfig(text ?? "")) {
    variables.push(variable)
    const included = await includedFile(places, file, variable)
    if (included === undefined) continue
    for (const inner of await readWithIncludes(places, included, depth + 1, left)) variables.push(inner)
  }
  return variables
}

async function includedFile(
  places: ConfigPlaces,
  file: string,
  { key, value }: ConfigVariable,
): Promise<string | undefined> {
  if (!value) return undefined
  const condition = /^includeif\.([^]*)\.path$/.exec(key)?.[1]
  if (key !== "include.path" && (condition === undefined || !(await holds(places, file, condition)))) return undefined
  const path = expandHome(places.environment, value)
  return isAbsolute(path) ? path : pathFrom(folderAbove(file) ?? "/", path)
}

/** Conditions on the gitdir and on the branch; others, such as on remotes, never hold here. */
async function holds(places: ConfigPlaces, file: string, condition: string): Promise<boolean> {
  const { fs, environment, repository } = places
  const [, kind, pattern] = /^(gitdir|gitdir\/i|onbranch):([^]*)$/.exec(condition) ?? []
  if (repository === undefined || kind === undefined || !pattern) return false
  if (kind === "onbranch") {
    const branch = /^ref:\s*refs\/heads\/(.+)/.exec(
      (await readSmallFile(fs, pathFrom(repository.gitdir, "HEAD"))) ?? "",
    )?.[1]
    return branch !== undefined && (await matches(openEnded(pattern), [branch], false))
  }
  let place = expandHome(environment, pattern)
  if (place.startsWith("./")) place = pathFrom((await fs.realPath(folderAbove(file) ?? "/")) ?? "/", place.slice(2))
  else if (!isAbsolute(place)) place = `**/${place}`
  const gitdirs = [repository.gitdir, (await fs.realPath(repository.gitdir)) ?? repository.gitdir]
  return matches(openEnded(place), gitdirs, kind === "gitdir/i")
}

function openEnded(pattern: string): string {
  return pattern.endsWith("/") ? `${pattern}**` : pattern
}

/** Whether the pattern matches one of the paths. */
async function matches(pattern: string, paths: readonly string[], ignoreCase: boolean): Promise<boolean> {
  // Conditions are rare, and loading this takes long.
  const { default: picomatch } = await import("picomatch")
  const options = { dot: true, nobrace: true, noext: true, nonegate: true, nocase: ignoreCase, windows: false }
  return paths.some((path) => {
    const slashed = (text: string): string => (path.startsWith("/") ? text : text.replaceAll("\\", "/"))
    return picomatch.isMatch(slashed(path), slashed(pattern), options)
  })
}

/** Git's own bound. */
const DEEPEST_INCLUDE = 10
/** Files that include one another more than once would be read again and again. */
const MOST_FILES = 200
