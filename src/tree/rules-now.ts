import type { IndexFile } from "../core/index-file.js"
import type { Manifest } from "../core/manifest.js"
import { utf8 } from "../core/bytes.js"
import { oidAt } from "../core/oid.js"
import { parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { Platform } from "../core/platform.js"
import { foldsLetterCase } from "./letter-case.js"
import { findOwnRepository } from "./own-repository.js"
import type { IncludedPaths, ScanScope } from "./scan-visitor.js"
import { trackedPaths } from "./tracked-paths.js"
import { isStill, watchedReads } from "./watched-reads.js"

/** What a store was opened with. */
export interface RulesRequest {
  readonly worktree: string
  /** Globs of the only files to capture; none for all. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** The store's own folder, where it lies inside the work tree. */
  readonly gitdir: RepoPath | undefined
}

/** The rules of one capture. */
export interface CaptureRules {
  readonly scope: ScanScope
  /** Tells these rules from others, the ignore files of the work tree aside; undefined when that cannot be said. */
  readonly digest: string | undefined
  /** What they were read from; undefined when it may have changed since without showing. */
  readonly stamp: string | undefined
  /** What the manifest says of them. */
  readonly manifest: Pick<
    Manifest,
    "include" | "exclude" | "ignoreSources" | "rulesUnread" | "ignorePrefix" | "ignoreCase"
  >
}

/** The rules that apply to a work tree. */
export interface RulesSource {
  /**
   * The rules as they are when it is called: configuration and index may change. `onIndex` is told of the repository's
   * index, where it had to be read for them and could be: reading a large one twice takes long.
   */
  now(onIndex?: (index: IndexFile | undefined) => void): Promise<CaptureRules>
  /** Whether nothing that a stamp tells of has changed since, so that `now` would give the same rules. */
  isStill(stamp: string): Promise<boolean>
}

/** Reads the rules, again only when what they are read from has changed. */
export function rulesSource(platform: Platform, request: RulesRequest): RulesSource {
  const { fileSystem } = platform
  let last: CaptureRules | undefined
  const terms = termsOf(platform, request)

  async function isStillSo(stamp: string): Promise<boolean> {
    const [then, reads = ""] = stamp.split("\n")
    return then === terms && isStill(fileSystem, reads)
  }

  return {
    async now(onIndex) {
      const isSame = last?.stamp !== undefined && (await isStillSo(last.stamp))
      if (!isSame || last === undefined) last = await readRules(platform, request, onIndex)
      return last
    },
    isStill: isStillSo,
  }
}

/** What decides which files the rules are read from, and what counts beside them. */
function termsOf({ environment }: Platform, { include, exclude, gitdir }: RulesRequest): string {
  const { GIT_CONFIG_NOSYSTEM, GIT_CONFIG_SYSTEM, GIT_CONFIG_GLOBAL, XDG_CONFIG_HOME } = environment.variables
  const places = [environment.home, GIT_CONFIG_NOSYSTEM, GIT_CONFIG_SYSTEM, GIT_CONFIG_GLOBAL, XDG_CONFIG_HOME]
  return JSON.stringify([include, exclude, gitdir, ...places])
}

async function readRules(
  platform: Platform,
  request: RulesRequest,
  onIndex?: (index: IndexFile | undefined) => void,
): Promise<CaptureRules> {
  const { hasher, environment, clock } = platform
  const { worktree, include, exclude, gitdir } = request
  // What a stamp saves from being loaded: a library is below these.
  const [{ ignoreRules }, { ignoreSources }] = await Promise.all([
    import("./ignore-rules.js"),
    import("./ignore-sources.js"),
  ])
  // Its names and files are those of the work tree: what changes there is no change of the rules.
  const ignoreCase = await foldsLetterCase(platform.fileSystem, worktree)
  const { fileSystem, stamp } = watchedReads(platform.fileSystem, () => clock.nowMs())
  const repository = await findOwnRepository(fileSystem, worktree)
  const outside = await ignoreSources({ fs: fileSystem, environment, repository, worktree, ignoreCase })
  const tracked = await trackedPaths(fileSystem, hasher, repository, ignoreCase, onIndex)
  const { sources, prefix, unread } = outside
  const manifest = { include, exclude, ignoreSources: sources, rulesUnread: unread, ignorePrefix: prefix, ignoreCase }
  const isFixed = include.length === 0
  const reads = isFixed ? await stamp() : undefined
  return {
    scope: {
      worktree,
      rules: ignoreRules({ sources, prefix, exclude, ignoreCase }),
      ownRules: ignoreRules({ sources: [], prefix, exclude, ignoreCase }),
      isTracked: (path) => tracked.has(path),
      hasTrackedInside: (folder) => tracked.hasInside(folder),
      isTrackedFolder: (folder) => tracked.hasAll(folder),
      included: isFixed ? undefined : await includedPaths(platform, request),
      gitdir,
    },
    manifest,
    digest: isFixed ? oidAt(await hasher.sha1([utf8(JSON.stringify([manifest, gitdir])), ...tracked.told])) : undefined,
    stamp: reads === undefined ? undefined : `${termsOf(platform, request)}\n${reads}`,
  }
}

async function includedPaths({ lister }: Platform, { worktree, include }: RulesRequest): Promise<IncludedPaths> {
  const { paths, unreadable } = await lister.list(worktree, include)
  const files = new Set(paths)
  const folders = new Set<string>()
  // A folder that cannot be read is entered, so that it is reported.
  for (const path of [...paths, ...unreadable.map((folder) => `${folder}/`)])
    for (let at = parentOf(path as RepoPath); at !== ROOT && !folders.has(at); at = parentOf(at)) folders.add(at)
  return { files, folders }
}
