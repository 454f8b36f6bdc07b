import { lossyText } from "../core/bytes.js"
import { toOid, type Oid } from "../core/oid.js"
import { SNAPSHOTS, toRefName, type RefName } from "../core/ref-name.js"
import { folderOf, removeIfThere, writeAtomically } from "./atomic-file.js"
import { withRefs } from "./packed-refs.js"
import { underPackedRefsLock, type RemovalPorts } from "./packed-refs-lock.js"
import { refStore } from "./refs.js"
import { syncUnsynced } from "./unsynced.js"

/**
 * Moves the refs of snapshots from files of their own into packed-refs, where there are many; gives how many. Nothing while
 * another tool holds Git's lock. Only for who holds the maintenance lock: refs of snapshots are written once, so that what
 * a file says is what it will say as long as it is there. `fewest` is how many are many.
 */
export async function packRefs(ports: RemovalPorts, fewest: number = FEWEST): Promise<number> {
  const { fileSystem, layout } = ports
  const loose = await looseSnapshots(ports)
  if (loose.size < fewest) return 0
  // What packed-refs names is on the medium, so what that is has to be, too. Each snapshot that is not left its marker
  // before its ref.
  await syncUnsynced(fileSystem, layout, refStore(fileSystem, layout.gitdir, layout.temporary))
  let packed = 0
  await underPackedRefsLock(ports, async () => {
    const path = `${layout.gitdir}/packed-refs`
    const bytes = (await fileSystem.readFile(path)) ?? new Uint8Array()
    // Half a line would become a whole one.
    if (bytes.length > 0 && bytes.at(-1) !== NEWLINE) return
    await writeAtomically(fileSystem, layout.temporary, path, withRefs(bytes, loose), true)
    const folders = new Set<string>()
    for (const [name, oid] of loose) {
      // One that says something else by now was set by hand.
      const content = await fileSystem.readFile(`${layout.gitdir}/${name}`)
      if (content === undefined || toOid(lossyText(content).trimEnd()) !== oid) continue
      await removeIfThere(fileSystem, `${layout.gitdir}/${name}`)
      folders.add(folderOf(`${layout.gitdir}/${name}`))
      packed++
    }
    for (const folder of folders) await fileSystem.syncFolder(folder)
  })
  return packed
}

async function looseSnapshots({ fileSystem, layout }: RemovalPorts): Promise<Map<RefName, Oid>> {
  const found = new Map<RefName, Oid>()
  const workspaces = (await fileSystem.list(`${layout.gitdir}/${SNAPSHOTS}`.slice(0, -1))) ?? []
  for (const { name: workspace } of workspaces.filter(({ kind }) => kind === "folder"))
    for (const { name, kind } of (await fileSystem.list(`${layout.gitdir}/${SNAPSHOTS}${workspace}`)) ?? []) {
      const ref = toRefName(`${SNAPSHOTS}${workspace}/${name}`)
      if (kind !== "file" || ref === undefined) continue
      const content = await fileSystem.readFile(`${layout.gitdir}/${ref}`)
      const oid = content === undefined ? undefined : toOid(lossyText(content).trimEnd())
      if (oid !== undefined) found.set(ref, oid)
    }
  return found
}

/** Fewer files are no burden. */
const FEWEST = 64
const NEWLINE = 0x0a
