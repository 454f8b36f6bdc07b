import {
  Deflate,
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  deflate as pakoDeflate,
  zlibInflate,
  zlibInflateInit2,
} from "pako"
import { concat } from "../../core/bytes.js"
import type { Deflater } from "../../core/deflater.js"
import { canHold, CUT, damagedStream, WRONG_SIZE } from "../damaged-stream.js"
import { crc32 } from "./crc32.js"

/** Compression by pako, for where there is no zlib. It works on the calling thread. */
export function webDeflater(): Deflater {
  return { deflate, inflate, inflateAll, deflateStream, inflateStream, crc32 }
}

async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  return pakoDeflate(bytes, { level: LEVEL })
}

async function inflate(bytes: Uint8Array, sizeBytes: number): Promise<Uint8Array> {
  if (!canHold(bytes.length, sizeBytes)) throw damagedStream(WRONG_SIZE)
  const stream = startInflate()
  stream.input = bytes
  stream.avail_in = bytes.length
  // One byte more than expected shows content that is too long.
  stream.output = new Uint8Array(sizeBytes + 1)
  stream.avail_out = sizeBytes + 1
  const hasEnded = step(stream)
  if (stream.total_out > sizeBytes) throw damagedStream(WRONG_SIZE)
  if (!hasEnded) throw damagedStream(CUT)
  if (stream.total_out !== sizeBytes) throw damagedStream(WRONG_SIZE)
  return stream.output.subarray(0, sizeBytes)
}

async function inflateAll(bytes: Uint8Array, limitBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  for await (const piece of inflateStream(one(bytes))) {
    sizeBytes += piece.length
    if (sizeBytes > limitBytes) throw damagedStream(`it holds more than ${limitBytes} bytes`)
    pieces.push(piece)
  }
  return concat(pieces)
}

async function* deflateStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const stream = new Deflate({ level: LEVEL })
  let ready: Uint8Array[] = []
  stream.onData = (piece) => ready.push(piece)
  for await (const chunk of chunks) {
    stream.push(chunk, false)
    yield* ready
    ready = []
  }
  stream.push(new Uint8Array(0), true)
  yield* ready
}

async function* inflateStream(
  chunks: AsyncIterable<Uint8Array>,
  onEnd?: (streamBytes: number) => void,
): AsyncIterable<Uint8Array> {
  const stream = startInflate()
  for await (const chunk of chunks) {
    stream.input = chunk
    stream.next_in = 0
    stream.avail_in = chunk.length
    while (stream.avail_in > 0) {
      stream.output = new Uint8Array(CHUNK_BYTES)
      stream.next_out = 0
      stream.avail_out = CHUNK_BYTES
      const hasEnded = step(stream)
      if (stream.next_out > 0) yield stream.output.subarray(0, stream.next_out)
      if (hasEnded) return onEnd?.(stream.total_in)
    }
  }
  throw damagedStream(CUT)
}

function startInflate(): ZStream {
  const stream = new ZStream()
  zlibInflateInit2(stream, WINDOW_BITS)
  return stream
}

/** Inflates as much as input and output allow; whether the stream has ended. */
function step(stream: ZStream): boolean {
  const status = zlibInflate(stream, Z_NO_FLUSH)
  if (status === Z_STREAM_END) return true
  // Z_BUF_ERROR says no more than that input or output is used up.
  if (status !== Z_OK && status !== Z_BUF_ERROR) throw damagedStream(stream.msg || "it is no zlib stream")
  return false
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

const LEVEL = 1
/** Takes zlib streams of any window, and no gzip. */
const WINDOW_BITS = 15
const CHUNK_BYTES = 64 * 1024
