import type { IgnoreSource } from "../core/manifest.js"
import { isInside, type RepoPath } from "../core/path.js"
import { expandHome, readConfigFiles, userFile, type ConfigPlaces } from "./config-files.js"
import { lastVariable } from "../core/git-config.js"
import { ignoreRules } from "./ignore-rules.js"
import type { OwnRepository } from "./own-repository.js"
import { readSmallFile, readSmallPlainFile, type OnDenied } from "./read-small-file.js"
import { pathFrom } from "./system-path.js"

/** For which work tree rules are wanted. */
export interface IgnoreSourcesOptions extends ConfigPlaces {
  /** The work tree's real path. */
  readonly worktree: string
  readonly ignoreCase: boolean
}

/** The rules from outside the work tree. */
export interface OutsideRules {
  /** From the weakest to the strongest. */
  readonly sources: readonly IgnoreSource[]
  /** The work tree's path from the ignore root. */
  readonly prefix: string
  /** Files that are there and may not be read. */
  readonly unread: readonly string[]
}

/**
 * The ignore rules that hold in a work tree and lie outside of it: the file of core.excludesFile or its default place,
 * the repository's `info/exclude`, and the ignore files of the folders between the repository's top and the work tree.
 *
 * Where these rules ignore the work tree itself, as a repository does that ignores its sandboxes, taking them at their
 * word would leave nothing to capture. Who names such a folder as a work tree means its files, so the repository's rules
 * do not count then, and those of core.excludesFile count from the work tree down.
 *
 * Files that may not be read count as empty, as with Git, and are named in `unread`.
 * Source: https://git-scm.com/docs/gitignore
 */
export async function ignoreSources(options: IgnoreSourcesOptions): Promise<OutsideRules> {
  const { worktree, repository, ignoreCase } = options
  const userPath = await findUserRules(options)
  const unread: string[] = []
  const onDenied: OnDenied = (path) => void unread.push(path)
  const user = (root: string): Promise<IgnoreSource | undefined> => readSource(options, userPath, root, onDenied)
  if (repository === undefined) return { sources: present([await user(worktree)]), prefix: "", unread }

  const { prefix, top, commonDir } = repository
  const exclude = await readSource(options, pathFrom(commonDir, "info/exclude"), top, onDenied)
  const above = await parentSources(options, repository, onDenied)
  const sources = present([await user(top), exclude, ...above])
  const rules = ignoreRules({ sources, prefix: "", exclude: [], ignoreCase })
  if (!rules.ignores(prefix as RepoPath, "folder")) return { sources, prefix, unread }
  return { sources: present([await user(worktree)]), prefix: "", unread }
}

/** The user's own file of rules. A path in a setting is relative to the repository's top, where Git's commands run. */
async function findUserRules(options: IgnoreSourcesOptions): Promise<string | undefined> {
  const { environment, repository, worktree } = options
  const setting = lastVariable(await readConfigFiles(options), "core.excludesfile")
  if (setting?.value === undefined) return userFile(environment, "ignore")
  // An empty setting stands for no file at all, not even the default one.
  if (setting.value === "") return undefined
  return pathFrom(repository?.top ?? worktree, expandHome(environment, setting.value))
}

async function parentSources(
  options: IgnoreSourcesOptions,
  { top, prefix }: OwnRepository,
  onDenied: OnDenied,
): Promise<(IgnoreSource | undefined)[]> {
  const names = prefix === "" ? [] : prefix.split("/")
  const sources: (IgnoreSource | undefined)[] = []
  for (const depth of names.keys()) {
    const base = names.slice(0, depth).join("/")
    const origin = base === "" ? ".gitignore" : `${base}/.gitignore`
    const text = await readSmallPlainFile(options.fs, pathFrom(top, origin), onDenied)
    sources.push(text === undefined ? undefined : { origin, base, text })
  }
  return sources
}

async function readSource(
  { fs }: IgnoreSourcesOptions,
  path: string | undefined,
  root: string,
  onDenied: OnDenied,
): Promise<IgnoreSource | undefined> {
  const text = path === undefined ? undefined : await readSmallFile(fs, path, onDenied)
  return path === undefined || text === undefined ? undefined : { origin: originOf(path, root), base: "", text }
}

function originOf(path: string, root: string): string {
  return path !== root && isInside(path, root) ? path.slice(root.length + 1) : path
}

function present(sources: readonly (IgnoreSource | undefined)[]): IgnoreSource[] {
  return sources.filter((source) => source !== undefined && source.text !== "") as IgnoreSource[]
}
