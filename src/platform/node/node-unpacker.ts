import { hash } from "node:crypto"
import zlib from "node:zlib"
import type { GitObject, ObjectType } from "../../core/object.js"
import { decodeEntryHeader } from "../../core/pack.js"
import type { PackedEntry, Unpacker } from "../../core/unpacker.js"
import { canHold } from "../damaged-stream.js"

/** Unpacks with Node's zlib and OpenSSL, on the calling thread. */
export function nodeUnpacker(): Unpacker {
  let memory = Buffer.allocUnsafeSlow(FIRST_BYTES)

  /** The object id of a content: it is put behind its header, since one call for both takes a third of several. */
  function nameOf(type: ObjectType, bytes: Uint8Array): string {
    const header = `${type} ${bytes.length}\0`
    const wanted = header.length + bytes.length
    if (wanted > memory.length) memory = Buffer.allocUnsafeSlow(2 * wanted)
    memory.write(header, 0, "latin1")
    memory.set(bytes, header.length)
    return hash("sha1", memory.subarray(0, wanted))
  }

  return {
    unpack({ oid, entry }: PackedEntry): GitObject | undefined {
      const decoded = decodeEntryHeader(entry)
      if (decoded === undefined) return undefined
      const { type, sizeBytes } = decoded.header
      if (type === "offset-delta" || type === "ref-delta") return undefined
      const bytes = inflated(entry.subarray(decoded.end), sizeBytes)
      return bytes !== undefined && nameOf(type, bytes) === oid ? { type, bytes } : undefined
    },
  }
}

const FIRST_BYTES = 160 * 1024

function inflated(stream: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  if (!canHold(stream.length, sizeBytes)) return undefined
  if (isOneStoredBlock(stream, sizeBytes)) return new Uint8Array(stream.subarray(STORED_AT, STORED_AT + sizeBytes))
  try {
    // One byte more than expected shows content that is too long. A chunk of that size holds all of it, without copies.
    const options = { maxOutputLength: sizeBytes + 1, chunkSize: Math.max(64, sizeBytes + 1) }
    const bytes = zlib.inflateSync(stream, options)
    return bytes.length === sizeBytes ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether a zlib stream is one block that was stored as it is, as short contents are: to set up zlib for these takes
 * longer than all else. Its checksum need not be looked at, since the content is hashed.
 * Source: RFC 1950, RFC 1951 (3.2.4)
 */
function isOneStoredBlock(stream: Uint8Array, sizeBytes: number): boolean {
  return (
    stream.length >= STORED_AT + sizeBytes &&
    ((stream[0] as number) & 15) === DEFLATE &&
    ((stream[1] as number) & PRESET_DICTIONARY) === 0 &&
    ((stream[2] as number) & 7) === LAST_AND_STORED &&
    ((stream[3] as number) | ((stream[4] as number) << 8)) === sizeBytes
  )
}

/** Two bytes of zlib's own, one that begins the block, its length twice. */
const STORED_AT = 7
const DEFLATE = 8
const PRESET_DICTIONARY = 0x20
const LAST_AND_STORED = 1
