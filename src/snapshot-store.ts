/*
 * The public contract: every type that a caller meets, and nothing else.
 */
import type { FileSystemClient } from "./core/file-system-client.js"
import type { Change, FileDiff, FileVersion } from "./core/change.js"
import type { Mode } from "./core/tree.js"
import type { OnProgress, Progress } from "./core/progress.js"
import type { Keep, KeepReason, Outcome, PlannedChange } from "./core/restore.js"
import type { KeptReason, RetentionPolicy } from "./core/retention.js"
import type { Skipped, SkipReason } from "./core/skipped.js"

export type { Change, FileDiff, FileSystemClient, FileVersion, Keep, KeepReason, Mode, OnProgress, Outcome }
export type { PlannedChange, Progress, KeptReason, RetentionPolicy, Skipped, SkipReason }

/**
 * Names a snapshot: its id, a unique prefix of it (4 hex digits or more), the name of its ref, "latest", or
 * "latest~N" (the captures of this workspace, newest first). Most calls take the oid of a tree, too.
 */
export type Rev = string

/** How to open a store. */
export interface OpenOptions {
  /** The folder to snapshot. */
  readonly worktree: string
  /** The folder of the store; made with mode 0700 when it is not there. Default: one store for each work tree in the user's data folder. */
  readonly gitdir?: string
  /** Names the work tree inside the store: 1 to 64 of a-z, 0-9 and "-". Several may share a store. Default: from the machine and the work tree's real path. */
  readonly workspace?: string
  /** The file system: node:fs by default; in browsers it has to be given. */
  readonly fs?: FileSystemClient
  /** What stores and builds the trees of captures: this library alone (default), or native git, on Node. */
  readonly backend?: "pure" | "native"
  /** New files above this many bytes are skipped and reported. Default: 2 MiB. */
  readonly newFileLimitBytes?: number
  /** Globs; when given, only matching files are captured and restored. */
  readonly include?: readonly string[]
  /** Patterns in the form of .gitignore, on top of the ignore files. */
  readonly exclude?: readonly string[]
  /** What a snapshot that was returned survives: a power cut (default), or the end of this process only. */
  readonly durability?: "power" | "process"
  /**
   * What automatic maintenance keeps; `false` switches it off. It is noted in the store: whoever opens it without this
   * option lets nothing go that was asked for here, and nothing at all after `false`. Default, where nobody asked for
   * anything: everything of the last 7 days, one a day for 30 days, and the newest 20 at least.
   */
  readonly retention?: RetentionPolicy | false
  /** Takes "/", the home folder or the root of a drive as a work tree, which are refused otherwise. */
  readonly allowAnyRoot?: boolean
}

/** A snapshot: a commit under refs/snapshots/. */
export interface Snapshot {
  /** The commit's oid. */
  readonly id: string
  /** The oid of its tree, which is the work tree as it was. */
  readonly tree: string
  readonly ref: string
  readonly label?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAt: Date
  /** `safety`: taken by a restore before it touched anything. */
  readonly kind: "capture" | "safety"
  /** Nothing was skipped. */
  readonly complete: boolean
  /** Retention never lets it go. */
  readonly pinned: boolean
  /** The id of the snapshot that was the newest of the workspace before. */
  readonly previous?: string
}

/** What to capture with a snapshot, and when to give up. */
export interface CaptureOptions {
  /** A line for people; at most 4,096 characters. */
  readonly label?: string
  /** For programs; at most 64 KiB in all. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Aborting rejects with the signal's reason and leaves no snapshot. */
  readonly signal?: AbortSignal
  readonly onProgress?: OnProgress
}

/** What a capture gave. */
export interface CaptureResult {
  readonly snapshot: Snapshot
  /** False when nothing changed since the newest snapshot and there was nothing to note: that one is given again. */
  readonly changed: boolean
  /** What is not in the snapshot, and why. Ignored files are not listed. */
  readonly skipped: readonly Skipped[]
  readonly stats: CaptureStats
}

/** What a capture did. */
export interface CaptureStats {
  readonly filesScanned: number
  readonly filesRead: number
  readonly bytesRead: number
  readonly objectsWritten: number
  readonly bytesWritten: number
  readonly durationMs: number
  /** Of a first capture: why what the work tree's own repository has hashed could not be used, for people. */
  readonly seedProblem?: string
}

