import type { OpenFile } from "../core/file-system.js"
import { decodeEntryHeader, type PackEntryHeader } from "../core/pack.js"
import type { PackIndex } from "../core/pack-index.js"

/** The header of an entry that builds on another one. */
export type DeltaHeader = Extract<PackEntryHeader, { readonly type: "offset-delta" | "ref-delta" }>

/** Reads the headers of a pack's entries, which begin at `offsets`, the lowest first. One that makes no sense is given as undefined. */
export async function readEntryHeaders(
  file: OpenFile,
  offsets: Float64Array,
  take: (place: number, header: PackEntryHeader | undefined) => void,
): Promise<void> {
  let windowAt = 0
  let window = new Uint8Array(0)
  for (const [place, offset] of offsets.entries()) {
    if (offset < windowAt || offset + HEADER_BYTES > windowAt + window.length) {
      const bytes = new Uint8Array(WINDOW_BYTES)
      window = bytes.subarray(0, await file.read(bytes, offset))
      windowAt = offset
    }
    take(place, decodeEntryHeader(window, offset - windowAt)?.header)
  }
}

/** Where the entry begins that the delta at `offset` builds on; undefined when it is not in the pack. */
export function baseOffset(index: PackIndex, offset: number, header: DeltaHeader): number | undefined {
  return header.type === "offset-delta" ? offset - header.distance : index.find(header.base)
}

/** The place of `offset` among `offsets`, the lowest first; -1 when no entry begins there. */
export function placeOf(offsets: Float64Array, offset: number | undefined): number {
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

/** A size, and an oid or a distance. */
const HEADER_BYTES = 32
const WINDOW_BYTES = 32 * 1024
