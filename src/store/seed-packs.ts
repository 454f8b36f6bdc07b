/*
 * Packs of another repository, brought into a store under the names of a capture's lease: maintenance takes them for what
 * they are, packs of that capture, whether it ends well, fails, or is killed.
 */
import { equalBytes } from "../core/bytes.js"
import type { FileSystem } from "../core/file-system.js"
import { OID_BYTES } from "../core/oid.js"
import { parsePackIndex, type PackIndex } from "../core/pack-index.js"
import { PACK_TRAILER_BYTES } from "../core/pack.js"
import { randomHex } from "../core/random.js"
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

/** Packs that were brought in. One of keep and discard has to be called. */
export interface SeedPacks {
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
      if ((await this.#isUseful(source)) && (await this.#place(source, target))) found = await this.#check(target)
    } catch {
      // Whatever is the matter with it, the files themselves are still there to be read.
      found = 0
    }
    if (found === 0) return this.#remove(target)
    this.#left -= found
    this.#placed.push(target)
    if (this.#request.durable) this.#sync(target)
  }

  async #isUseful(source: string): Promise<boolean> {
    const { ports, wanted } = this.#request
    const stat = await ports.fileSystem.lstat(await this.#real(`${source}.idx`))
    if (stat === undefined || stat.sizeBytes > MOST_INDEX_BYTES) return false
    const index = await this.#index(source)
    if (index === undefined) return false
    for (let i = 0; i < wanted.count; i++)
      if (this.held[i] === 0 && index.rowOf(wanted.oids, i * OID_BYTES) !== undefined) return true
    return false
  }

  /** The pack first: without an index it is nothing to a reader. */
  async #place(source: string, target: string): Promise<boolean> {
    const { fileSystem } = this.#request.ports
    for (const extension of [".pack", ".idx"]) {
      const from = await this.#real(`${source}${extension}`)
      if (!(await bringFile(fileSystem, from, `${target}${extension}`, this.#mostCopied()))) return false
    }
    return true
  }

  /** Looks at what is in the store by now, whatever happens to the source. */
  async #check(target: string): Promise<number> {
    const { ports, wanted } = this.#request
    const index = await this.#index(target)
    if (index === undefined) return 0
    const file = await ports.fileSystem.open(`${target}.pack`, "read")
    try {
      const { sizeBytes } = await file.stat()
      const trailer = await readPiece(file, sizeBytes - PACK_TRAILER_BYTES, sizeBytes)
      if (!equalBytes(trailer, index.packChecksum)) return 0
      return await checkPack(ports.deflater, file, index, wanted, this.held)
    } finally {
      await file.close()
    }
  }

  async #index(path: string): Promise<PackIndex | undefined> {
    const { fileSystem, hasher } = this.#request.ports
    const bytes = await fileSystem.readFile(`${path}.idx`)
    return bytes && parsePackIndex(hasher, bytes, `${path}.idx`)
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

/** Of two million objects: every store that has the pack reads all of it. */
const MOST_INDEX_BYTES = 64 * 1024 * 1024
const SMALL_PACK_BYTES = 16 * 1024 * 1024
