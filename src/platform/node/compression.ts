import zlib, { type ZlibOptions } from "node:zlib"
import { concat } from "../../core/bytes.js"
import type { Done } from "./pace.js"

/** Level 1 takes 0.4 of the time of zlib's default, for 18 % more bytes; level 2 takes 1.2 times as long for 4 % less. */
export const COMPRESSION: ZlibOptions = { level: 1 }

/** `bytes` as one zlib stream, made at once. The same bytes always give the same stream. */
export function compressNow(bytes: Uint8Array): Uint8Array {
  return bytes.length <= STORED_BYTES ? storedStream(bytes) : zlib.deflateSync(bytes, compressionOf(bytes))
}

/** As compressNow, on the thread pool where there is something to compress. */
export function compressPooled(bytes: Uint8Array, done: Done<Uint8Array>): void {
  if (bytes.length <= STORED_BYTES) done(null, storedStream(bytes))
  else zlib.deflate(bytes, compressionOf(bytes), done)
}

/**
 * How to compress a content of which all is known. Trying costs most where it gains nothing, as with pictures and
 * archives: of a large content some pieces are tried, and when they do not shrink all of it is stored as it is.
 */
function compressionOf(bytes: Uint8Array): ZlibOptions {
  const isTaken = bytes.length <= TRIED_BYTES || shrinks(bytes)
  return isTaken ? { ...COMPRESSION, chunkSize: chunkBytes(bytes.length) } : { level: 0 }
}

/** Most streams fit into one chunk of this size. The default, 16 KiB, is too much for most files and too little for the others. */
function chunkBytes(sizeBytes: number): number {
  return Math.min(LEAST_CHUNK_BYTES + Math.ceil(sizeBytes / 2), MOST_CHUNK_BYTES)
}

const LEAST_CHUNK_BYTES = 64
const MOST_CHUNK_BYTES = 1024 * 1024

/**
 * A stream with the bytes as they are, in one block: as small as what zlib makes of the smallest files, without the
 * time that it takes to begin a stream. Of a tree of source files, which has a third of such files, all grows by 0.3 %.
 * Source: RFC 1950, RFC 1951
 */
function storedStream(bytes: Uint8Array): Uint8Array {
  const stream = new Uint8Array(bytes.length + 11)
  const view = new DataView(stream.buffer)
  view.setUint16(0, ZLIB_HEADER)
  view.setUint8(2, LAST_STORED_BLOCK)
  view.setUint16(3, bytes.length, true)
  view.setUint16(5, ~bytes.length, true)
  stream.set(bytes, 7)
  view.setUint32(7 + bytes.length, adler32(bytes))
  return stream
}

/** Of few enough bytes that no sum outgrows a number. */
function adler32(bytes: Uint8Array): number {
  let [sum, sumOfSums] = [1, 0]
  for (const byte of bytes) {
    sum += byte
    sumOfSums += sum
  }
  return (sumOfSums % ADLER_BASE) * 65_536 + (sum % ADLER_BASE)
}

/** A window of 32 KiB, the least effort, no dictionary. */
const ZLIB_HEADER = 0x7801
const LAST_STORED_BLOCK = 1
const ADLER_BASE = 65_521
const STORED_BYTES = 256
/** Trying some pieces of less is not worth it. */
const TRIED_BYTES = 128 * 1024
const PIECES = 4
const PIECE_BYTES = 4 * 1024

function shrinks(bytes: Uint8Array): boolean {
  const apart = Math.floor((bytes.length - PIECE_BYTES) / (PIECES - 1))
  const pieces = Array.from({ length: PIECES }, (_, i) => bytes.subarray(i * apart, i * apart + PIECE_BYTES))
  return zlib.deflateSync(concat(pieces), COMPRESSION).length < 0.97 * PIECES * PIECE_BYTES
}
