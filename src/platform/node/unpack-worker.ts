/* A thread that unpacks: takes entries of packs, and gives the objects that they hold and that are what they should be. */
import { createHash } from "node:crypto"
import { parentPort } from "node:worker_threads"
import zlib from "node:zlib"
import { objectHeader, type GitObject } from "../../core/object.js"
import { compareOidAt } from "../../core/oid.js"
import { decodeEntryHeader } from "../../core/pack.js"
import type { PackedEntry } from "../../core/unpacker.js"
import { canHold } from "../damaged-stream.js"
import { joinObjects, splitEntries, type UnpackBatch } from "./unpack-batch.js"

parentPort?.on("message", (batch: UnpackBatch) => {
  const reply = joinObjects(splitEntries(batch).map(unpack))
  parentPort?.postMessage(reply, [reply.bytes.buffer])
})

function unpack({ oid, entry }: PackedEntry): GitObject | undefined {
  const decoded = decodeEntryHeader(entry)
  if (decoded === undefined) return undefined
  const { type, sizeBytes } = decoded.header
  if (type === "offset-delta" || type === "ref-delta" || !canHold(entry.length, sizeBytes)) return undefined
  try {
    // One byte more than expected shows content that is too long. A chunk of that size holds all of it, without copies.
    const options = { maxOutputLength: sizeBytes + 1, chunkSize: Math.max(64, sizeBytes + 1) }
    const bytes = zlib.inflateSync(entry.subarray(decoded.end), options)
    const hash = createHash("sha1").update(objectHeader(type, sizeBytes)).update(bytes).digest()
    return bytes.length === sizeBytes && compareOidAt(hash, 0, oid) === 0 ? { type, bytes } : undefined
  } catch {
    return undefined
  }
}
