import type { Oid } from "../core/oid.js"
import { writeAtomically } from "./atomic-file.js"
import { auditPack, isSound, type PackState } from "./audit-pack.js"
import { listCandidates } from "./candidates.js"
import type { DamagedLoose } from "./check-store.js"
import type { GitdirLayout } from "./gitdir.js"
import { carriesLease, type LiveLeases } from "./live-leases.js"
import { looseSize } from "./loose-object.js"
import { PackRemains } from "./pack-remains.js"
import { Removal } from "./removal.js"
import { salvagePack } from "./salvage-pack.js"
import { keepAside, setAside } from "./set-aside.js"
import type { ObjectPorts } from "./stored-object.js"
import { isUnreadable } from "./unreadable.js"

/** What files are mended with. */
export interface RepairPorts extends ObjectPorts {
  readonly layout: GitdirLayout
  readonly signal?: AbortSignal | undefined
}

/**
 * Sets damaged packs and loose objects aside, once all that is sound in them is stored anew; gives the paths by which they
 * are there, and how many packs got a new index instead. What the system does not read stays where it is: it may be read
 * again. Only for who holds the maintenance lock.
 *
 * `packs` were found before `leases` were read: packs of live ones are still being written, and the others by nobody any
 * more, so that what they are is looked at once more.
 */
export async function repairFiles(
  ports: RepairPorts,
  leases: LiveLeases,
  packs: readonly PackState[],
  loose: readonly DamagedLoose[],
): Promise<{ readonly setAside: readonly string[]; readonly indexes: number }> {
  const { fileSystem, layout, signal } = ports
  const moved: string[] = []
  const remains = new PackRemains(ports)
  let indexes = 0
  try {
    for (const { path } of packs) {
      if (carriesLease(leases, path.slice(layout.packs.length))) continue
      const state = await auditPack(ports, path, signal)
      if (state === undefined || isSound(state) || state.pack === "unreadable") continue
      try {
        if (await putIndex(ports, state, remains, moved)) indexes++
        else await replacePack(ports, state, remains, moved)
      } catch (error) {
        if (!isUnreadable(error)) throw error
      }
    }
  } finally {
    await remains.close()
  }
  for (const { oid, path, state } of loose) {
    if (state === "trailed") await push(moved, cutLoose(ports, path, oid))
    if (state !== "corrupt") continue
    await new Removal(fileSystem, layout, []).derived()
    await push(moved, setAside(fileSystem, layout, path))
  }
  return { setAside: moved, indexes }
}

/** Gives a pack that is whole the index that it has lost; false for any other. */
async function putIndex(ports: RepairPorts, state: PackState, remains: PackRemains, moved: string[]): Promise<boolean> {
  const { fileSystem, layout, signal } = ports
  const bytes = await remains.newIndex(state, signal)
  if (bytes === undefined) return false
  const path = `${state.path}.idx`
  // At every moment one of the two is there: maintenance removes packs that have none.
  const old = await fileSystem.readFile(path).catch(() => undefined)
  if (old !== undefined) moved.push(await keepAside(fileSystem, layout, path, old))
  else if ((await fileSystem.lstat(path))?.kind === "folder") await push(moved, setAside(fileSystem, layout, path))
  await writeAtomically(fileSystem, layout.temporary, path, bytes, true)
  return true
}

async function replacePack(ports: RepairPorts, state: PackState, remains: PackRemains, moved: string[]): Promise<void> {
  const { fileSystem, layout, signal } = ports
  const pack = await remains.open(state, signal)
  if (pack !== undefined) await salvagePack(ports, layout, state.path, pack, signal)
  const name = state.path.slice(layout.packs.length + 1)
  const candidate = (await listCandidates(fileSystem, layout)).packs.find((each) => each.name === name)
  // The index first: without it the pack is nothing to a reader.
  const beside = [...(candidate?.extensions ?? [])].filter((extension) => extension !== ".idx" && extension !== ".pack")
  await new Removal(fileSystem, layout, []).derived()
  for (const extension of [".idx", ...beside, ".pack"])
    await push(moved, setAside(fileSystem, layout, `${state.path}${extension}`))
}

/** Writes a loose object anew without what stands behind its end; gives where the file as it was is kept. */
async function cutLoose(ports: RepairPorts, path: string, oid: Oid): Promise<string | undefined> {
  const { fileSystem, layout } = ports
  const size = await looseSize(ports, path, oid)
  const bytes = await fileSystem.readFile(path)
  if (size === undefined || bytes === undefined) return undefined
  const place = await keepAside(fileSystem, layout, path, bytes)
  await writeAtomically(fileSystem, layout.temporary, path, bytes.subarray(0, size.objectBytes), true)
  return place
}

async function push(moved: string[], moving: Promise<string | undefined>): Promise<void> {
  const place = await moving
  if (place !== undefined) moved.push(place)
}
