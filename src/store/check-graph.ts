import { isSnapshotError } from "../core/errors.js"
import { readAs, type ObjectType } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { drain } from "../core/settle-all.js"
import { decodeTree } from "../core/tree.js"
import { pauses } from "../core/turns.js"
import { targetsOf, type NamedObject } from "./mark.js"
import type { ObjectDatabase } from "./object-database.js"
import { isRefused, isUnreadable } from "./unreadable.js"

/** How an object is lost: nothing holds it, or what holds it cannot be read or is not what the oid names. */
export type Loss = "missing" | "corrupt"

/**
 * Why nothing gives an object that is there: the system does not let it be read, or it is too large to be read as a whole,
 * or says that it is. Without a reason it is not what it has to be.
 */
export type LossReason = "unreadable" | "too-large"

/** How to check a graph. */
export interface GraphCheckOptions {
  readonly signal?: AbortSignal | undefined
  /** Is told of the number of objects that were checked. */
  readonly onChecked?: (count: number) => void
}

/**
 * Reads all that roots reach, blobs included, each object once and verified by its oid, and goes on where something is
 * lost. One walk at a time.
 */
export class GraphCheck {
  readonly #objects: ObjectDatabase
  readonly #options: GraphCheckOptions
  /** Trees, commits and tags with those that name them, and roots of all kinds. */
  readonly #namedBy = new Map<Oid, Oid[]>()
  readonly #blobs = new Set<Oid>()
  readonly #lost = new Map<Oid, Loss>()
  readonly #reasons = new Map<Oid, LossReason>()
  /** What nodes were first said to be, of those that are no trees: undefined for roots. */
  readonly #told = new Map<Oid, ObjectType | undefined>()
  /** What lost nodes were said to be. */
  readonly #lostAs = new Map<Oid, ObjectType | undefined>()
  #nodesToRead: NamedObject[] = []
  #blobsToRead: Oid[] = []
  #checked = 0

  /** `objects` must not have read anything yet: what it has read, it does not read again. */
  constructor(objects: ObjectDatabase, options: GraphCheckOptions = {}) {
    this.#objects = objects
    this.#options = options
  }

  /** What is lost, of all that was walked. */
  get lost(): ReadonlyMap<Oid, Loss> {
    return this.#lost
  }

  /** Why some of these are lost. */
  get reasons(): ReadonlyMap<Oid, LossReason> {
    return this.#reasons
  }

