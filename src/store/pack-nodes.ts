import type { OpenFile } from "../core/file-system.js"
import type { ObjectType } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { decodeEntryHeader } from "../core/pack.js"
import type { PackIndex } from "../core/pack-index.js"

/** An object of a pack that names others. */
export interface PackNode {
  readonly oid: Oid
  readonly type: Exclude<ObjectType, "blob">
  readonly offset: number
}

/**
 * The trees, commits and tags of a pack, in the order in which they stand there. Only the headers of its entries are
 * read: a delta is of its base's type. What they do not tell is left out.
 */
export async function packNodes(file: OpenFile, index: PackIndex): Promise<PackNode[]> {
  const offsets = sortedOffsets(index)
  const types = new Uint8Array(offsets.length)
  /** For a delta, one more than its base's place in `offsets`. */
  const bases = new Uint32Array(offsets.length)
  const window = { at: 0, bytes: new Uint8Array(0) }
  for (const [place, offset] of offsets.entries()) {
    const isIn = offset >= window.at && offset + HEADER_BYTES <= window.at + window.bytes.length
    if (!isIn) await moveWindow(file, window, offset)
    const header = decodeEntryHeader(window.bytes, offset - window.at)?.header
    if (header?.type === "offset-delta") bases[place] = 1 + placeOf(offsets, offset - header.distance)
    else if (header?.type === "ref-delta") bases[place] = 1 + placeOf(offsets, index.find(header.base))
    else if (header !== undefined) types[place] = TYPES.indexOf(header.type)
  }
  for (const place of offsets.keys()) settleType(types, bases, place)

  const nodes: PackNode[] = []
  for (const { oid, offset } of index.entries()) {
    const type = TYPES[types[placeOf(offsets, offset)] as number]
    if (type !== undefined && type !== "blob") nodes.push({ oid, type, offset })
  }
  return nodes.sort((a, b) => a.offset - b.offset)
}

function sortedOffsets(index: PackIndex): Float64Array {
  const offsets = new Float64Array(index.count)
  let count = 0
  for (const { offset } of index.entries()) offsets[count++] = offset
  return offsets.sort()
}

async function moveWindow(file: OpenFile, window: { at: number; bytes: Uint8Array }, offset: number): Promise<void> {
  const bytes = new Uint8Array(WINDOW_BYTES)
  window.bytes = bytes.subarray(0, await file.read(bytes, offset))
  window.at = offset
}

/** Gives each delta on the way from `place` to a base the base's type. */
function settleType(types: Uint8Array, bases: Uint32Array, place: number): void {
  const chain: number[] = []
  let at = place
  while (types[at] === UNKNOWN && (bases[at] as number) > 0 && chain.length <= LONGEST_CHAIN) {
    chain.push(at)
    at = (bases[at] as number) - 1
  }
  const type = types[at] === UNKNOWN ? NONE : (types[at] as number)
  for (const delta of chain) types[delta] = type
}

/** The place of `offset`, -1 when no entry begins there. */
function placeOf(offsets: Float64Array, offset: number | undefined): number {
  if (offset === undefined) return -1
  let low = 0
  let high = offsets.length
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((offsets[middle] as number) < offset) low = middle + 1
    else high = middle
  }
  return offsets[low] === offset ? low : -1
}

const UNKNOWN = 0
/** Its deltas end at no base. */
const NONE = 255
const TYPES: readonly (ObjectType | undefined)[] = [undefined, "blob", "tree", "commit", "tag"]
/** A size, and an oid or a distance. */
const HEADER_BYTES = 32
const WINDOW_BYTES = 32 * 1024
/** Git itself makes no chains above 4,095. Source: https://git-scm.com/docs/git-pack-objects */
const LONGEST_CHAIN = 4095