/** Which snapshots to list. */
export interface ListOptions {
  /** Default: "capture". */
  readonly kind?: "capture" | "safety" | "all"
  readonly limit?: number
  readonly since?: Date
  readonly until?: Date
  /** Only snapshots with all of these. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** Which paths a call is about; all when neither is given. A path counts when either names it. */
export interface Filter {
  /** Literal files or folders, relative to the work tree, with forward slashes. */
  readonly paths?: readonly string[]
  /** Matched against the paths of both sides. */
  readonly globs?: readonly string[]
}

/** How to compare. */
export interface DiffOptions extends Filter {
  /** Lines of context around a change. Default: 3. */
  readonly context?: number
  readonly signal?: AbortSignal
}

/**
 * What to restore: the work tree as it was in `to`; the work tree without what changed from one snapshot to another; the
 * work tree as it was before the last restore or revert; or what was undone last.
 */
export type RestoreTarget =
  | { readonly to: Rev }
  | { readonly revert: { readonly from: Rev; readonly to: Rev } }
  | { readonly undo: true }
  | { readonly redo: true }

/** How to restore. */
export interface RestoreOptions extends Filter {
  /** What happens to files that were added since the snapshot. Default: "remove", when the evidence allows it. */
  readonly added?: "remove" | "keep"
  readonly signal?: AbortSignal
  readonly onProgress?: OnProgress
}

/** How to revert. */
export interface RevertOptions extends RestoreOptions {
  /** Text files that were edited since are merged line by line where that is clean; otherwise they are kept. Default: true. */
  readonly merge?: boolean
}

/** What a restore would do. Plain JSON: it can be shown, stored and applied later. */
export interface RestorePlan {
  readonly target: RestoreTarget
  /** The oid of the tree that new contents come from. */
  readonly tree: string
  /** The tree oid of the work tree that the plan was made for. */
  readonly base: string
  readonly writes: readonly PlannedChange[]
  readonly deletes: readonly PlannedChange[]
  readonly keeps: readonly Keep[]
}

/** How to apply a plan. */
export interface ApplyOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: OnProgress
}

/** What a restore did. Paths that it had no reason to touch are not listed. */
export interface RestoreReport {
  /** The safety snapshot; undefined when there was nothing to do. */
  readonly undo?: Snapshot
  readonly outcomes: readonly Outcome[]
  /** Everything that the plan wanted written and deleted was. */
  readonly complete: boolean
}

/** How much a snapshot changed. */
export interface SnapshotSummary {
  /** Files and links that differ; those of a folder that is new or gone one by one. */
  readonly filesChanged: number
  /** Bytes of the new versions of these files. */
  readonly bytesChanged: number
  /** The id of the snapshot that it is compared with; undefined when there is none before it: all of its files count then. */
  readonly against?: string
}

/** How to prune. */
export interface PruneOptions {
  /**
   * Tells what would go, and removes nothing; with `maxBytes`, of the store as it is packed now: otherwise maintenance comes
   * first, and what it gives back need not go. Trees of another tool that have no ref yet are not told of: only a real run
   * adopts them. Default: false.
   */
  readonly dryRun?: boolean
}

/** A snapshot that prune lets go, and why: no rule keeps it, or `maxBytes` leaves no room for it. */
export interface RemovedSnapshot extends Snapshot {
  readonly reason: "no-rule" | "max-bytes"
}

/** A snapshot that stays, with at least one reason. */
export interface KeptSnapshot extends Snapshot {
  readonly reasons: readonly KeptReason[]
}

/** What went, or would go. The space comes back with the next `maintain`. */
export interface PruneReport {
  /** The snapshots of this workspace that were let go, newest first. */
  readonly removed: readonly RemovedSnapshot[]
  /** Those that stay, newest first. */
  readonly kept: readonly KeptSnapshot[]
  /** The oids of the adopted trees that were let go: trees that have a ref of their own and no snapshot. */
  readonly adopted: readonly string[]
  /** Bytes that only what went reaches, as it is stored; 0 when something that stays cannot be read: nothing is removed then. */
  readonly bytesFreed: number
  /** By how many bytes the store will still be above `maxBytes`, when what has to stay alone exceeds it. */
  readonly bytesOver?: number
}

/** How to maintain. */
export interface MaintainOptions {
  /**
   * Does all that automatic maintenance does, due or not: first it lets go of what `retention` does not keep. Default:
   * false.
   */
  readonly automatic?: boolean
  /** Aborting rejects with the signal's reason; what was removed by then stays removed, and the store stays whole. */
  readonly signal?: AbortSignal
  readonly onProgress?: OnProgress
}

/** What maintenance did. */
export interface MaintainReport {
  /** Objects that were removed with their pack or by themselves; one that was stored twice counts twice. */
  readonly objectsRemoved: number
  /** Negative when more was written than removed. */
  readonly bytesFreed: number
  readonly packsRemoved: number
  /** Packs that were written in the place of several small ones, or of larger ones with less in them. */
  readonly packsWritten: number
  /** Objects that only another repository had, as an alternate of the store, and that the store has itself now. */
  readonly objectsTakenOver: number
  /** Refs that were moved from files of their own into one file. */
  readonly refsPacked: number
  /** Trees that another tool left in the store without a ref, and that got one now. */
  readonly adopted: number
}

