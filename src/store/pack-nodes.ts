import type { OpenFile } from "../core/file-system.js"
import type { ObjectType } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import type { PackIndex } from "../core/pack-index.js"
import { baseOffset, placeOf, readEntryHeaders } from "./entry-headers.js"

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
  await readEntryHeaders(file, offsets, (place, header) => {
    if (header?.type === "offset-delta" || header?.type === "ref-delta")
      bases[place] = 1 + placeOf(offsets, baseOffset(index, offsets[place] as number, header))
    else if (header !== undefined) types[place] = TYPES.indexOf(header.type)
  })
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

const UNKNOWN = 0
/** Its deltas end at no base. */
const NONE = 255
const TYPES: readonly (ObjectType | undefined)[] = [undefined, "blob", "tree", "commit", "tag"]
/** Git itself makes no chains above 4,095. Source: https://git-scm.com/docs/git-pack-objects */
const LONGEST_CHAIN = 4095
