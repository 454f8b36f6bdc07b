/*
 * One noun in one file, although it is long: each way of reading falls back on another one, and all look again in the same
 * way at what other processes changed.
 */
import { LRUCache } from "lru-cache"
import { errnoOf, isSnapshotError, SnapshotError } from "../core/errors.js"
import type { GitObject, ObjectReader } from "../core/object.js"
import { EMPTY_TREE, type Oid } from "../core/oid.js"
import type { PackedEntry, Unpacker } from "../core/unpacker.js"
import { listAlternates } from "./alternates.js"
import { DeltaBases } from "./delta-bases.js"
import { ObjectFolder, type ObjectCopy } from "./object-folder.js"
import { OpenFiles } from "./open-files.js"
import type { PackPorts } from "./pack-entries.js"
import { inOnePiece, type ObjectPorts, type ObjectStream } from "./stored-object.js"
import { unpackEach } from "./unpack-each.js"
import { isUnreadable } from "./unreadable.js"

/** Where to read objects, and what with. */
export interface ObjectDatabaseOptions extends ObjectPorts {
  /** The `objects` folder of a gitdir. It need not be there yet. */
  readonly objectsFolder: string
  /** Unpacks short objects; without it they go through hasher and deflater. */
  readonly unpacker?: Unpacker | undefined
  /** Objects above this size are not read into memory as a whole. Default: 1 GiB. */
  readonly limitBytes?: number
}

/**
 * The objects of a gitdir, packed and loose, and those of its alternates. Calls may overlap. Everything that it gives
 * has been hashed, and a copy that is damaged is passed over when another is good. What other processes add, replace
 * and repack meanwhile is found: before anything counts as missing, the folders are listed again.
 */
export interface ObjectDatabase extends ObjectReader {
  /**
   * The object; undefined when it is nowhere. Damaged wherever it is: OBJECT_CORRUPT; above the limit: UNSUPPORTED.
   * The bytes are the caller's own. The empty tree is always there, as for Git.
   */
  read(oid: Oid): Promise<GitObject | undefined>
  /**
   * An object of any size; one that is stored as a delta up to the limit only. Content above 1 MiB is verified at its
   * end, so it must not take effect before; when a copy proves to be damaged, the next call prefers another one.
   */
  stream(oid: Oid): Promise<ObjectStream | undefined>
  /**
   * Those of `oids` that can be had together: short ones that stand whole in a pack, up to 16 MiB of content in all. They
   * are read in the order in which they are stored, neighbours at once, so that many take a fraction of what they take
   * one by one. Given as they stand in the pack, to be unpacked and verified elsewhere. Whatever is not in the answer,
   * for whatever reason, is to be read by itself.
   */
  packedTogether(oids: Iterable<Oid>): Promise<Map<Oid, PackedEntry>>
  /** As packedTogether, unpacked and verified as by `read`, and trees and commits that are known. Not to be changed. */
  readTogether(oids: Iterable<Oid>): Promise<Map<Oid, GitObject>>
  /** Whether the object is stored. It is not read; a copy that was found to be damaged does not count. */
  has(oid: Oid): Promise<boolean>
  /**
   * Those of `oids` that are stored, on the terms of `has`. A pack that the system does not read throws, as what is in it
   * is not known; with `unreadable` "pass-over" it holds nothing.
   */
  present(oids: Iterable<Oid>, unreadable?: "pass-over"): Promise<Set<Oid>>
  /** The oids that begin with `prefix`, 1 to 40 lowercase hex digits, sorted; none for another text. */
  withPrefix(prefix: string): Promise<Oid[]>
  /** Paths, without extension, of the packs that were opened and are not used, since their files are not what they should be. */
  setAside(): readonly string[]
  /** How many copies of objects were found to be damaged. */
  damaged(): number
  /** Lists the folders again. */
  rescan(): Promise<void>
  /** Forgets what was read, and lists the folders again: for after objects went. */
  refresh(): Promise<void>
  /** Closes all files. Later calls: CLOSED. May be called more than once. */
  close(): Promise<void>
}

/** Opens an object database. Nothing is read before the first call. */
export function objectDatabase(options: ObjectDatabaseOptions): ObjectDatabase {
  return new Database(options)
}

