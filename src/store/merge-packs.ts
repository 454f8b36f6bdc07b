/*
 * Several packs anew as one, with what is wanted of them: their entries as they stand, with those that their deltas build
 * on unless these are to go, and objects that stood whole as deltas where that is much shorter. It is on the medium, index
 * and all, before anything of the old ones may go.
 */
import { concat } from "../core/bytes.js"
import type { Deflater } from "../core/deflater.js"
import { SnapshotError } from "../core/errors.js"
import { makeDelta } from "../core/make-delta.js"
import type { GitObject, ObjectType } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { decodeEntryHeader, encodeEntryHeader, PACK_HEADER_BYTES } from "../core/pack.js"
import { pauses } from "../core/turns.js"
import { Chains } from "./chains.js"
import type { GitdirLayout } from "./gitdir.js"
import type { LivePack } from "./live-pack.js"
import type { ObjectDatabase } from "./object-database.js"
import { OldPack } from "./old-pack.js"
import { newPack } from "./new-pack.js"
import { OpenFiles } from "./open-files.js"
import type { PackWriter } from "./pack-writer.js"
import type { ObjectPorts } from "./stored-object.js"
import { unlessUnusable } from "./unless-unusable.js"

/** What to merge. */
export interface MergeRequest extends ObjectPorts {
  readonly layout: GitdirLayout
  readonly objects: ObjectDatabase
  readonly packs: readonly LivePack[]
  readonly isWanted: (oid: Oid) => boolean
  /** Nothing stays that is not wanted: what was built on it is built on something else, or stands whole. */
  readonly isCompact: boolean
  /** Whether it is worth it to write a pack anew by itself, of which so much is kept. */
  readonly isWorth: (keptBytes: number, pack: LivePack) => boolean
  /** Objects of more bytes stay as they stand: making a delta takes memory, and holds up the thread. */
  readonly largestDelta: number
  /** An object that the one with this oid is likely to differ little from. */
  readonly likeness: (oid: Oid) => Oid | undefined
  readonly signal?: AbortSignal | undefined
  /** Is told of the bytes of each entry that has been written. */
  readonly onMerged?: (bytes: number) => void
}

/** What was written. */
export interface MergedPack {
  readonly objects: number
  /** Of the pack and its index. */
  readonly sizeBytes: number
  /** The packs whose wanted objects are in it. */
  readonly merged: readonly LivePack[]
}

/** Writes the pack. What is damaged stays as it is. Undefined, with nothing written, when nothing is left to be merged. */
export async function mergePacks(request: MergeRequest): Promise<MergedPack | undefined> {
  const files = new OpenFiles(request.fileSystem, OPEN_FILES)
  try {
    let sources = new Map<OldPack, LivePack>()
    for (const pack of request.packs) {
      const source = await OldPack.of(files, pack.path, pack.index, request).catch(unlessOfSystem)
      const isWorth = request.packs.length > 1 || (source !== undefined && request.isWorth(source.keptBytes, pack))
      if (source !== undefined && isWorth) sources.set(source, pack)
    }
    while (sources.size > 0) {
      const written = await writeMerged(request, [...sources.keys()])
      if (!(written instanceof OldPack)) return written && { ...written, merged: [...sources.values()] }
      const damaged = written
      sources = new Map([...sources].filter(([source]) => source !== damaged))
    }
    return undefined
  } finally {
    await files.close()
  }
}

/** What was written; undefined when nothing is wanted; a pack that proved to be damaged, with nothing written. */
async function writeMerged(
  request: MergeRequest,
  sources: readonly OldPack[],
): Promise<Omit<MergedPack, "merged"> | OldPack | undefined> {
  const writer = newPack(request, request.layout)
  try {
    const damaged = await new Merge(request, sources, writer).run()
    if (damaged !== undefined || writer.count === 0) return damaged
    await writer.publish()
    return { objects: writer.count, sizeBytes: writer.bytesWritten }
  } finally {
    await writer.discard()
  }
}

/** A plain Error is one of a damaged pack. */
function unlessOfSystem(error: unknown): undefined {
  if (error instanceof SnapshotError) throw error
  return undefined
}

/** Where an entry stands in the old packs. */
interface Place {
  readonly pack: OldPack
  readonly at: number
}

