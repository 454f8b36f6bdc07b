/*
 * What a scan counts with, and what takes what it finds.
 */
import type { FolderHandle } from "../core/file-system.js"
import type { Oid } from "../core/oid.js"
import type { RepoPath } from "../core/path.js"
import type { SkipReason } from "../core/skipped.js"
import type { IgnoreRules } from "./ignore-rules.js"
import type { KnownFile, KnownFolder } from "./known-tree.js"
import type { SeenStat } from "./tree-builder.js"

/** What a scan takes into account. */
export interface ScanScope {
  /** The real path of the work tree. */
  readonly worktree: string
  readonly rules: IgnoreRules
  /** Those of the store's options alone, without any ignore file. */
  readonly ownRules: IgnoreRules
  /** What the user's own repository tracks is taken even where a rule names it. */
  readonly isTracked: (path: RepoPath) => boolean
  readonly hasTrackedInside: (folder: RepoPath) => boolean
  /** A repository inside that is tracked as a whole. */
  readonly isTrackedFolder: (folder: RepoPath) => boolean
  /** With `include`: the only paths to take, and the folders to enter for them. */
  readonly included: IncludedPaths | undefined
  /** The store's own folder inside the work tree, which is left out. */
  readonly gitdir: RepoPath | undefined
}

/** The paths that `include` names. */
export interface IncludedPaths {
  readonly files: ReadonlySet<string>
  readonly folders: ReadonlySet<string>
}

/** What an ignore file says. */
export interface IgnoreFile {
  readonly text: Uint8Array
  readonly oid: Oid
}

/** What takes the files that a scan finds. */
export interface ScanVisitor {
  /** A file or link that did not change: whether it is taken as it was known. Otherwise it is looked at. */
  takeKnownFile(path: RepoPath, known: KnownFile): boolean
  /** Plain files of one folder, together. Gives those that it did not take: they are visited one by one. */
  visitFiles(folder: FolderHandle, paths: readonly RepoPath[]): Promise<readonly RepoPath[]>
  /** A plain file or link. "absent": it is gone or turned into something else. A reason: it is left out. */
  visitFile(folder: FolderHandle, path: RepoPath, kind: "file" | "link"): Promise<"taken" | "absent" | SkipReason>
  /** An ignore file; "absent" or a reason as for files. */
  readIgnoreFile(folder: FolderHandle, path: RepoPath): Promise<IgnoreFile | "absent" | SkipReason>
  /** A folder that was listed, before anything in it, and what it was before that. `isEmpty`: it holds nothing at all. */
  visitFolder(path: RepoPath, before: SeenStat, isEmpty: boolean): void
  /** What a folder is now. */
  look(folder: FolderHandle): Promise<SeenStat>
  /** A folder in which nothing changed: whether it is taken as it was known. Otherwise it is looked into. */
  takeKnown(path: RepoPath, known: KnownFolder): boolean
  /**
   * A folder that holds the names that it is known to hold: whether it is taken as it is known, with all files and links
   * directly in it but those named in `except`, which are visited. Otherwise it is listed. `files`: how many are taken.
   */
  takeKnownList(path: RepoPath, known: KnownFolder, except: ReadonlySet<string>, files: number): boolean
  /** A path that is left out, and not by a rule. */
  leaveOut(path: RepoPath, reason: SkipReason): void
  /** The folder turned out to be somewhere else, or could not be read to its end: nothing of it counts. */
  dropFolder(path: RepoPath): void
}
