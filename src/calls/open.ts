import { utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { GitLibrary } from "../core/git-library.js"
import { DEFAULT_NEW_FILE_LIMIT_BYTES } from "../core/manifest.js"
import type { Maintainer } from "../core/maintainer.js"
import { oidAt } from "../core/oid.js"
import { isInside, type RepoPath } from "../core/path.js"
import type { Platform } from "../core/platform.js"
import { checkPolicy } from "../core/retention.js"
import { parseWorkspace, type Workspace } from "../core/ref-name.js"
import type { MaintainReport, OpenOptions, RestoreReport, SnapshotStore } from "../snapshot-store.js"
import type { CaptureBackend } from "../core/tree-capture.js"
import { writeAtomically } from "../store/atomic-file.js"
import { prepareGitdir, type GitdirLayout } from "../store/gitdir.js"
import { objectDatabase } from "../store/object-database.js"
import { refStore } from "../store/refs.js"
import { restoreRecords } from "../store/restore-records.js"
import { snapshotLog } from "../store/snapshot-log.js"
import { wholeSnapshot } from "../store/whole-snapshot.js"
import { noteRetention } from "../store/retention-note.js"
import { noteWorktreePath } from "../store/worktree-paths.js"
import { findOwnRepository } from "../tree/own-repository.js"
import { rulesSource } from "../tree/rules-now.js"
import { statCache, type StatCache } from "../tree/stat-cache.js"
import { worktreeCapture } from "../tree/worktree-capture.js"
import type { StoreContext } from "./context.js"
import { snapshotStore } from "./snapshot-store.js"

/** Where a store is opened: the ports, and what differs between Node and browsers. */
export interface OpenPlace {
  readonly platform: Platform
  readonly loadGit: () => Promise<GitLibrary>
  /** The folder with one store for each work tree. */
  readonly stores: () => Promise<string>
  /** Where there are threads: runs maintenance in one. */
  readonly maintainer?: Maintainer<MaintainReport>
  /** As StoreContext has it. */
  readonly refsToPack?: number | undefined
  /** Where native git can be run. */
  readonly native?: CaptureBackend
}

/** Checks the options and opens the store that they name. Paths in `options` are absolute. */
export async function openOn(place: OpenPlace, options: OpenOptions): Promise<SnapshotStore> {
  await checkOptions(options)
  const { platform } = place
  const { fileSystem, hasher, deflater, unpacker, clock } = platform
  const worktree = await worktreeOf(platform, options)
  const identity = await identityOf(platform, worktree)
  const gitdir = await realPathOf(platform, options.gitdir ?? `${await place.stores()}/${identity}.git`)
  await refuseOwnGitdir(platform, worktree, gitdir)
  const native = options.backend === "native" ? await nativeOf(place) : undefined
  const layout = await prepareGitdir(fileSystem, gitdir)
  const workspace = options.workspace === undefined ? (identity as Workspace) : parseWorkspace(options.workspace)
  await noteWorktreePath(fileSystem, layout, workspace, worktree)
  if (options.retention !== undefined) await noteRetention(fileSystem, layout, workspace, options.retention)
  const objects = objectDatabase({ fileSystem, hasher, deflater, unpacker, objectsFolder: layout.objects })
  const refs = refStore(fileSystem, layout.gitdir, layout.temporary)
  const include = [...(options.include ?? [])]
  const newFileLimitBytes = options.newFileLimitBytes ?? DEFAULT_NEW_FILE_LIMIT_BYTES
  const rules = rulesSource(platform, {
    worktree,
    include,
    exclude: [...(options.exclude ?? [])],
    gitdir: inside(worktree, gitdir),
  })
  const { contentReader } = platform
  const reader = worktreeCapture({
    fileSystem,
    hasher,
    clock,
    worktree,
    newFileLimitBytes,
    rules,
    // With `include`, other files count each time that one comes or goes.
    statCache:
      include.length > 0 ? undefined : await cacheOf(platform, layout, workspace, [worktree, newFileLimitBytes]),
    ...(contentReader === undefined ? {} : { contentReader }),
  })
  const context: Omit<StoreContext, "onRecovered"> = {
    platform,
    loadGit: place.loadGit,
    worktree,
    workspace,
    layout,
    refs,
    objects,
    log: snapshotLog(refs, objects),
    restores: restoreRecords(fileSystem, layout, workspace),
    whole: wholeSnapshot(fileSystem, layout.packs, () => objects.damaged()),
    treeCapture: native?.capture(reader, layout) ?? reader,
    // Native git stores what it is given, and finds no object that was stored elsewhere.
    seedRules: native === undefined ? rules : undefined,
    include,
    scope: include.length === 0 ? undefined : (await digest(platform, JSON.stringify(include.toSorted()))).slice(0, 16),
    durable: options.durability !== "process",
    largestDelta: LARGEST_DELTA,
    refsToPack: place.refsToPack,
    maintainer: place.maintainer,
  }
  return snapshotStore(context, options.retention, await recoverIfInterrupted(context))
}

/** On the calling thread, a delta of more bytes would hold up the event loop. */
const LARGEST_DELTA = 1024 * 1024

/** Sees to a restore whose process ended in the middle. One whose process runs is its own business. */
async function recoverIfInterrupted(context: Omit<StoreContext, "onRecovered">): Promise<RestoreReport | undefined> {
  if ((await context.platform.fileSystem.lstat(context.restores.journal)) === undefined) return undefined
  const { recoverUnlessRunning } = await import("./restore.js")
  return recoverUnlessRunning({ ...context, onRecovered: () => {} })
}

async function checkOptions(options: OpenOptions): Promise<void> {
  const refuse = (argument: string, message: string): never => {
    throw new SnapshotError("INVALID_ARGUMENT", message, { argument })
  }
  if (typeof options.worktree !== "string" || options.worktree === "")
    refuse("worktree", "Give the folder to snapshot as worktree.")
  if (options.gitdir !== undefined && (typeof options.gitdir !== "string" || options.gitdir === ""))
    refuse("gitdir", "gitdir is the path of a folder.")
  const { newFileLimitBytes: limit, durability, backend } = options
  if (backend !== undefined && backend !== "pure" && backend !== "native")
    refuse("backend", `backend is "pure" or "native".`)
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0))
    refuse("newFileLimitBytes", "newFileLimitBytes is a whole number of bytes, 0 or more.")
  if (durability !== undefined && durability !== "power" && durability !== "process")
    refuse("durability", `durability is "power" or "process".`)
  if (options.workspace !== undefined) parseWorkspace(options.workspace)
  if (options.retention !== undefined && options.retention !== false) checkPolicy(options.retention)
  for (const argument of ["include", "exclude"] as const) {
    const list: unknown = options[argument]
    if (list !== undefined && !(Array.isArray(list) && list.every((item) => typeof item === "string")))
      refuse(argument, `${argument} is a list of texts.`)
  }
  if (options.include !== undefined) {
    if (options.include.length === 0)
      refuse("include", "An empty include captures nothing. Leave it out to capture everything.")
    // Globs need a library that nothing else does when a store is opened.
    const { pathFilter } = await import("../tree/path-filter.js")
    pathFilter({ globs: options.include })
  }
}

