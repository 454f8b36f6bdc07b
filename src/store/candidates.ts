/*
 * What maintenance may remove: the files of the store as they were before the leases and refs were read. What came later
 * is not looked at.
 */
import type { FileSystem } from "../core/file-system.js"
import { toOid, type Oid } from "../core/oid.js"
import type { GitdirLayout } from "./gitdir.js"
import { listFollowing } from "./list-following.js"
import { isMarker } from "./unsynced.js"

/** Files that go when nothing counts on them. */
export interface Candidates {
  readonly packs: readonly CandidatePack[]
  readonly loose: readonly LooseCandidate[]
  /** Names in the folder for files that are not in place yet. */
  readonly temporary: readonly string[]
  /** The leases whose captures left a marker of an unsynced snapshot. */
  readonly unsynced: readonly string[]
  /** Files that Git, or a process that wrote its stat cache, did not finish, with their paths. */
  readonly unfinished: readonly string[]
}

/** A pack with the files beside it. */
export interface CandidatePack {
  /** Without extension. */
  readonly name: string
  /** With the dot: `.pack`, `.idx`, and what Git puts beside them. */
  readonly extensions: ReadonlySet<string>
}

/** A loose object. */
export interface LooseCandidate {
  readonly oid: Oid
  readonly path: string
}

/** Lists the candidates of a store. Alternates are none of it. */
export async function listCandidates(fileSystem: FileSystem, layout: GitdirLayout): Promise<Candidates> {
  const packs = new Map<string, Set<string>>()
  const loose: LooseCandidate[] = []
  const unfinished: string[] = []
  for (const { name, kind } of await listFollowing(fileSystem, layout.packs)) {
    const match = PACK_FILE.exec(name)
    if (match !== null) {
      const [stem, extension] = [match[1] as string, match[2] as string]
      packs.set(stem, (packs.get(stem) ?? new Set()).add(extension))
    } else if (kind === "file" && UNFINISHED.test(name)) unfinished.push(`${layout.packs}/${name}`)
  }
  for (const { name, kind } of await listFollowing(fileSystem, layout.objects)) {
    if (kind === "file" && UNFINISHED.test(name)) unfinished.push(`${layout.objects}/${name}`)
    if (!/^[0-9a-f]{2}$/.test(name) || kind === "file") continue
    for (const item of await listFollowing(fileSystem, `${layout.objects}/${name}`)) {
      const path = `${layout.objects}/${name}/${item.name}`
      const oid = toOid(name + item.name)
      if (oid !== undefined) loose.push({ oid, path })
      else if (item.kind === "file" && UNFINISHED.test(item.name)) unfinished.push(path)
    }
  }
  for (const { name, kind } of (await fileSystem.list(layout.statCache)) ?? [])
    if (kind === "file" && UNFINISHED_CACHE.test(name)) unfinished.push(`${layout.statCache}/${name}`)
  return {
    packs: Array.from(packs, ([name, extensions]) => ({ name, extensions })),
    loose,
    temporary: ((await fileSystem.list(layout.temporary)) ?? []).map(({ name }) => name),
    unsynced: ((await fileSystem.list(layout.unsynced)) ?? []).filter(isMarker).map(({ name }) => name),
    unfinished,
  }
}

/** The lease whose capture writes the file or folder in `tmp/` that is called so; undefined for what belongs to none. */
export function leaseOfTemporary(name: string): string | undefined {
  return /^pack-([0-9a-f]{32})[0-9a-f]{8}\./.exec(name)?.[1]
}

/** Source: https://git-scm.com/docs/gitrepository-layout, https://git-scm.com/docs/git-pack-objects, https://git-scm.com/docs/git-index-pack */
export const PACK_FILE: RegExp = /^(pack-.+)(\.(?:pack|idx|rev|bitmap|mtimes|promisor|keep))$/
/** A cache that is called so, as its workspace is, is of no use after a day, either. */
const UNFINISHED_CACHE = /^[0-9a-f]{32}$/
/** What Git calls files until they are whole. */
const UNFINISHED = /^tmp_(?:pack|idx|rev|mtimes|bitmap|obj)_/
