/*
 * A collector as the protocol in docs has it, as simple as can be: it drops whole packs, and copies nothing.
 *
 *   M1 delete refs that are not the newest   M4 read all refs
 *   M2 list the packs                        M5 mark from refs and from the bases of live leases
 *   M3 read the leases, revoke dead ones     M6 unlink packs of M2 that hold nothing marked and carry no live lease's id
 */
import { decodeCommit } from "../../src/core/commit.js"
import { SnapshotError } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { Oid } from "../../src/core/oid.js"
import { decodeTree } from "../../src/core/tree.js"
import { objectDatabase, type ObjectDatabase } from "../../src/store/object-database.js"
import { refStore } from "../../src/store/refs.js"
import { CHECK } from "./store-on.js"

/** How a collection goes about it. */
export interface CollectOptions {
  /** Whose leases count as dead. */
  readonly isDead?: (lease: string) => boolean
  /** Takes no notice of leases at all: wrong, to see whether a test would notice. */
  readonly ignoreLeases?: boolean
}

/** Runs one collection. */
export async function collect(fileSystem: FileSystem, gitdir: string, options: CollectOptions = {}): Promise<void> {
  const refs = refStore(fileSystem, gitdir, `${gitdir}/tmp`)
  const { hasher, deflater } = CHECK
  const objects = objectDatabase({ fileSystem, hasher, deflater, objectsFolder: `${gitdir}/objects` })
  for (const name of (await refs.names("refs/snapshots/")).slice(0, -1)) await refs.removeLoose(name)
  const packs = ((await fileSystem.list(`${gitdir}/objects/pack`)) ?? [])
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".idx"))
  const live =
    options.ignoreLeases === true ? new Map<string, Oid | undefined>() : await liveLeases(fileSystem, gitdir, options)
  try {
    const roots = new Set<Oid>()
    for (const base of live.values()) if (base !== undefined) roots.add(base)
    for (const name of await refs.names("refs/")) {
      const oid = await refs.read(name)
      if (oid !== undefined) roots.add(oid)
    }
    const marked = await reachable(objects, roots)
    for (const index of packs) {
      const name = index.slice(0, -4)
      if ([...live.keys()].some((id) => name.includes(id))) continue
      if (await holdsAny(fileSystem, gitdir, name, marked)) continue
      await unlinkIfThere(fileSystem, `${gitdir}/objects/pack/${name}.idx`)
      await unlinkIfThere(fileSystem, `${gitdir}/objects/pack/${name}.pack`)
    }
  } catch (error) {
    // What cannot be read may be reached: nothing goes.
    if (!(error instanceof SnapshotError)) throw error
  } finally {
    await objects.close()
  }
}

async function liveLeases(
  fileSystem: FileSystem,
  gitdir: string,
  { isDead = () => false }: CollectOptions,
): Promise<Map<string, Oid | undefined>> {
  const live = new Map<string, Oid | undefined>()
  const names = ((await fileSystem.list(`${gitdir}/leases`)) ?? []).map(({ name }) => name)
  for (const id of new Set(names.map((name) => name.slice(0, 32)))) {
    const path = `${gitdir}/leases/${id}`
    if (isDead(id)) {
      await unlinkIfThere(fileSystem, `${path}.ref`)
      await unlinkIfThere(fileSystem, `${path}.json`)
      continue
    }
    const bytes = await fileSystem.readFile(`${path}.json`)
    // Without its terms it has not looked at its base yet, or it is gone.
    const terms = bytes === undefined ? {} : (JSON.parse(new TextDecoder().decode(bytes)) as { base?: { oid: Oid } })
    live.set(id, terms.base?.oid)
  }
  return live
}

async function reachable(objects: ObjectDatabase, roots: ReadonlySet<Oid>): Promise<Set<Oid>> {
  const marked = new Set<Oid>()
  const open = [...roots]
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    if (marked.has(oid)) continue
    const object = await objects.read(oid)
    if (object === undefined) throw new SnapshotError("OBJECT_MISSING", `${oid} is missing.`, { oid })
    marked.add(oid)
    if (object.type === "commit") {
      const { tree, parents } = decodeCommit(object.bytes, oid)
      open.push(tree, ...parents)
    } else if (object.type === "tree") for (const entry of decodeTree(object.bytes, oid)) open.push(entry.oid)
  }
  return marked
}

async function holdsAny(
  fileSystem: FileSystem,
  gitdir: string,
  name: string,
  marked: ReadonlySet<Oid>,
): Promise<boolean> {
  const bytes = (await fileSystem.readFile(`${gitdir}/objects/pack/${name}.idx`)) ?? new Uint8Array(0)
  // The sorted oids follow the header of 8 bytes and the table of 256 counts.
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8 + 255 * 4)
  for (let at = 0; at < count; at++) {
    const oid = Buffer.from(bytes.subarray(1032 + at * 20, 1052 + at * 20)).toString("hex")
    if (marked.has(oid as Oid)) return true
  }
  return false
}

async function unlinkIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.unlink(path)
  } catch (error) {
    if (!(error instanceof SnapshotError && "errno" in error.details && error.details.errno === "ENOENT")) throw error
  }
}
