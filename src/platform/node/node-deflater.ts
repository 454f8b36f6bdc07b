import { pipeline } from "node:stream/promises"
import type { Transform } from "node:stream"
import zlib from "node:zlib"
import type { Deflater } from "../../core/deflater.js"
import { canHold, damagedStream, WRONG_SIZE } from "../damaged-stream.js"
import { compressNow, compressPooled, COMPRESSION } from "./compression.js"
import { onPool, Pace, type Done } from "./pace.js"

/** Compression by Node's zlib. What takes longer than a fraction of a millisecond is done on the thread pool. */
export function nodeDeflater(): Deflater {
  const pace = new Pace()
  return {
    deflate: (bytes) => deflate(pace, bytes),
    inflate,
    inflateAll,
    deflateStream,
    inflateStream,
    crc32,
  }
}

async function deflate(pace: Pace, bytes: Uint8Array): Promise<Uint8Array> {
  const pooled = (done: Done<Uint8Array>): void => compressPooled(bytes, done)
  return plainBytes(
    await (bytes.length > DEFLATE_HERE_BYTES ? onPool(pooled) : pace.call(() => compressNow(bytes), pooled)),
  )
}

async function inflate(bytes: Uint8Array, sizeBytes: number): Promise<Uint8Array> {
  if (!canHold(bytes.length, sizeBytes)) throw damagedStream(WRONG_SIZE)
  // One byte more than expected shows content that is too long. A chunk of that size holds all of it, without copies.
  const content = await inflated(bytes, { maxOutputLength: sizeBytes + 1, chunkSize: Math.max(64, sizeBytes + 1) })
  if (content.length !== sizeBytes) throw damagedStream(WRONG_SIZE)
  return content
}

async function inflateAll(bytes: Uint8Array, limitBytes: number): Promise<Uint8Array> {
  const chunkSize = Math.min(Math.max(64, 4 * bytes.length), 256 * 1024)
  const content = await inflated(bytes, { maxOutputLength: Math.max(1, limitBytes), chunkSize })
  if (content.length > limitBytes) throw damagedStream(`it holds more than ${limitBytes} bytes`)
  return content
}

function deflateStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return through(chunks, () => zlib.createDeflate({ ...COMPRESSION, chunkSize: PIECE_BYTES }))
}

async function* inflateStream(
  chunks: AsyncIterable<Uint8Array>,
  onEnd?: (streamBytes: number) => void,
): AsyncIterable<Uint8Array> {
  const stream = zlib.createInflate({ chunkSize: PIECE_BYTES })
  try {
    yield* through(chunks, () => stream)
  } catch (cause) {
    throw isOfZlib(cause) ? damagedStream(reasonOf(cause), cause) : cause
  }
  onEnd?.(stream.bytesWritten)
}

function crc32(bytes: Uint8Array, previous = 0): number {
  return zlib.crc32(bytes, previous)
}

async function inflated(bytes: Uint8Array, options: zlib.ZlibOptions): Promise<Uint8Array> {
  const here = Math.min(options.maxOutputLength ?? 0, 4 * bytes.length) <= INFLATE_HERE_BYTES
  try {
    return plainBytes(
      here ? zlib.inflateSync(bytes, options) : await onPool((done) => zlib.inflate(bytes, options, done)),
    )
  } catch (cause) {
    throw damagedStream(reasonOf(cause), cause)
  }
}

async function* through(chunks: AsyncIterable<Uint8Array>, make: () => Transform): AsyncIterable<Uint8Array> {
  const transform = make()
  // What goes wrong in the source reaches the loop below through the stream.
  const fed = pipeline(chunks, transform).catch(() => undefined)
  try {
    for await (const piece of transform) yield plainBytes(piece as Buffer)
  } finally {
    transform.destroy()
    await fed
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function isOfZlib(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" && cause.code.startsWith("Z_")
}

function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** Takes about 0.3 ms; the way over the thread pool costs 0.05 ms and pays off from here on. */
const DEFLATE_HERE_BYTES = 32 * 1024
const INFLATE_HERE_BYTES = 128 * 1024
const PIECE_BYTES = 64 * 1024
