/* A thread that compresses: takes contents one behind the other, and gives their zlib streams in the same form. */
import { parentPort } from "node:worker_threads"
import zlib from "node:zlib"
import { COMPRESSION, type DeflateBatch } from "./deflate-batch.js"

parentPort?.on("message", ({ bytes, lengths }: DeflateBatch) => {
  let at = 0
  const parts = lengths.map((length) => zlib.deflateSync(bytes.subarray(at, (at += length)), COMPRESSION))
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  const reply: DeflateBatch = { bytes: whole, lengths: parts.map(({ length }) => length) }
  parentPort?.postMessage(reply, [whole.buffer])
})
