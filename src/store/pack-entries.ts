import { applyDelta, deltaSizes } from "../core/delta.js"
import type { GitObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { decodeEntryHeader, PACK_HEADER_BYTES, type PackEntryHeader } from "../core/pack.js"
import type { PackIndex } from "../core/pack-index.js"
import type { DeltaBases } from "./delta-bases.js"
import { readPiece, readPieces } from "./file-pieces.js"
import type { OpenFiles } from "./open-files.js"
import { tooLarge, type ObjectPorts } from "./stored-object.js"

/** What packs are read with. */
export interface PackPorts extends ObjectPorts {
  readonly openFiles: OpenFiles
  readonly bases: DeltaBases
  /** Larger objects are not read into memory as a whole. */
  readonly limitBytes: number
}

/** An entry of a pack: its header, and where its zlib stream stands. */
export interface PackEntry {
  readonly header: PackEntryHeader
  readonly contentAt: number
  readonly end: number
  /** The zlib stream, when it was short enough to be read together with the header. */
  readonly content?: Uint8Array
}

/** Where the entries of a pack are. */
export type EntryPlaces = Pick<PackIndex, "find" | "nextOffset" | "packChecksum">

/**
 * Reads the entries of one pack and puts deltas and their bases together. What it gives is not verified; what it
 * cannot make sense of throws a plain Error.
 */
export class PackEntries {
  readonly #ports: PackPorts
  readonly #path: string
  readonly #index: EntryPlaces
  readonly #end: number
  readonly #cacheKey: string

  /** `end` is where the last entry ends. */
  constructor(ports: PackPorts, path: string, index: EntryPlaces, end: number) {
    this.#ports = ports
    this.#path = path
    this.#index = index
    this.#end = end
    this.#cacheKey = `${path}:${index.packChecksum.join(".")}`
  }

  /** The entry at `offset`. */
  at(offset: number): Promise<PackEntry> {
    const span = this.span(offset)
    if (span === undefined) throw new Error("An entry lies outside the pack.")
    const { end } = span
    return this.#ports.openFiles.use(this.#path, async (file) => {
      const start = await readPiece(file, offset, Math.min(end, offset + FIRST_READ_BYTES))
      const decoded = decodeEntryHeader(start)
      if (decoded === undefined) throw new Error("An entry has no header.")
      const whole = { header: decoded.header, contentAt: offset + decoded.end, end }
      return offset + start.length === end ? { ...whole, content: start.subarray(decoded.end) } : whole
    })
  }

  /** Where the entry at `offset` stands; undefined when that is outside the pack. */
  span(offset: number): { readonly start: number; readonly end: number } | undefined {
    const end = this.#index.nextOffset(offset) ?? this.#end
    return offset < PACK_HEADER_BYTES || offset >= end || end > this.#end ? undefined : { start: offset, end }
  }

  /** The object at `offset`, which `oid` names: its own bytes, or its deltas applied to their base. */
  async resolve(offset: number, oid: Oid): Promise<GitObject> {
    const known = this.#ports.bases.get(this.#cacheKey, offset)
    // The caller gets bytes of its own: what it does with them must not reach the cache.
    if (known !== undefined) return { type: known.type, bytes: new Uint8Array(known.bytes) }

    const { base, deltas } = await this.#chain(offset, oid)
    let { offset: at, object } = base
    for (const { offset: next, entry } of deltas.reverse()) {
      this.#ports.bases.set(this.#cacheKey, at, object)
      object = { type: object.type, bytes: await this.#applied(object.bytes, entry, oid) }
      at = next
    }
    return object
  }

  /** From the entry at `offset` down to a base that is no delta, or that is known already; deltas from the last applied one on. */
  async #chain(offset: number, oid: Oid): Promise<{ base: Located; deltas: LocatedDelta[] }> {
    const deltas: LocatedDelta[] = []
    const seen = new Set<number>()
    let at = offset
    for (;;) {
      if (seen.has(at) || seen.size > LONGEST_CHAIN) throw new Error("Its deltas do not end at a base.")
      seen.add(at)
      const known = this.#ports.bases.get(this.#cacheKey, at)
      if (known !== undefined) return { base: { offset: at, object: known }, deltas }

      const entry = await this.at(at)
      const { header } = entry
      if (header.type !== "offset-delta" && header.type !== "ref-delta") {
        const object = { type: header.type, bytes: await this.#content(entry, oid) }
        return { base: { offset: at, object }, deltas }
      }
      deltas.push({ offset: at, entry: shortened(entry) })
      const next = header.type === "offset-delta" ? at - header.distance : this.#index.find(header.base)
      if (next === undefined) throw new Error("The base of a delta is not in the pack.")
      if (header.type === "offset-delta" && next >= at) throw new Error("The base of a delta does not stand before it.")
      at = next
    }
  }

  async #applied(base: Uint8Array, entry: PackEntry, oid: Oid): Promise<Uint8Array> {
    const delta = await this.#content(entry, oid)
    const resultBytes = deltaSizes(delta)?.resultBytes ?? 0
    if (resultBytes > this.#ports.limitBytes && resultBytes <= delta.length * MOST_COPIED)
      throw tooLarge(oid, resultBytes)
    const result = applyDelta(base, delta)
    if (result === undefined) throw new Error("A delta does not fit its base.")
    return result
  }

  /** The inflated content of an entry. Nothing is allocated for a size that its stream cannot hold. */
  async #content(entry: PackEntry, oid: Oid): Promise<Uint8Array> {
    const { deflater, openFiles, limitBytes } = this.#ports
    const { sizeBytes } = entry.header
    const storedBytes = entry.end - entry.contentAt
    if (sizeBytes > storedBytes * MOST_SHRINKING) throw new Error("An entry is too short for the size that it claims.")
    if (sizeBytes > limitBytes) throw tooLarge(oid, sizeBytes)
    if (entry.content !== undefined) return deflater.inflate(entry.content, sizeBytes)
    return openFiles.use(this.#path, async (file) => {
      const { contentAt, end } = entry
      if (storedBytes <= usualBytes(sizeBytes))
        return deflater.inflate(await readPiece(file, contentAt, end), sizeBytes)
      return collected(deflater.inflateStream(readPieces(file, contentAt, end)), sizeBytes)
    })
  }
}

