/*
 * Stores in memory that parts begin with, and what is to be seen of them.
 */
import type { Oid } from "../../src/core/oid.js"
import { decodeCommit } from "../../src/core/commit.js"
import { decodeTree } from "../../src/core/tree.js"
import { objectDatabase } from "../../src/store/object-database.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { folderOf, linkOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { folderContent } from "../support/folder-content.js"
import { CHECK, GITDIR, newMemory, storeOn, WORKTREE, type Memory, type StoreOnOptions } from "../support/store-on.js"

/** A snapshot with what the work tree held. */
export interface KnownSnapshot {
  readonly id: string
  readonly ref: string
  readonly content: string
}

/** A store in memory with some snapshots, the oldest first; the last one is the work tree as it is. */
export interface MemoryStore {
  readonly memory: Memory
  readonly snapshots: readonly KnownSnapshot[]
}

/** A store whose snapshots share little, so that most damage touches only one of them. */
export async function memoryStore(random: (limit: number) => number, count: number): Promise<MemoryStore> {
  const memory = newMemory()
  const { fs } = memory.disk
  fs.mkdirSync(WORKTREE, { recursive: true })
  const store = await openMemory(memory.fileSystem)
  const snapshots: KnownSnapshot[] = []
  for (let number = 0; number < count; number++) {
    for (const name of fs.readdirSync(WORKTREE).map(String)) {
      // memfs follows a link that it is to remove with what is in it.
      if (fs.lstatSync(`${WORKTREE}/${name}`).isSymbolicLink()) fs.unlinkSync(`${WORKTREE}/${name}`)
      else fs.rmSync(`${WORKTREE}/${name}`, { recursive: true })
    }
    writeFolder(memory.disk, WORKTREE, folderOf(items(number, random)))
    const { snapshot } = await store.capture({ label: String(number) })
    snapshots.push({ id: snapshot.id, ref: snapshot.ref, content: contentOf(memory) })
  }
  await store.close()
  return { memory, snapshots }
}

export function openMemory(fileSystem: FileSystem, options: StoreOnOptions = {}): Promise<SnapshotStore> {
  return storeOn(fileSystem, { retention: false, ...options })
}

/** The work tree as a text. */
export function contentOf({ disk }: Memory): string {
  return JSON.stringify(folderContent(disk, WORKTREE))
}

/** The files of the store, with the whole path. */
export function storeFiles({ disk }: Memory): string[] {
  return Object.entries(folderContent(disk, GITDIR))
    .filter(([, line]) => line.startsWith("file"))
    .map(([path]) => `${GITDIR}/${path}`)
}

/** The names of the packs that the graph of each snapshot has objects in. */
export async function packsOfEach({
  memory,
  snapshots,
}: MemoryStore): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const places = new Map<Oid, Set<string>>()
  const packs = `${GITDIR}/objects/pack`
  const { parsePackIndex } = await import("../../src/core/pack-index.js")
  for (const name of memory.disk.names(packs).filter((each) => each.endsWith(".idx"))) {
    const index = await parsePackIndex(
      CHECK.hasher,
      Uint8Array.from(memory.disk.fs.readFileSync(`${packs}/${name}`)),
      name,
    )
    for (const { oid } of index?.entries() ?? [])
      places.set(oid, (places.get(oid) ?? new Set()).add(name.slice(0, -".idx".length)))
  }
  const objects = objectDatabase({ ...CHECK, fileSystem: memory.fileSystem, objectsFolder: `${GITDIR}/objects` })
  const found = new Map<string, Set<string>>()
  for (const { id } of snapshots) {
    const touched = new Set<string>()
    const open = [id as Oid]
    for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
      for (const pack of places.get(oid) ?? []) touched.add(pack)
      const object = await objects.read(oid)
      if (object?.type === "commit") {
        const { tree, parents } = decodeCommit(object.bytes, oid)
        open.push(tree, ...parents)
      } else if (object?.type === "tree") open.push(...decodeTree(object.bytes, oid).map((entry) => entry.oid))
    }
    found.set(id, touched)
  }
  await objects.close()
  return found
}

function items(number: number, random: (limit: number) => number): Parameters<typeof folderOf>[0] {
  const files = Array.from({ length: 1 + random(6) }, (_, at): [string, string] => [
    `file${at}.txt`,
    `${number} ${random(1_000_000)}\n`.repeat(1 + random(50)),
  ])
  return {
    "a.txt": `${number}`,
    dir: Object.fromEntries(files),
    [`only${number}`]: { deep: { "b.txt": `b${number}` } },
    ...(random(2) === 0 ? { link: linkOf(`a${number}`) } : {}),
  }
}