  /** How many objects were reached. */
  get reached(): number {
    let count = this.#namedBy.size
    for (const oid of this.#blobs) if (!this.#namedBy.has(oid)) count++
    return count
  }

  /** Reads what the roots, objects of any type, reach and was not read before. */
  async walk(roots: Iterable<Oid>): Promise<void> {
    for (const oid of roots) this.#meet(oid, undefined, undefined)
    await this.#run()
  }

  /** Looks once more for what is lost, and goes on from what is found. */
  async lookAgain(): Promise<void> {
    await this.#objects.rescan()
    for (const oid of this.#lost.keys()) {
      if (this.#blobs.has(oid)) this.#blobsToRead.push(oid)
      if (this.#namedBy.has(oid)) this.#nodesToRead.push({ oid, type: this.#lostAs.get(oid) })
    }
    this.#lost.clear()
    this.#reasons.clear()
    this.#lostAs.clear()
    await this.#run()
  }

  /** The objects that name an object: for blobs, all trees are read again. */
  async namersOf(oids: ReadonlySet<Oid>): Promise<Map<Oid, readonly Oid[]>> {
    const namers = new Map<Oid, Oid[]>()
    let isAnyBlob = false
    for (const oid of oids) {
      namers.set(oid, [...(this.#namedBy.get(oid) ?? [])])
      isAnyBlob ||= this.#blobs.has(oid)
    }
    if (!isAnyBlob) return namers
    const open = [...this.#namedBy.keys()].filter((oid) => !this.#lost.has(oid))
    await drain(open, AT_ONCE, async (oid) => {
      this.#options.signal?.throwIfAborted()
      const object = await this.#objects.read(oid).catch(unlessLost)
      if (typeof object !== "object" || object.type !== "tree") return
      for (const entry of decodeTree(object.bytes, oid))
        if (entry.mode !== "160000" && entry.mode !== "40000") namers.get(entry.oid)?.push(oid)
    })
    return namers
  }

  /** The objects that reach an object, in no order. The object itself is one of them. */
  async reachersOf(oid: Oid, namers: Iterable<Oid>): Promise<Set<Oid>> {
    const found = new Set<Oid>([oid])
    const open = [...namers]
    const pause = pauses()
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      await pause()
      if (found.has(next)) continue
      found.add(next)
      for (const namer of this.#namedBy.get(next) ?? []) open.push(namer)
    }
    return found
  }

  #meet(oid: Oid, type: ObjectType | undefined, namer: Oid | undefined): void {
    if (type === "blob") {
      if (this.#blobs.has(oid)) return
      this.#blobs.add(oid)
      this.#blobsToRead.push(oid)
      return
    }
    let namers = this.#namedBy.get(oid)
    if (namers === undefined) {
      this.#namedBy.set(oid, (namers = []))
      this.#nodesToRead.push({ oid, type })
      if (type !== "tree") this.#told.set(oid, type)
    } else if (type !== undefined && type !== (this.#told.has(oid) ? this.#told.get(oid) : "tree")) {
      // It has to be that as well, and no object is two things.
      this.#told.set(oid, type)
      this.#nodesToRead.push({ oid, type })
    }
    if (namer !== undefined) namers.push(namer)
  }

  async #run(): Promise<void> {
    await drain(this.#nodesToRead, AT_ONCE, (step) => this.#readNode(step))
    const pause = pauses()
    while (this.#blobsToRead.length > 0) {
      await pause()
      await this.#readBlobs(new Set(this.#blobsToRead.splice(-BLOBS_AT_ONCE)))
    }
  }

  async #readNode({ oid, type: told }: NamedObject): Promise<void> {
    this.#options.signal?.throwIfAborted()
    await this.#losing(oid, async () => {
      const type = told ?? (await this.#objects.stream(oid))?.type
      if (type === undefined) this.#lost.set(oid, "missing")
      else if (type === "blob") await this.#readBlob(oid)
      else
        for (const { oid: target, type: kind } of targetsOf(type, await readAs(this.#objects, oid, type), oid))
          this.#meet(target, kind, oid)
    })
    if (this.#lost.has(oid) && (told !== undefined || !this.#lostAs.has(oid))) this.#lostAs.set(oid, told)
    this.#count(1)
  }

  /** Most blobs are short, and are read many at once. */
  async #readBlobs(oids: Set<Oid>): Promise<void> {
    const all = oids.size
    for (;;) {
      this.#options.signal?.throwIfAborted()
      const found = await this.#objects.readTogether(oids)
      for (const [oid, { type }] of found) {
        if (type !== "blob") this.#lost.set(oid, "corrupt")
        oids.delete(oid)
      }
      if (found.size === 0) break
    }
    await drain([...oids], BLOBS_SIDE_BY_SIDE, (oid) => this.#losing(oid, () => this.#readBlob(oid)))
    this.#count(all)
  }

  async #readBlob(oid: Oid): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const stream = await this.#objects.stream(oid)
    if (stream === undefined) this.#lost.set(oid, "missing")
    else if (stream.type !== "blob") this.#lost.set(oid, "corrupt")
    else {
      const damaged = this.#objects.damaged()
      try {
        for await (const chunk of stream.chunks) if (chunk.length > 0) this.#options.signal?.throwIfAborted()
      } catch (error) {
        // Long content is verified at its end. Now that this copy is known to be damaged, another one comes first.
        if (!isSnapshotError(error, "OBJECT_CORRUPT") || this.#objects.damaged() === damaged) throw error
        await this.#readBlob(oid)
      }
    }
  }

  async #losing(oid: Oid, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      this.#lost.set(oid, unlessLost(error))
      const reason = reasonOf(error)
      if (reason !== undefined) this.#reasons.set(oid, reason)
    }
  }

  #count(objects: number): void {
    this.#checked += objects
    this.#options.onChecked?.(this.#checked)
  }
}

function unlessLost(error: unknown): Loss {
  if (isSnapshotError(error, "OBJECT_MISSING")) return "missing"
  if (isSnapshotError(error, "OBJECT_CORRUPT") || isSnapshotError(error, "UNSUPPORTED") || isUnreadable(error))
    return "corrupt"
  throw error
}

function reasonOf(error: unknown): LossReason | undefined {
  if (isSnapshotError(error, "UNSUPPORTED")) return "too-large"
  return isRefused(error) ? "unreadable" : undefined
}

const AT_ONCE = 16
const BLOBS_AT_ONCE = 1024
const BLOBS_SIDE_BY_SIDE = 4