interface Located {
  readonly offset: number
  readonly object: GitObject
}

interface LocatedDelta {
  readonly offset: number
  readonly entry: PackEntry
}

/** The entry without a content that would be much to keep for a whole chain. */
function shortened(entry: PackEntry): PackEntry {
  if ((entry.content?.length ?? 0) <= KEPT_BYTES) return entry
  return { header: entry.header, contentAt: entry.contentAt, end: entry.end }
}

/** More than zlib makes of so many bytes at worst. */
function usualBytes(sizeBytes: number): number {
  return sizeBytes * 1.25 + 64 * 1024
}

/** All of `chunks`, which have to be `sizeBytes` long. */
async function collected(chunks: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(sizeBytes)
  let at = 0
  for await (const chunk of chunks) {
    if (at + chunk.length > sizeBytes) throw new Error("An entry is longer than the size that it claims.")
    whole.set(chunk, at)
    at += chunk.length
  }
  if (at !== sizeBytes) throw new Error("An entry is shorter than the size that it claims.")
  return whole
}

/** Holds most entries of source code as a whole. */
const FIRST_READ_BYTES = 32 * 1024
const KEPT_BYTES = 4096
/** Git itself makes no chains above 4,095. Source: https://git-scm.com/docs/git-pack-objects */
const LONGEST_CHAIN = 4095
/** No zlib stream shrinks its content to less than one part in so many. Source: https://zlib.net/zlib_tech.html */
const MOST_SHRINKING = 1032
/** A delta's shortest instruction copies no more than this for each of its bytes. */
const MOST_COPIED = 0xffffff
