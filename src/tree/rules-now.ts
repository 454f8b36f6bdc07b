import type { Manifest } from "../core/manifest.js"
import { parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { Platform } from "../core/platform.js"
import { ignoreRules } from "./ignore-rules.js"
import { ignoreSources } from "./ignore-sources.js"
import { foldsLetterCase } from "./letter-case.js"
import { findOwnRepository } from "./own-repository.js"
import type { IncludedPaths, ScanScope } from "./scan.js"
import { trackedPaths } from "./tracked-paths.js"

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
  /** What the manifest says of them. */
  readonly manifest: Pick<
    Manifest,
    "include" | "exclude" | "ignoreSources" | "rulesUnread" | "ignorePrefix" | "ignoreCase"
  >
}

/** A function that gives the rules as they are when it is called: ignore files, configuration and index may change. */
export function rulesNow(platform: Platform, request: RulesRequest): () => Promise<CaptureRules> {
  const { fileSystem, hasher, environment } = platform
  const { worktree, include, exclude, gitdir } = request
  return async () => {
    const ignoreCase = await foldsLetterCase(fileSystem, worktree)
    const repository = await findOwnRepository(fileSystem, worktree)
    const outside = await ignoreSources({ fs: fileSystem, environment, repository, worktree, ignoreCase })
    const tracked = await trackedPaths(fileSystem, hasher, repository, ignoreCase)
    const { sources, prefix, unread } = outside
    return {
      scope: {
        worktree,
        rules: ignoreRules({ sources, prefix, exclude, ignoreCase }),
        ownRules: ignoreRules({ sources: [], prefix, exclude, ignoreCase }),
        isTracked: (path) => tracked.has(path),
        hasTrackedInside: (folder) => tracked.hasInside(folder),
        included: include.length === 0 ? undefined : await includedPaths(platform, request),
        gitdir,
      },
      manifest: { include, exclude, ignoreSources: sources, rulesUnread: unread, ignorePrefix: prefix, ignoreCase },
    }
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