class Database implements ObjectDatabase {
  readonly #ports: PackPorts
  readonly #unpacker: Unpacker | undefined
  readonly #objectsFolder: string
  /** The own one, then the alternates; undefined before the first listing. */
  #folders: readonly ObjectFolder[] | undefined
  /** Verified trees and commits, which are read again and again. */
  readonly #small = new LRUCache<Oid, GitObject>({
    maxSize: SMALL_CACHE_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length + ENTRY_BYTES,
  })
  /** Copies that proved to be damaged, as `copyKey` names them. */
  readonly #damaged = new Set<string>()
  #scanFailures: readonly unknown[] = []
  #scanning: Promise<void> = Promise.resolve()
  #nextScan: Promise<void> | undefined
  #closed = false

  constructor(options: ObjectDatabaseOptions) {
    const { fileSystem, hasher, deflater, unpacker, objectsFolder, limitBytes = LIMIT_BYTES } = options
    const openFiles = new OpenFiles(fileSystem, OPEN_FILES)
    this.#ports = { fileSystem, hasher, deflater, openFiles, bases: new DeltaBases(BASES_BYTES), limitBytes }
    this.#unpacker = unpacker
    this.#objectsFolder = objectsFolder
  }

  async read(oid: Oid): Promise<GitObject | undefined> {
    this.#checkOpen()
    const known = this.#small.get(oid)
    if (known !== undefined) return { type: known.type, bytes: new Uint8Array(known.bytes) }
    if (oid === EMPTY_TREE) return { type: "tree", bytes: new Uint8Array(0) }
    const object = await this.#find(oid, async (copy) => {
      const found = await copy.read()
      if (found !== undefined) this.#damaged.delete(copyKey(oid, copy.path))
      return found
    })
    if (object === undefined) return undefined
    this.#remember(oid, object)
    return object
  }

  async stream(oid: Oid): Promise<ObjectStream | undefined> {
    this.#checkOpen()
    if (oid === EMPTY_TREE) return inOnePiece({ type: "tree", bytes: new Uint8Array(0) })
    return this.#find(oid, async (copy) => {
      const stream = await copy.stream()
      return stream && { ...stream, chunks: this.#watched(oid, copy, stream.chunks) }
    })
  }

  async readTogether(oids: Iterable<Oid>): Promise<Map<Oid, GitObject>> {
    this.#checkOpen()
    const found = new Map<Oid, GitObject>()
    const unknown: Oid[] = []
    for (const oid of oids) {
      const known = this.#small.get(oid)
      if (known === undefined) unknown.push(oid)
      else found.set(oid, known)
    }
    if (unknown.length === 0) return found
    const packed = await this.packedTogether(unknown)
    await unpackEach(this.#unpacker, this.#ports, packed.values(), (oid, object) => {
      this.#remember(oid, object)
      found.set(oid, object)
    })
    return found
  }

  async packedTogether(oids: Iterable<Oid>): Promise<Map<Oid, PackedEntry>> {
    this.#checkOpen()
    const found = new Map<Oid, PackedEntry>()
    const left = new Set(oids)
    let room = TOGETHER_BYTES
    if (this.#folders === undefined) await this.rescan()
    for (const folder of this.#folders ?? []) {
      if (room < 0) break
      await folder.readShort(left, (packed, sizeBytes) => {
        room -= sizeBytes
        if (room < 0) return false
        left.delete(packed.oid)
        found.set(packed.oid, packed)
        return true
      })
    }
    return found
  }

  async has(oid: Oid): Promise<boolean> {
    return (await this.present([oid])).has(oid)
  }

  async present(oids: Iterable<Oid>, unreadable?: "pass-over"): Promise<Set<Oid>> {
    this.#checkOpen()
    const found = new Set<Oid>()
    const left = new Set<Oid>(oids)
    await this.#inRounds(async (folders, failures) => {
      const meet = (oid: Oid, path: string): void => {
        if (this.#damaged.has(copyKey(oid, path))) return
        found.add(oid)
        left.delete(oid)
      }
      const failed = (error: unknown): void => {
        if (unreadable === undefined || !isUnreadable(error)) failures.push(error)
      }
      for (const folder of folders) if (left.size > 0) await folder.locate(left, meet, failed)
      return left.size === 0 ? true : undefined
    })
    return found
  }

  damaged(): number {
    return this.#damaged.size
  }

  async withPrefix(prefix: string): Promise<Oid[]> {
    this.#checkOpen()
    if (!/^[0-9a-f]{1,40}$/.test(prefix)) return []
    await this.rescan()
    const found = new Set<Oid>()
    await this.#inRounds(async (folders, failures) => {
      for (const folder of folders)
        for (const oid of await folder.withPrefix(prefix, (error) => failures.push(error))) found.add(oid)
      return failures.every((error) => isSnapshotError(error, "FORMAT_UNSUPPORTED")) ? true : undefined
    })
    return [...found].sort()
  }

  setAside(): readonly string[] {
    return (this.#folders ?? []).flatMap((folder) => folder.setAside)
  }

  rescan(): Promise<void> {
    // A listing that is under way may have missed what the caller knows of, so it waits for one that begins from now on.
    this.#nextScan ??= this.#scanning.then(() => {
      this.#scanning = this.#nextScan as Promise<void>
      this.#nextScan = undefined
      return this.#scan()
    })
    return this.#nextScan
  }

  refresh(): Promise<void> {
    this.#small.clear()
    this.#ports.bases.clear()
    return this.rescan()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#small.clear()
    this.#ports.bases.clear()
    await this.#ports.openFiles.close()
  }

  /**
   * What `take` gives for the first good copy. Copies that are known to be damaged are tried last: what was a failure
   * of the moment may be over.
   */
  async #find<T>(oid: Oid, take: (copy: ObjectCopy) => Promise<T | undefined>): Promise<T | undefined> {
    const attempt = async (copy: ObjectCopy, failures: unknown[]): Promise<T | undefined> => {
      try {
        const found = await take(copy)
        if (found === undefined) return undefined
        copy.hit()
        return found
      } catch (error) {
        if (isSnapshotError(error, "OBJECT_CORRUPT")) this.#damaged.add(copyKey(oid, copy.path))
        failures.push(error)
        return undefined
      }
    }
    const { found, failures } = await this.#inRounds(async (folders, failures) => {
      const doubtful: ObjectCopy[] = []
      for (const folder of folders)
        for await (const copy of folder.copies(oid, (error) => failures.push(error))) {
          if (this.#damaged.has(copyKey(oid, copy.path))) doubtful.push(copy)
          else {
            const taken = await attempt(copy, failures)
            if (taken !== undefined) return taken
          }
        }
      for (const copy of doubtful) {
        const taken = await attempt(copy, failures)
        if (taken !== undefined) return taken
      }
      return undefined
    })
    if (found !== undefined || failures.length === 0) return found
    throw worstOf(oid, failures)
  }

  /**
   * Runs `look` until it gives something: on the folders as they were last listed, and once more after listing them
   * again; again after that only when files went away in the middle. When it gives nothing, failures of the system
   * throw, and those of another kind are given.
   */
  async #inRounds<T>(
    look: (folders: readonly ObjectFolder[], failures: unknown[]) => Promise<T | undefined>,
  ): Promise<{ readonly found: T | undefined; readonly failures: readonly unknown[] }> {
    for (let round = 0; ; round++) {
      if (round > 0 || this.#folders === undefined) await this.rescan()
      const failures: unknown[] = [...this.#scanFailures]
      const found = await look(this.#folders ?? [], failures)
      this.#checkOpen()
      if (found !== undefined) return { found, failures }
      const went = failures.some((error) => errnoOf(error) === "ENOENT")
      if (round === 0 || (went && round < MOST_ROUNDS)) continue
      const ofSystem = failures.find((error): error is SnapshotError => ![undefined, "ENOENT"].includes(errnoOf(error)))
      if (ofSystem !== undefined) throw ofSystem
      return { found, failures: failures.filter((error) => errnoOf(error) === undefined) }
    }
  }

  /** A folder that cannot be listed does not keep the others from being read; it counts when an object is in none of them. */
  async #scan(): Promise<void> {
    const { fileSystem } = this.#ports
    const failures: unknown[] = []
    const paths = [this.#objectsFolder]
    try {
      paths.push(...(await listAlternates(fileSystem, this.#objectsFolder)))
    } catch (error) {
      failures.push(error)
    }
    const known = new Map(this.#folders?.map((folder) => [folder.path, folder]))
    const folders = paths.map((path) => known.get(path) ?? new ObjectFolder(this.#ports, path))
    for (const folder of folders) await folder.rescan().catch((error: unknown) => failures.push(error))
    this.#folders = folders
    this.#scanFailures = failures
  }

  #remember(oid: Oid, { type, bytes }: GitObject): void {
    if (type !== "blob" && bytes.length <= SMALL_BYTES) this.#small.set(oid, { type, bytes: new Uint8Array(bytes) })
  }

  async *#watched(oid: Oid, copy: ObjectCopy, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks
      this.#damaged.delete(copyKey(oid, copy.path))
    } catch (error) {
      if (isSnapshotError(error, "OBJECT_CORRUPT")) this.#damaged.add(copyKey(oid, copy.path))
      throw error
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new SnapshotError("CLOSED", "The object database is closed. Open the store again.", {})
  }
}

function copyKey(oid: Oid, path: string): string {
  return `${oid} ${path}`
}

/** The failure to report when no copy could be read: what can be helped comes before damage. */
function worstOf(oid: Oid, failures: readonly unknown[]): unknown {
  const other = failures.find((error) => !isSnapshotError(error, "OBJECT_CORRUPT"))
  if (other !== undefined) return other
  return new SnapshotError(
    "OBJECT_CORRUPT",
    `The object ${oid} is damaged wherever it is stored. Capture again to store what is still in the work tree.`,
    { oid },
    failures.length === 1 ? failures[0] : new AggregateError(failures, "Every copy is damaged."),
  )
}

const LIMIT_BYTES = 2 ** 30
const OPEN_FILES = 64
const BASES_BYTES = 64 << 20
const SMALL_CACHE_BYTES = 32 << 20
/** Larger trees and commits are not kept. */
const SMALL_BYTES = 256 << 10
/** So much is given together. */
const TOGETHER_BYTES = 16 << 20
/** What an entry takes beside its bytes, roughly. */
const ENTRY_BYTES = 200
/** So often in a row would others have to repack for a reader to give up. */
const MOST_ROUNDS = 5
