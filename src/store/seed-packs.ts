/*
 * Packs of another repository, brought into a store under the names of a capture's lease: maintenance takes them for what
 * they are, packs of that capture, whether it ends well, fails, or is killed.
 */
import { equalBytes } from "../core/bytes.js"
import type { FileSystem } from "../core/file-system.js"
import { OID_BYTES, type Oid } from "../core/oid.js"
import { parsePackIndex, type PackIndex } from "../core/pack-index.js"
import { PACK_TRAILER_BYTES } from "../core/pack.js"
import { randomHex } from "../core/random.js"
import { pauses } from "../core/turns.js"
import type { WantedObjects } from "../core/wanted-objects.js"
import { listAlternates } from "./alternates.js"
import { removeIfThere } from "./atomic-file.js"
import { bringFile } from "./bring-file.js"
import { readPiece } from "./file-pieces.js"
import { listFollowing } from "./list-following.js"
import { checkPack } from "./pack-check.js"
import type { ObjectPorts } from "./stored-object.js"

/** Which packs to bring where. */
export interface SeedRequest {
  readonly ports: ObjectPorts
  /** The objects folder of the other repository. Its alternates count, too. */
  readonly from: string
  /** The objects folder of the store, and its folder of packs. */
  readonly to: { readonly objects: string; readonly packs: string }
  readonly leaseId: string
  readonly wanted: WantedObjects
  readonly durable: boolean
  readonly signal?: AbortSignal | undefined
}

/** Packs that were brought in, and of the wanted objects those that are in them. One of keep and discard has to be called. */
export interface SeedPacks extends Pick<ReadonlySet<Oid>, "has"> {
  /** For each wanted object 1 when the store now holds it. */
  readonly held: Uint8Array
  /** Resolves when the packs are on the medium, their names aside, where they have to be; rejects when they cannot be. */
  synced(): Promise<void>
  /** They are the store's from now on. */
  keep(): void
  /** Removes them, unless they are kept. */
  discard(): Promise<void>
}

/**
 * Brings in the packs that hold wanted objects. What is damaged, of another version, or gone by now is passed over: it
 * rejects with nothing but the signal's reason.
 */
export async function bringPacks(request: SeedRequest): Promise<SeedPacks> {
  const packs = new BroughtPacks(request)
  try {
    await packs.bringAll()
    return packs
  } catch (error) {
    await packs.discard()
    throw error
  }
}

/** Whether an objects folder, or one of its alternates, has packs at all. */
export async function hasPacks(fileSystem: FileSystem, objects: string): Promise<boolean> {
  for (const folder of await withAlternates(fileSystem, objects))
    if ((await orNone(listFollowing(fileSystem, `${folder}/pack`))).some(({ name }) => name.endsWith(".idx")))
      return true
  return false
}

async function withAlternates(fileSystem: FileSystem, objects: string): Promise<string[]> {
  const own = (await fileSystem.realPath(objects)) ?? objects
  return [own, ...(await orNone(listAlternates(fileSystem, objects)))]
}

class BroughtPacks implements SeedPacks {
  readonly held: Uint8Array
  readonly #request: SeedRequest
  #left: number
  /** Paths in the store, without extension. */
  readonly #placed: string[] = []
  readonly #checked: CheckedPack[] = []
  #syncing: Promise<unknown> = Promise.resolve()
  #isKept = false

  constructor(request: SeedRequest) {
    this.#request = request
    this.held = new Uint8Array(request.wanted.count)
    this.#left = request.wanted.count
  }