/** How to verify. */
export interface VerifyOptions {
  /** Takes damaged or missing content back from the work tree, alternates and other packs; default: false. */
  readonly repair?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: OnProgress
}

/** Something in the store that is not as it has to be. */
export interface VerifyProblem {
  /** The object; of a ref or a file that cannot be read, its path from the gitdir on. */
  readonly oid: string
  /** `corrupt`: it is there, and is not what it has to be, or the system does not give what is in it. */
  readonly problem: "missing" | "corrupt"
  /**
   * Why it is of no use, where it need not be damaged: the system does not let it be read, or it is too large to be read as
   * a whole, or says that it is.
   */
  readonly reason?: "unreadable" | "too-large"
  /** The file that is damaged, from the gitdir on, where it is known. */
  readonly file?: string
  /**
   * The ids of the snapshots, of any workspace, that it touches, the oldest first; the names of the refs where a commit
   * cannot be read, or where what reaches it is no snapshot. None: no snapshot counts on it, or each has another copy.
   */
  readonly snapshots: readonly string[]
}

/** What a check of the whole store found. */
export interface VerifyReport {
  /** Nothing is wrong, or all that was is repaired, and no snapshot was lost. */
  readonly ok: boolean
  /** Of all workspaces. */
  readonly snapshots: number
  /** How many objects anything in the store counts on; each was read. */
  readonly objects: number
  /**
   * With `repair`, those that are left, and one for each snapshot that could not be saved: its ref is moved, so that the
   * next check does not find it any more.
   */
  readonly problems: readonly VerifyProblem[]
  /** The objects, refs and files that were missing or corrupt and are whole again. */
  readonly repaired: readonly string[]
  /** Where a repair moved damaged files to, relative to the gitdir. Nothing removes them. */
  readonly setAside: readonly string[]
  /**
   * The oids of trees that only snapshots named whose commits are lost. A repair gave them refs, so that they can be
   * compared and restored; retention treats them as adopted trees that were written at the time of the repair.
   */
  readonly adopted: readonly string[]
}

/** What is in the store, in bytes and snapshots. */
export interface StoreStatus {
  readonly worktree: string
  readonly gitdir: string
  readonly workspace: string
  /** Of this workspace. */
  readonly snapshots: { readonly captures: number; readonly safety: number; readonly pinned: number }
  /** Other workspaces in the same store. */
  readonly otherWorkspaces: number
  readonly oldest?: Date
  readonly newest?: Date
  /** Bytes of the files in the gitdir. `shared`: of packs that another repository has, too; they cost nothing and are in none of the others. */
  readonly bytes: {
    readonly total: number
    readonly packs: number
    readonly loose: number
    readonly caches: number
    readonly other: number
    readonly shared: number
  }
  readonly packs: number
  /** Bytes that the next `maintain` would free, as far as can be told without it: deltas, which it may make, save more. */
  readonly reclaimable: number
  /** When maintenance last came to its end. */
  readonly maintainedAt?: Date
  /** What interrupted processes left: files in tmp/, leases of dead processes, a restore that is not finished. */
  readonly leftovers: readonly string[]
}

/** A store in the user's data folder. */
export interface UserStore {
  readonly gitdir: string
  /** `gone`: all that it belongs to; `unknown`: it does not say to which, or it cannot be read. */
  readonly worktree: "there" | "gone" | "unknown"
  /** The work trees that were opened with it, as far as is known. */
  readonly worktrees: readonly { readonly workspace: string; readonly path: string; readonly exists: boolean }[]
  /** Of all workspaces, damaged ones included. */
  readonly snapshots: number
  /** Of its own files: packs that another repository has, too, do not count. */
  readonly bytes: number
  /** When its newest snapshot was taken. */
  readonly newest?: Date
}

/** What `store.on` tells of. */
export interface StoreEvents {
  readonly progress: Progress
  readonly captured: CaptureResult
  readonly restored: RestoreReport
  /** Maintenance came to its end, asked for or automatic. */
  readonly maintained: MaintainReport
  /** A restore that a killed process left was finished or taken back before another one. */
  readonly recovered: RestoreReport
}