/** What an entry holds. */
interface Content {
  /** Undefined for a delta. */
  readonly type: ObjectType | undefined
  /** The zlib stream. */
  readonly content: Uint8Array
  /** What it inflates to. */
  readonly sizeBytes: number
}

/** What an object is stored as from now on: a delta, or whole. */
interface NewContent extends Content {
  readonly base: Place | undefined
}

class Merge {
  readonly #request: MergeRequest
  readonly #packs: readonly OldPack[]
  readonly #writer: PackWriter
  /** Where each object is taken from: the first pack that has it. */
  readonly #places = new Map<Oid, Place>()
  /** Where each object stands in the new pack. */
  readonly #written = new Map<Oid, number>()
  /** What was made of objects and is not written yet. */
  readonly #made = new Map<Oid, NewContent>()
  readonly #tried = new Set<Oid>()
  readonly #chains = new Chains()
  #offset = PACK_HEADER_BYTES
  #comparedBytes = 0
  readonly #pause = pauses()

  constructor(request: MergeRequest, packs: readonly OldPack[], writer: PackWriter) {
    this.#request = request
    this.#packs = packs
    this.#writer = writer
  }

  /** Gives a pack that proved to be damaged. */
  async run(): Promise<OldPack | undefined> {
    for (const pack of this.#packs)
      for (let at = 0; at < pack.count; at++) {
        await this.#pause()
        const oid = pack.oidAt(at)
        if (pack.isKept(at) && !this.#places.has(oid)) this.#places.set(oid, { pack, at })
      }
    for (const [oid, { pack, at }] of this.#places) {
      await this.#pause()
      const base = pack.keptBaseOf(at)
      if (base !== undefined) this.#chains.add(oid, pack.oidAt(base))
    }
    for (const [oid, place] of this.#places) {
      const damaged = await this.#put(oid, place)
      if (damaged !== undefined) return damaged
    }
    return undefined
  }

  /** Writes an object behind all that it builds on. */
  async #put(oid: Oid, place: Place): Promise<OldPack | undefined> {
    const open = [{ oid, place }]
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      this.#request.signal?.throwIfAborted()
      await this.#pause()
      if (this.#written.has(last.oid)) {
        open.pop()
        continue
      }
      const base = await this.#baseOf(last.oid, last.place)
      const baseOid = base?.pack.oidAt(base.at)
      if (base !== undefined && baseOid !== undefined && !this.#written.has(baseOid)) {
        if (open.length > LONGEST_CHAIN) return last.place.pack
        open.push({ oid: baseOid, place: this.#places.get(baseOid) ?? base })
        continue
      }
      if (!(await this.#write(last.oid, last.place, baseOid))) return last.place.pack
      open.pop()
    }
    return undefined
  }

  /** What an object is to be built on: what it was built on, or what a new delta needs. */
  async #baseOf(oid: Oid, { pack, at }: Place): Promise<Place | undefined> {
    const old = pack.keptBaseOf(at)
    if (old !== undefined) return { pack, at: old }
    if (!this.#tried.has(oid)) {
      this.#tried.add(oid)
      const made = pack.baseOf(at) !== undefined ? await this.#rebuilt(oid) : await this.#newDelta(oid, { pack, at })
      if (made !== undefined) this.#made.set(oid, made)
      if (made?.base !== undefined) this.#chains.add(oid, made.base.pack.oidAt(made.base.at))
    }
    return this.#made.get(oid)?.base
  }

  /** An object whose base is to go, as a delta of another one or whole; undefined when it cannot be read. */
  async #rebuilt(oid: Oid): Promise<NewContent | undefined> {
    const { likeness, objects, deflater, largestDelta } = this.#request
    const object = await unlessUnusable(objects.read(oid))
    if (object === undefined) return undefined
    const { type, bytes } = object
    const whole = { base: undefined, type, content: await deflater.deflate(bytes), sizeBytes: bytes.length }
    const like = likeness(oid)
    const base = like === undefined ? undefined : this.#places.get(like)
    if (like === undefined || base === undefined || bytes.length > largestDelta) return whole
    if (whole.content.length < SHORTEST || !this.#chains.isFree(oid, like, MOST_STEPS)) return whole
    const from = await unlessUnusable(objects.read(like))
    if (from === undefined || from.bytes.length > largestDelta) return whole
    return (await this.#deltaOf(from, object, base, whole.content.length)) ?? whole
  }

  async #newDelta(oid: Oid, { pack, at }: Place): Promise<NewContent | undefined> {
    const { likeness, objects, largestDelta } = this.#request
    const like = likeness(oid)
    const base = like === undefined ? undefined : this.#places.get(like)
    const storedBytes = pack.lengthOf(at)
    if (like === undefined || base === undefined || storedBytes < SHORTEST) return undefined
    if (Math.max(pack.sizeOf(at), wholeSizeOf(base)) > largestDelta) return undefined
    if (this.#comparedBytes > MOST_COMPARED || !this.#chains.isFree(oid, like, MOST_STEPS)) return undefined
    this.#comparedBytes += pack.sizeOf(at)
    const [from, result] = [await unlessUnusable(objects.read(like)), await unlessUnusable(objects.read(oid))]
    if (from === undefined || result === undefined || from.bytes.length > largestDelta) return undefined
    return this.#deltaOf(from, result, base, storedBytes)
  }

  /** The result as a delta, where that is much shorter than `storedBytes`. */
  async #deltaOf(
    from: GitObject,
    result: GitObject,
    base: Place,
    storedBytes: number,
  ): Promise<NewContent | undefined> {
    if (from.type !== result.type) return undefined
    const delta = makeDelta(from.bytes, result.bytes, Math.min(result.bytes.length, MOST_TIMES * storedBytes))
    if (delta === undefined) return undefined
    const content = await this.#request.deflater.deflate(delta)
    return content.length * WORTH_IT > storedBytes
      ? undefined
      : { base, type: undefined, content, sizeBytes: delta.length }
  }

  /** False: the entry is damaged. */
  async #write(oid: Oid, { pack, at }: Place, base: Oid | undefined): Promise<boolean> {
    const { deflater, onMerged } = this.#request
    const baseAt = base === undefined ? undefined : this.#written.get(base)
    const made = this.#made.get(oid)
    this.#made.delete(oid)
    const from = made ?? (await oldEntry(deflater, pack, at))
    if (from === undefined) return false
    const { sizeBytes, content, type } = from
    if (baseAt === undefined && type === undefined) return false
    const header = encodeEntryHeader(
      baseAt === undefined
        ? { type: type as ObjectType, sizeBytes }
        : { type: "offset-delta", sizeBytes, distance: this.#offset - baseAt },
    )
    const entry = concat([header, content])
    await this.#writer.addPacked({ oid, entry, crc32: deflater.crc32(entry) })
    this.#written.set(oid, this.#offset)
    this.#offset += entry.length
    onMerged?.(pack.lengthOf(at))
    return true
  }
}

/** About the size of an object: a delta mostly makes as much as what it builds on in the end. */
function wholeSizeOf({ pack, at }: Place): number {
  const seen = new Set<number>()
  let whole = at
  for (let base = pack.baseOf(at); base !== undefined && !seen.has(base); base = pack.baseOf(base)) {
    seen.add(base)
    whole = base
  }
  return pack.sizeOf(whole)
}

/** What an entry holds; undefined when it is damaged. */
async function oldEntry(deflater: Deflater, pack: OldPack, at: number): Promise<Content | undefined> {
  const bytes = await pack.read(at)
  const found = decodeEntryHeader(bytes)
  if (found === undefined || deflater.crc32(bytes) !== pack.crc32At(at)) return undefined
  const { type, sizeBytes } = found.header
  const isDelta = type === "offset-delta" || type === "ref-delta"
  return { type: isDelta ? undefined : type, content: bytes.subarray(found.end), sizeBytes }
}

/** There may be thousands of packs. */
const OPEN_FILES = 64
/** Git itself makes no longer chains than this, unless it is told to; each step takes time when the object is read. */
const MOST_STEPS = 50
/** What is read from others' packs may be longer. Source: https://git-scm.com/docs/git-pack-objects */
const LONGEST_CHAIN = 4096
/** Shorter entries save next to nothing. */
const SHORTEST = 128
/** A delta that is so much longer than what is stored would hardly be shorter when it is compressed. */
const MOST_TIMES = 4
/** So many times shorter it has to be, since reading it takes longer. */
const WORTH_IT = 1.5
/** A run reads no more than this to make deltas. */
const MOST_COMPARED = 4 * 2 ** 30