  async bringAll(): Promise<void> {
    const { from, to, ports, signal } = this.#request
    const { fileSystem } = ports
    const own = (await fileSystem.realPath(to.objects)) ?? to.objects
    for (const folder of await withAlternates(fileSystem, from)) {
      if (folder === own) continue
      const names = new Set((await orNone(listFollowing(fileSystem, `${folder}/pack`))).map(({ name }) => name))
      for (const name of names) {
        const stem = name.slice(0, -".idx".length)
        if (this.#left === 0) return
        signal?.throwIfAborted()
        if (name.endsWith(".idx") && names.has(`${stem}.pack`)) await this.#bring(`${folder}/pack/${stem}`)
      }
    }
  }

  has(oid: Oid): boolean {
    return this.#checked.some(({ index, isSound }) => {
      const row = index.row(oid)
      return row !== undefined && isSound[row] === 1
    })
  }

  synced(): Promise<void> {
    return this.#syncing.then(() => undefined)
  }

  keep(): void {
    this.#isKept = true
  }

  async discard(): Promise<void> {
    await this.#syncing.catch(() => {})
    if (!this.#isKept) for (const path of this.#placed.splice(0)) await this.#remove(path)
  }

  /** Brings in the pack at `source`, without extension, when it holds something that is wanted. */
  async #bring(source: string): Promise<void> {
    const target = `${this.#request.to.packs}/pack-${this.#request.leaseId}${randomHex(4)}`
    let found = 0
    try {
      const useful = await this.#usefulIndex(source)
      if (useful !== undefined && (await this.#place(source, target))) found = await this.#check(target, useful)
    } catch {
      // Whatever is the matter with it, the files themselves are still there to be read.
      found = 0
    }
    if (found === 0) return this.#remove(target)
    this.#left -= found
    this.#placed.push(target)
    if (this.#request.durable) this.#sync(target)
  }

  /** The index of a pack that holds something that is wanted. */
  async #usefulIndex(source: string): Promise<UsefulIndex | undefined> {
    const { ports, wanted } = this.#request
    const path = await this.#real(`${source}.idx`)
    const stat = await ports.fileSystem.lstat(path)
    if (stat === undefined || stat.sizeBytes > MOST_INDEX_BYTES) return undefined
    const bytes = await ports.fileSystem.readFile(path)
    const index = bytes && (await parsePackIndex(ports.hasher, bytes, path))
    if (bytes === undefined || index === undefined) return undefined
    const rows = new Uint32Array(wanted.count)
    let isUseful = false
    const pause = pauses()
    for (let i = 0; i < wanted.count; i++) {
      if (i % PAUSE_OBJECTS === 0) await pause()
      const row = this.held[i] === 1 ? undefined : index.rowOf(wanted.oids, i * OID_BYTES)
      if (row === undefined) continue
      rows[i] = row + 1
      isUseful = true
    }
    return isUseful ? { bytes, index, rows } : undefined
  }

  /** The pack first: without an index it is nothing to a reader. */
  async #place(source: string, target: string): Promise<boolean> {
    const { fileSystem } = this.#request.ports
    for (const extension of [".pack", ".idx"]) {
      const from = await this.#real(`${source}${extension}`)
      if (!(await bringFile(fileSystem, from, `${target}${extension}`, () => this.#mostCopied()))) return false
    }
    return true
  }

  /** Looks at what is in the store by now, whatever happens to the source. */
  async #check(target: string, { bytes, index, rows }: UsefulIndex): Promise<number> {
    const { ports, wanted } = this.#request
    const placed = await ports.fileSystem.readFile(`${target}.idx`)
    // The source may have been replaced since it was read. Its checksum was found to be right then.
    if (placed === undefined || !equalBytes(await this.#checksumOf(placed), bytes.subarray(-OID_BYTES))) return 0
    const file = await ports.fileSystem.open(`${target}.pack`, "read")
    try {
      const { sizeBytes } = await file.stat()
      const trailer = await readPiece(file, sizeBytes - PACK_TRAILER_BYTES, sizeBytes)
      if (!equalBytes(trailer, index.packChecksum)) return 0
      const isSound = new Uint8Array(index.count)
      const { deflater } = ports
      const found = await checkPack({ deflater, file, index, wanted, rows }, this.held, isSound)
      this.#checked.push({ index, isSound })
      return found
    } finally {
      await file.close()
    }
  }

  async #checksumOf(index: Uint8Array): Promise<Uint8Array> {
    return this.#request.ports.hasher.sha1([index.subarray(0, -OID_BYTES)])
  }

  /** Copying a history takes longer than reading the few files that are wanted of it. */
  #mostCopied(): number {
    let wantedBytes = 0
    for (const [i, size] of this.#request.wanted.sizes.entries()) if (this.held[i] === 0) wantedBytes += size
    return wantedBytes + SMALL_PACK_BYTES
  }

  async #real(path: string): Promise<string> {
    return (await this.#request.ports.fileSystem.realPath(path)) ?? path
  }

  /** Its file in the other repository may not be on the medium. This goes on beside the capture. */
  #sync(target: string): void {
    const { fileSystem } = this.#request.ports
    const syncing = [".pack", ".idx"].map(async (extension) => {
      const file = await fileSystem.open(`${target}${extension}`, "read")
      try {
        await file.sync()
      } finally {
        await file.close()
      }
    })
    this.#syncing = Promise.all([this.#syncing, ...syncing])
    // Told to whoever asks.
    this.#syncing.catch(() => {})
  }

  /** What cannot be removed is of no harm, and is left to maintenance. */
  async #remove(target: string): Promise<void> {
    for (const extension of [".idx", ".pack"])
      await removeIfThere(this.#request.ports.fileSystem, `${target}${extension}`).catch(() => {})
  }
}

async function orNone<Value>(listing: Promise<readonly Value[]>): Promise<readonly Value[]> {
  return listing.catch(() => [])
}

/** A pack's index, and for each wanted object its row, counted from one on; 0 for what is not in it or not needed any more. */
interface UsefulIndex {
  readonly bytes: Uint8Array
  readonly index: PackIndex
  readonly rows: Uint32Array
}

/** A pack in the store, with 1 for each row of its index that holds a wanted object. */
interface CheckedPack {
  readonly index: PackIndex
  readonly isSound: Uint8Array
}

const PAUSE_OBJECTS = 1024
/** Of two million objects: every store that has the pack reads all of it. */
const MOST_INDEX_BYTES = 64 * 1024 * 1024
const SMALL_PACK_BYTES = 16 * 1024 * 1024
