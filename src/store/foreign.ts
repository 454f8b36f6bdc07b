/*
 * Gitdirs that another tool made and may go on using: what in them counts beside the snapshots.
 *
 * Everything that Git's own collection would keep is a root, and it is read more strictly than Git does: where it is not
 * clear what something names, nothing may be removed.
 * Source: https://git-scm.com/docs/git-gc (NOTES), https://git-scm.com/docs/gitrepository-layout
 */
import { lossyText } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import { lastVariable, readGitConfig } from "../core/git-config.js"
import { entriesOf } from "../core/index-entry.js"
import { readIndexFile } from "../core/index-file.js"
import type { Hasher } from "../core/hasher.js"
import { toOid, type Oid } from "../core/oid.js"
import type { GitdirLayout } from "./gitdir.js"
import { listFollowing } from "./list-following.js"
import type { ObjectDatabase } from "./object-database.js"
import { readRefRoots } from "./roots.js"

/** What the roots are read with. */
export interface ForeignPorts {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly objects: ObjectDatabase
}

/** Whether another tool made the gitdir: its configuration does not have the mark of a store. */
export async function isForeign(fileSystem: FileSystem, layout: GitdirLayout): Promise<boolean> {
  const config = await fileSystem.readFile(`${layout.gitdir}/config`)
  return config === undefined || lastVariable(readGitConfig(lossyText(config)), "treeshot.version") === undefined
}

/** The objects that a gitdir names itself. */
export interface ForeignRoots {
  /** What is there, and all that it reaches has to be there, too. */
  readonly named: readonly Oid[]
  /**
   * Trees of the index's cache and blobs of settled merges. Nothing is lost with what they lack: the files are entries of
   * the index themselves, and Git makes such trees again.
   */
  readonly cached: readonly Oid[]
}

/** Those of a store of ours. */
export const NO_ROOTS: ForeignRoots = { named: [], cached: [] }

/**
 * The objects of any type that the gitdir names itself: in the index (every stage, sparse folders, the cache tree and
 * settled merges; no gitlinks), in HEAD, FETCH_HEAD and the like, in all refs and in all reflogs, and in those of linked
 * work trees. Oids that no object is stored for are left out: reflogs outlive what they name, and an index may hold
 * entries without content. What is there and cannot be understood throws: FORMAT_UNSUPPORTED, REF_INVALID, IO_FAILED.
 */
export async function foreignRoots(ports: ForeignPorts, layout: GitdirLayout): Promise<ForeignRoots> {
  const { fileSystem } = ports
  const named = new Set<Oid>()
  const cached = new Set<Oid>()
  const linked = (await listFollowing(fileSystem, `${layout.gitdir}/worktrees`)).filter(({ kind }) => kind !== "file")
  for (const folder of [layout.gitdir, ...linked.map(({ name }) => `${layout.gitdir}/worktrees/${name}`)]) {
    await indexRoots(ports, folder, named, cached)
    await headRoots(fileSystem, folder, named)
    for (const oid of (await readRefRoots(fileSystem, folder)).oids.values()) named.add(oid)
    await logRoots(fileSystem, `${folder}/logs`, named)
  }
  const there = async (oids: Iterable<Oid>): Promise<Oid[]> => [...(await ports.objects.present(oids))]
  return { named: await there(named), cached: await there(cached) }
}

async function indexRoots(
  { fileSystem, hasher }: ForeignPorts,
  gitdir: string,
  named: Set<Oid>,
  cached: Set<Oid>,
): Promise<void> {
  const index = await readIndexFile(fileSystem, hasher, gitdir)
  if (index === undefined) return
  for (const { mode, oid } of entriesOf(index.columns)) if (mode !== GITLINK) named.add(oid)
  for (const oid of index.extensionOids()) cached.add(oid)
}

/** Files such as HEAD, MERGE_HEAD and FETCH_HEAD, and what a rebase under way will go back to. */
async function headRoots(fileSystem: FileSystem, gitdir: string, named: Set<Oid>): Promise<void> {
  const names = (await listFollowing(fileSystem, gitdir))
    .map(({ name }) => name)
    .filter((name) => /^[A-Z][A-Z_]*$/.test(name))
  for (const name of [...names, ...REBASE_FILES]) {
    const text = await textOf(fileSystem, `${gitdir}/${name}`)
    if (name === "HEAD" && text !== undefined && !REF_CONTENT.test(text)) throw damagedRef(name)
    for (const line of text?.split("\n") ?? []) addOid(line, named)
  }
}

/** A reflog's line begins with the oids before and after. Lines that a power cut left in pieces are passed over, as Git does. */
async function logRoots(fileSystem: FileSystem, folder: string, named: Set<Oid>): Promise<void> {
  for await (const path of filesBelow(fileSystem, folder)) {
    for (const line of (await textOf(fileSystem, path))?.split("\n") ?? []) {
      addOid(line, named)
      addOid(line.slice(41), named)
    }
  }
}

/** Adds the oid that `text` begins with. */
function addOid(text: string, named: Set<Oid>): void {
  const oid = toOid(text.slice(0, 40))
  if (oid !== undefined && !/^[0-9a-f]/.test(text.slice(40))) named.add(oid)
}

async function* filesBelow(fileSystem: FileSystem, folder: string): AsyncGenerator<string> {
  for (const { name, kind } of await listFollowing(fileSystem, folder)) {
    if (kind === "folder") yield* filesBelow(fileSystem, `${folder}/${name}`)
    else yield `${folder}/${name}`
  }
}

async function textOf(fileSystem: FileSystem, path: string): Promise<string | undefined> {
  const bytes = await fileSystem.readFile(path)
  return bytes === undefined ? undefined : lossyText(bytes)
}

function damagedRef(ref: string): SnapshotError {
  return new SnapshotError(
    "REF_INVALID",
    `The ref ${ref} is damaged, so nothing can be removed: it names no object and no other ref. Set it anew with git symbolic-ref.`,
    { ref },
  )
}

const REF_CONTENT = /^(?:ref:\s*\S|[0-9a-f]{40}(?![0-9a-f]))/
const REBASE_FILES = [
  "rebase-merge/autostash",
  "rebase-merge/orig-head",
  "rebase-apply/autostash",
  "rebase-apply/orig-head",
]
const GITLINK = 0o160000
