import type { GitLibrary } from "../core/git-library.js"
import type { Maintainer } from "../core/maintainer.js"
import type { Platform } from "../core/platform.js"
import type { Workspace } from "../core/ref-name.js"
import type { TreeCapture } from "../core/tree-capture.js"
import type { MaintainReport, RestoreReport } from "../snapshot-store.js"
import type { GitdirLayout } from "../store/gitdir.js"
import type { ObjectDatabase } from "../store/object-database.js"
import type { Refs } from "../store/refs.js"
import type { RestoreRecords } from "../store/restore-records.js"
import type { SnapshotLog } from "../store/snapshot-log.js"
import type { WholeSnapshot } from "../store/whole-snapshot.js"
import type { RulesSource } from "../tree/rules-now.js"

/** The parts of an open store that its calls work with. */
export interface StoreContext {
  readonly platform: Platform
  readonly loadGit: () => Promise<GitLibrary>
  /** The real path of the work tree. */
  readonly worktree: string
  readonly workspace: Workspace
  readonly layout: GitdirLayout
  readonly refs: Refs
  readonly objects: ObjectDatabase
  readonly log: SnapshotLog
  readonly restores: RestoreRecords
  readonly treeCapture: TreeCapture
  readonly whole: WholeSnapshot
  /** The rules of its captures, where first ones may take what the user's own repository has hashed. */
  readonly seedRules: RulesSource | undefined
  /** Globs of the only files to capture and restore; none for all. */
  readonly include: readonly string[]
  /** Tells the include globs apart in refs and commits; undefined without any. */
  readonly scope: string | undefined
  /** Told of a restore that was finished or taken back before another one. */
  readonly onRecovered: (report: RestoreReport) => void
  /** Snapshots survive a power cut. */
  readonly durable: boolean
  /** Maintenance makes no deltas of larger objects. */
  readonly largestDelta: number
  /** It moves refs of snapshots into packed-refs when so many are in files of their own; undefined for the usual number. */
  readonly refsToPack: number | undefined
  /** Runs maintenance beside the calling thread, where there are threads. */
  readonly maintainer: Maintainer<MaintainReport> | undefined
}
