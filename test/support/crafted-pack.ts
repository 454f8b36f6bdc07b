import { concat } from "../../src/core/bytes.js"
import { encodeEntryHeader, encodePackHeader, type PackEntryHeader } from "../../src/core/pack.js"
import { encodePackIndex, type PackIndexEntry } from "../../src/core/pack-index.js"
import type { Oid } from "../../src/core/oid.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"

/** An entry to put into a pack, whether it makes sense or not. */
export interface CraftedEntry {
  readonly oid: Oid
  readonly header: PackEntryHeader
  /** What the zlib stream holds, whatever size the header claims. */
  readonly content: Uint8Array
}

/** A pack and its index with correct checksums, whatever the entries are. */
export async function craftPack(
  entries: readonly CraftedEntry[],
): Promise<{ readonly pack: Uint8Array; readonly index: Uint8Array; readonly offsets: readonly number[] }> {
  const parts = [encodePackHeader(entries.length)]
  const rows: PackIndexEntry[] = []
  let offset = 12
  for (const { oid, header, content } of entries) {
    const entry = concat([encodeEntryHeader(header), await nodeDeflater().deflate(content)])
    rows.push({ oid, offset, crc32: nodeDeflater().crc32(entry) })
    parts.push(entry)
    offset += entry.length
  }
  const checksum = await nodeHasher().sha1(parts)
  const index = await encodePackIndex(nodeHasher(), rows, checksum)
  return { pack: concat([...parts, checksum]), index, offsets: rows.map((row) => row.offset) }
}

/** A step of a delta. */
export type DeltaStep = { readonly copy: readonly [start: number, length: number] } | { readonly insert: Uint8Array }

/** A delta with these steps, written in full: no position or length byte is left out unless it is 0. */
export function encodeDelta(baseBytes: number, resultBytes: number, steps: readonly DeltaStep[]): Uint8Array {
  const bytes: number[] = [...varint(baseBytes), ...varint(resultBytes)]
  for (const step of steps) {
    if ("insert" in step) {
      bytes.push(step.insert.length, ...step.insert)
      continue
    }
    const [start, length] = step.copy
    let instruction = 0x80
    const operands: number[] = []
    for (let i = 0; i < 4; i++) {
      const byte = Math.floor(start / 256 ** i) % 256
      if (byte === 0) continue
      instruction |= 1 << i
      operands.push(byte)
    }
    for (let i = 0; i < 3; i++) {
      const byte = length === 0x10000 ? 0 : Math.floor(length / 256 ** i) % 256
      if (byte === 0) continue
      instruction |= 16 << i
      operands.push(byte)
    }
    bytes.push(instruction, ...operands)
  }
  return Uint8Array.from(bytes)
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...varint(Math.floor(value / 128))]
}