/** The cache of a workspace; `options` are those that change what a capture finds, the rules aside. */
async function cacheOf(
  { fileSystem, hasher, statChecker }: Platform,
  { statCache: folder }: GitdirLayout,
  workspace: Workspace,
  options: readonly unknown[],
): Promise<StatCache | undefined> {
  if (statChecker === undefined) return undefined
  const path = `${folder}/${workspace}`
  // Threads take as long to start as what comes before a capture needs them.
  if (((await fileSystem.lstat(path))?.sizeBytes ?? 0) >= LARGE_CACHE_BYTES) statChecker.prepare()
  const file = {
    read: () => fileSystem.readFile(path),
    write: (bytes: Uint8Array) => writeAtomically(fileSystem, folder, path, bytes, false),
  }
  return statCache(statChecker, hasher, file, JSON.stringify(options))
}

/** Some 25,000 paths. Of fewer, most are compared by the time that a thread is there, and opening takes longer with one. */
const LARGE_CACHE_BYTES = 2 * 1024 * 1024

async function nativeOf({ native }: OpenPlace): Promise<CaptureBackend> {
  if (native === undefined)
    throw new SnapshotError(
      "UNSUPPORTED",
      "Native git works on the system's own files only, with Node. Leave backend out to use the pure one.",
      { capability: "backend native" },
    )
  await native.check()
  return native
}