/** The snapshots of one work tree. Calls may overlap. */
export interface SnapshotStore extends AsyncDisposable {
  /** The real path of the work tree. */
  readonly worktree: string
  readonly gitdir: string
  readonly workspace: string
  /**
   * What became of a restore that a killed process left, when opening found one: `complete` tells whether it was finished;
   * otherwise it was taken back, or some of its paths are kept.
   */
  readonly recovered?: RestoreReport
  /** Makes a snapshot of the work tree as it is. */
  capture(options?: CaptureOptions): Promise<CaptureResult>
  /** The snapshots of this workspace, newest first. */
  list(options?: ListOptions): Promise<Snapshot[]>
  /** The snapshot that `rev` names: NOT_FOUND, AMBIGUOUS; the oid of a tree: NOT_A_SNAPSHOT. */
  resolve(rev: Rev): Promise<Snapshot>
  /**
   * How much a snapshot changed against the one that was the newest before it; when that is gone, against the newest of
   * the workspace that is older. The oid of a tree: NOT_A_SNAPSHOT.
   */
  summary(rev: Rev): Promise<SnapshotSummary>
  /** The files that differ, sorted by path; `to` is the work tree unless given. */
  changes(from: Rev, to?: Rev | "worktree", options?: Filter): Promise<Change[]>
  /** The files that differ, with line counts and patches for people. */
  diff(from: Rev, to?: Rev | "worktree", options?: DiffOptions): Promise<FileDiff[]>
  /** One patch of all that differs, byte for byte as `git apply` takes it. */
  patch(from: Rev, to?: Rev | "worktree", options?: DiffOptions): Promise<Uint8Array>
  /** The content of a file in a snapshot, the text of a link; undefined when it is not there; a folder: IS_FOLDER. */
  readFile(rev: Rev, path: string): Promise<Uint8Array | undefined>
  /** What a restore would do. Touches nothing. */
  plan(target: RestoreTarget, options?: RevertOptions): Promise<RestorePlan>
  /** Does what `plan` says, and keeps every path that is no longer what the plan saw. */
  apply(plan: RestorePlan, options?: ApplyOptions): Promise<RestoreReport>
  /** Makes the work tree what it was in `rev`: plan and apply in one. */
  restore(rev: Rev, options?: RestoreOptions): Promise<RestoreReport>
  /**
   * Takes back what changed from one snapshot to another, and only that. What was edited since is merged where that is
   * clean, and otherwise kept, as a conflict with the oids of both versions.
   */
  revert(from: Rev, to: Rev, options?: RevertOptions): Promise<RestoreReport>
  /** Takes back the last restore or revert that was not taken back; again: the one before. NOTHING_TO_UNDO. */
  undo(options?: ApplyOptions): Promise<RestoreReport>
  /** Does again what was undone last, until a capture finds other changes. NOTHING_TO_UNDO. */
  redo(options?: ApplyOptions): Promise<RestoreReport>
  /**
   * Lets snapshots of this workspace go, safety snapshots included, by `policy`: LOCK_HELD while another process
   * removes things from this store. Adopted trees older than `keepWithinMs` go too, when that rule is given. With
   * `maxBytes`, refs that cannot be read: REF_INVALID.
   */
  prune(policy: RetentionPolicy, options?: PruneOptions): Promise<PruneReport>
  /**
   * Pins a snapshot of this workspace, so that retention never lets it go; `pinned: false` takes that back. Done already is
   * fine. Waits for a prune that runs: LOCK_HELD after ten seconds.
   */
  pin(rev: Rev, pinned?: boolean): Promise<void>
  /**
   * Lets one snapshot of this workspace go, pinned or not; the newest one, too. One that an unfinished restore needs:
   * RESTORE_PENDING. What nothing else in the store counts on is gone with the next `maintain`.
   */
  forget(rev: Rev): Promise<void>
  /**
   * Checks every object that a snapshot of any workspace counts on against its oid, every pack against its checksums, and
   * every ref. Takes no lock, and runs beside everything else; with `repair`, what is wrong is repaired under the lock of
   * maintenance: LOCK_HELD.
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /** What is in the store. Takes no lock and changes nothing. */
  status(): Promise<StoreStatus>
  /**
   * Removes what no snapshot of any workspace, and nothing else in the store, counts on any more; puts small packs
   * together, with deltas where objects differ little; moves refs of snapshots into one file. Safe beside captures and
   * everything else; one run at a time: LOCK_HELD.
   */
  maintain(options?: MaintainOptions): Promise<MaintainReport>
  /**
   * Whether enough has come together for automatic maintenance: for those that switched it off, or whose process ends with
   * each capture. They call `maintain`, with `automatic` or without.
   */
  maintenanceDue(): Promise<boolean>
  /**
   * Calls `listener` on each event until the function that it returns is called. What a listener throws is dropped: it
   * cannot make a call fail that has done its work.
   */
  on<Name extends keyof StoreEvents>(name: Name, listener: (event: StoreEvents[Name]) => void): () => void
  /** Waits for running calls; later calls reject with CLOSED. May be called more than once. */
  close(): Promise<void>
}
