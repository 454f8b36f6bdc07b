import pLimit from "p-limit"
import { errnoOf, isSnapshotError } from "../core/errors.js"
import { fileMs, type FileSystem } from "../core/file-system.js"
import type { GitObject } from "../core/object.js"
import { toOid, type Oid } from "../core/oid.js"
import { settleAll } from "../core/settle-all.js"
import { DeltaBases } from "./delta-bases.js"
import type { GitdirLayout } from "./gitdir.js"
import { listFollowing } from "./list-following.js"
import { loosePath, looseType, readLoose } from "./loose-object.js"
import { OpenFiles } from "./open-files.js"
import type { PackPorts } from "./pack-entries.js"
import { openPackFile } from "./pack-file.js"
import { packNodes } from "./pack-nodes.js"
import type { ObjectPorts } from "./stored-object.js"

/** Is told of an object that names others; `packMs` is the time of its pack's file, undefined for a loose object. */
export type OnNode = (oid: Oid, object: GitObject, packMs: number | undefined) => void

/**
 * Reads every tree, commit and tag of a gitdir's own objects folder, loose and packed, whether anything names it or not;
 * of blobs no more than their type. Alternates are left out. An object may come more than once. What is damaged, or too
 * large to be read, is passed over, what the system fails to read throws.
 *
 * Packs are listed before and after the loose objects: what a Git at work meanwhile packs is found in the new pack, and
 * what it unpacks among the loose ones.
 */
export async function readOwnNodes(ports: ObjectPorts, layout: GitdirLayout, onNode: OnNode): Promise<void> {
  const openFiles = new OpenFiles(ports.fileSystem, OPEN_FILES)
  const packPorts = { ...ports, openFiles, bases: new DeltaBases(BASES_BYTES), limitBytes: LIMIT_BYTES }
  const seen = new Set<string>()
  try {
    await readPacks(packPorts, layout, seen, onNode)
    await readLooseNodes(ports, layout, onNode)
    for (let round = 0; round < MOST_ROUNDS; round++) if (!(await readPacks(packPorts, layout, seen, onNode))) break
  } finally {
    await openFiles.close()
  }
}

/** Whether there were packs that had not been seen before. */
async function readPacks(ports: PackPorts, layout: GitdirLayout, seen: Set<string>, onNode: OnNode): Promise<boolean> {
  const names = new Set((await listFollowing(ports.fileSystem, layout.packs)).map(({ name }) => name))
  let found = false
  for (const name of names) {
    const stem = name.slice(0, -".idx".length)
    if (!name.endsWith(".idx") || !names.has(`${stem}.pack`) || seen.has(stem)) continue
    seen.add(stem)
    found = true
    await readPack(ports, `${layout.packs}/${stem}`, onNode)
  }
  return found
}

async function readPack(ports: PackPorts, path: string, onNode: OnNode): Promise<void> {
  try {
    const stat = await ports.fileSystem.lstat(`${path}.pack`)
    const pack = await openPackFile(ports, path)
    if (pack === undefined || stat === undefined) return
    const nodes = await ports.openFiles.use(`${path}.pack`, (file) => packNodes(file, pack.index))
    for (const { oid } of nodes) {
      const object = await unlessDamaged(pack.read(oid))
      if (object !== undefined) onNode(oid, object, fileMs(stat))
    }
  } catch (error) {
    // Gone meanwhile: what was in it is elsewhere.
    if (errnoOf(error) !== "ENOENT") throw error
  } finally {
    ports.bases.clear()
    await ports.openFiles.forget(`${path}.pack`)
  }
}

async function readLooseNodes(ports: ObjectPorts, layout: GitdirLayout, onNode: OnNode): Promise<void> {
  const atOnce = pLimit(FILES_AT_ONCE)
  for (const folder of await looseFolders(ports.fileSystem, layout)) {
    const items = await listFollowing(ports.fileSystem, `${layout.objects}/${folder}`)
    const oids = items.map(({ name }) => toOid(folder + name)).filter((oid) => oid !== undefined)
    await settleAll(oids.map((oid) => atOnce(() => readLooseNode(ports, layout, oid, onNode))))
  }
}

async function looseFolders(fileSystem: FileSystem, layout: GitdirLayout): Promise<string[]> {
  const items = await listFollowing(fileSystem, layout.objects)
  return items.filter(({ name, kind }) => /^[0-9a-f]{2}$/.test(name) && kind !== "file").map(({ name }) => name)
}

async function readLooseNode(ports: ObjectPorts, layout: GitdirLayout, oid: Oid, onNode: OnNode): Promise<void> {
  const path = loosePath(layout.objects, oid)
  const type = await looseType(ports, path, oid)
  if (type === undefined || type === "blob") return
  const object = await unlessDamaged(readLoose(ports, path, oid, LIMIT_BYTES))
  if (object !== undefined) onNode(oid, object, undefined)
}

async function unlessDamaged<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isSnapshotError(error, "OBJECT_CORRUPT") || isSnapshotError(error, "UNSUPPORTED")) return undefined
    throw error
  }
}

const OPEN_FILES = 4
const BASES_BYTES = 64 << 20
const LIMIT_BYTES = 2 ** 30
const FILES_AT_ONCE = 16
const MOST_ROUNDS = 5
