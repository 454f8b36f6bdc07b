/*
 * The folder of a store: a gitdir in the shape of a bare repository, with a configuration of its own.
 *
 *   HEAD, config, objects/, refs/   as Git knows them; refs/adopted/ for trees without a snapshot
 *   damaged/                        what a repair set aside; nothing removes it
 *   leases/                         of running captures
 *   let-go                          adopted trees that retention let go
 *   maintained                      when maintenance last came to its end
 *   locks/                          of running maintenance and restores
 *   retention.json                  what automatic maintenance keeps of each workspace
 *   restores/                       what each workspace's restores did, and what a running one is about to do
 *   tmp/                            files that are not in place yet; outside of refs/ and objects/, where Git would see them
 *   stat-cache/                     what the last capture of each workspace found; it may be deleted at any time
 *   unsynced/                       markers of snapshots that were published without syncing
 *   worktrees.json                  the work trees that the workspaces belong to
 *
 * Source: https://git-scm.com/docs/gitrepository-layout
 */
import { lossyText, utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { isGitConfig, lastVariable, readGitConfig } from "../core/git-config.js"
import { SNAPSHOTS } from "../core/ref-name.js"
import { makeFolders, writeAtomically } from "./atomic-file.js"
import { isUnreadable } from "./unreadable.js"

/** Where things are in a gitdir. */
export interface GitdirLayout {
  readonly gitdir: string
  readonly objects: string
  readonly packs: string
  readonly leases: string
  readonly locks: string
  readonly temporary: string
  readonly unsynced: string
  readonly statCache: string
  readonly restores: string
  readonly maintained: string
  readonly damaged: string
}

/** The layout of the gitdir at `gitdir`. */
export function layoutOf(gitdir: string): GitdirLayout {
  return {
    gitdir,
    objects: `${gitdir}/objects`,
    packs: `${gitdir}/objects/pack`,
    leases: `${gitdir}/leases`,
    locks: `${gitdir}/locks`,
    temporary: `${gitdir}/tmp`,
    unsynced: `${gitdir}/unsynced`,
    statCache: `${gitdir}/stat-cache`,
    restores: `${gitdir}/restores`,
    maintained: `${gitdir}/maintained`,
    damaged: `${gitdir}/damaged`,
  }
}

/**
 * Makes the store at `gitdir` when it is not there, and checks it when it is. A gitdir that another tool made is taken
 * as it is, and only gains the folders that captures need. What is no gitdir: GITDIR_INVALID; a gitdir that only a
 * later version, or no version, can read: FORMAT_UNSUPPORTED.
 */
export async function prepareGitdir(fileSystem: FileSystem, gitdir: string): Promise<GitdirLayout> {
  const layout = layoutOf(gitdir)
  const stat = await fileSystem.lstat(gitdir)
  if (stat !== undefined && stat.kind !== "folder") throw invalid(gitdir, "it is a file")
  if (stat === undefined) await makeFolders(fileSystem, gitdir, true, 0o700)
  const names = new Set((await fileSystem.list(gitdir))?.map((item) => item.name))
  const config = await fileSystem.readFile(`${gitdir}/config`)
  if (config !== undefined && names.has("HEAD") && names.has("objects")) checkConfig(gitdir, lossyText(config))
  else if ([...names].every((name) => OWN_NAMES.has(name))) await makeGitdir(fileSystem, layout)
  else throw invalid(gitdir, "it holds files and is no Git folder")
  for (const folder of [
    layout.packs,
    `${gitdir}/refs`,
    layout.leases,
    layout.locks,
    layout.temporary,
    layout.unsynced,
    layout.statCache,
  ])
    await makeFolders(fileSystem, folder, true)
  return layout
}

const STORE_VERSION = 1

const OWN_NAMES: ReadonlySet<string> = new Set([
  "HEAD",
  "config",
  "objects",
  "refs",
  "leases",
  "locks",
  "tmp",
  "unsynced",
  "stat-cache",
  "restores",
  "maintained",
  "retention.json",
  "worktrees.json",
  "damaged",
  "let-go",
  "packed-refs",
])

const HEAD = "ref: refs/heads/main\n"

const CONFIG = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	logAllRefUpdates = false
[gc]
	auto = 0
[treeshot]
	version = ${STORE_VERSION}
`

/** The files by which a store is known. */
export type StoreFile = "HEAD" | "config"

/**
 * Those of the store's own files that are damaged: a HEAD that Git would not take, or what is left of a configuration, in
 * a folder that holds snapshots and nothing but what is in a store. A configuration that makes sense and does not have our
 * mark is another tool's.
 */
export async function damagedStoreFiles(fileSystem: FileSystem, layout: GitdirLayout): Promise<StoreFile[]> {
  const damaged: StoreFile[] = []
  const head = await readIfReadable(fileSystem, `${layout.gitdir}/HEAD`)
  if (head === undefined || !HEAD_CONTENT.test(head)) damaged.push("HEAD")
  const config = await readIfReadable(fileSystem, `${layout.gitdir}/config`)
  if (isDamagedConfig(config) && (await holdsOwnOnly(fileSystem, layout)) && (await hasSnapshots(fileSystem, layout)))
    damaged.push("config")
  return damaged
}

/** Writes one of the store's own files anew, durably. */
export async function writeStoreFile(fileSystem: FileSystem, layout: GitdirLayout, name: StoreFile): Promise<void> {
  const content = name === "HEAD" ? HEAD : CONFIG
  await writeAtomically(fileSystem, layout.temporary, `${layout.gitdir}/${name}`, utf8(content), true)
}

/**
 * Whether a text, undefined for one that cannot be read, is what damage makes of a configuration: nothing, what Git does
 * not take, or our own one cut or with some of its bytes changed. Git's own for a bare repository, with which ours begins,
 * is none.
 */
function isDamagedConfig(text: string | undefined): boolean {
  if (text === undefined || text.trim() === "") return true
  if (lastVariable(readGitConfig(text), "treeshot.version") !== undefined) return false
  if (!isGitConfig(text)) return true
  if (text.length < CONFIG.length)
    return CONFIG.startsWith(text) && (text.length > OF_GIT_TOO.length || !text.endsWith("\n"))
  const changed = [...CONFIG].filter((letter, at) => text[at] !== letter).length
  return text.length === CONFIG.length && changed <= MOST_CHANGED
}

/** What Git writes for a bare repository, too. */
const OF_GIT_TOO = CONFIG.slice(0, CONFIG.indexOf("\tlogAllRefUpdates"))
/** Another tool's that happens to be as long differs in more. */
const MOST_CHANGED = 8

async function readIfReadable(fileSystem: FileSystem, path: string): Promise<string | undefined> {
  try {
    const bytes = await fileSystem.readFile(path)
    return bytes && lossyText(bytes)
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

async function holdsOwnOnly(fileSystem: FileSystem, { gitdir, objects }: GitdirLayout): Promise<boolean> {
  const names = (await fileSystem.list(gitdir)) ?? []
  const folders = (await fileSystem.list(objects)) ?? []
  return names.every(({ name }) => OWN_NAMES.has(name)) && folders.every(({ name }) => !/^[0-9a-f]{2}$/.test(name))
}

async function hasSnapshots(fileSystem: FileSystem, { gitdir }: GitdirLayout): Promise<boolean> {
  const loose = await fileSystem.list(`${gitdir}/${SNAPSHOTS.slice(0, -1)}`).catch(() => undefined)
  if (loose !== undefined && loose.length > 0) return true
  return (await readIfReadable(fileSystem, `${gitdir}/packed-refs`))?.includes(` ${SNAPSHOTS}`) ?? false
}

const HEAD_CONTENT = /^(?:ref:\s*refs\/|[0-9a-f]{40}(?![0-9a-f]))/

/** The configuration comes last: until it is there, the next one to open the folder goes on making it. */
async function makeGitdir(fileSystem: FileSystem, layout: GitdirLayout): Promise<void> {
  for (const folder of [layout.packs, `${layout.gitdir}/refs`, layout.temporary])
    await makeFolders(fileSystem, folder, true)
  await writeStoreFile(fileSystem, layout, "HEAD")
  await writeStoreFile(fileSystem, layout, "config")
}

function checkConfig(gitdir: string, text: string): void {
  const variables = readGitConfig(text)
  const valueOf = (key: string): string | undefined => lastVariable(variables, key)?.value
  const unsupported = (format: string): SnapshotError =>
    new SnapshotError(
      "FORMAT_UNSUPPORTED",
      `The store at ${gitdir} has ${format}, which this version cannot read. Give another gitdir, or use a later version of treeshot.`,
      { path: gitdir, format },
    )
  const version = valueOf("treeshot.version")
  if (version !== undefined && version !== String(STORE_VERSION)) throw unsupported(`treeshot version ${version}`)
  const hash = valueOf("extensions.objectformat")
  if (hash !== undefined && hash.toLowerCase() !== "sha1") throw unsupported(`${hash} object names`)
  const refs = valueOf("extensions.refstorage")
  if (refs !== undefined && refs.toLowerCase() !== "files") throw unsupported(`refs stored as ${refs}`)
}

function invalid(gitdir: string, why: string): SnapshotError {
  return new SnapshotError(
    "GITDIR_INVALID",
    `${gitdir} cannot be a store: ${why}. Give an empty folder, one that does not exist yet, or an existing store.`,
    { path: gitdir },
  )
}