async function worktreeOf({ fileSystem, environment }: Platform, options: OpenOptions): Promise<string> {
  const worktree = await fileSystem.realPath(options.worktree)
  const missing = (why: string, cause?: unknown): SnapshotError =>
    new SnapshotError(
      "WORKTREE_MISSING",
      `${options.worktree} ${why}. Give an existing folder.`,
      { path: options.worktree },
      cause,
    )
  if (worktree === undefined) throw missing("does not exist")
  if ((await fileSystem.lstat(worktree))?.kind !== "folder") throw missing("is no folder")
  try {
    await fileSystem.list(worktree)
  } catch (cause) {
    throw missing("cannot be read", cause)
  }
  const home = environment.home === undefined ? undefined : await fileSystem.realPath(environment.home)
  const isRoot = worktree === "/" || worktree === home || /^[A-Za-z]:[\\/]?$/.test(worktree)
  if (isRoot && options.allowAnyRoot !== true)
    throw new SnapshotError(
      "ROOT_REFUSED",
      `${worktree} holds far more than a project. Open a folder in it, or pass allowAnyRoot if you mean it.`,
      { path: worktree },
    )
  return worktree
}

/** A name for the work tree on this machine: its folder's name, for people, and a digest of host and path. */
async function identityOf(platform: Platform, worktree: string): Promise<string> {
  const name = worktree.slice(worktree.lastIndexOf("/") + 1).toLowerCase()
  const slug = name
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40)
  const { host = "" } = await platform.owner.current()
  const told = (await digest(platform, `${host}\0${worktree}`)).slice(0, 16)
  return slug === "" ? told : `${slug}-${told}`
}

async function digest({ hasher }: Platform, text: string): Promise<string> {
  return oidAt(await hasher.sha1([utf8(text)]))
}

/** The real path of a folder that may not be there yet: that of the nearest folder above it that is. */
async function realPathOf({ fileSystem }: Platform, path: string): Promise<string> {
  const real = await fileSystem.realPath(path)
  const cut = path.replace(/\/+$/, "").lastIndexOf("/")
  if (real !== undefined || cut < 0) return real ?? path
  const above = await realPathOf({ fileSystem } as Platform, path.slice(0, cut) || "/")
  return `${above === "/" ? "" : above}/${path.replace(/\/+$/, "").slice(cut + 1)}`
}

async function refuseOwnGitdir(platform: Platform, worktree: string, gitdir: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new SnapshotError(
      "GITDIR_INVALID",
      `${gitdir} cannot be the store: ${why}. Give another folder, or none to use the default.`,
      { path: gitdir },
    )
  }
  if (isInside(worktree, gitdir)) refuse("the work tree lies in it")
  const own = await findOwnRepository(platform.fileSystem, worktree)
  if (own !== undefined && [own.gitdir, own.commonDir].some((folder) => isInside(gitdir, folder)))
    refuse("it belongs to the repository that you work in")
  if (gitdir.endsWith("/.git")) refuse("it is the .git folder of a repository")
}

function inside(worktree: string, gitdir: string): RepoPath | undefined {
  return isInside(gitdir, worktree) ? (gitdir.slice(worktree.length + 1) as RepoPath) : undefined
}
