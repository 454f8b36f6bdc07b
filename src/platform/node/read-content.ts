import { hash } from "node:crypto"
import fs from "node:fs"
import zlib from "node:zlib"
import type { ContentTooLarge } from "../../core/content-reader.js"
import type { Oid } from "../../core/oid.js"
import { encodeEntryHeader } from "../../core/pack.js"
import { isFresh, sameStat } from "../../core/stable-read.js"
import { compressNow } from "./compression.js"
import type { BatchedFile, FoundHere } from "./content-batch.js"
import { OPEN_PLAIN_FILE, systemPath } from "./node-calls.js"
import { fileStat } from "./node-stat.js"

/** Reads files one after the other, into the same memory. For a thread that may wait. */
export class SynchronousReader {
  #memory = Buffer.alloc(0)

  /**
   * One try at a file. Undefined when it does not settle what the file holds: the file is no plain one, it changed since
   * it was opened or shortly before, or the system refuses.
   */
  read({ address, isWanted, knownOid }: BatchedFile, limitBytes: number): FoundHere | ContentTooLarge | undefined {
    let fd: number | undefined
    try {
      const openedMs = Date.now()
      fd = fs.openSync(systemPath(address), OPEN_PLAIN_FILE)
      const before = fileStat(fs.fstatSync(fd, { bigint: true }))
      if (before.kind !== "file") return undefined
      const { sizeBytes } = before
      if (sizeBytes > limitBytes) return { sizeBytes }
      const { header, content } = this.#room(sizeBytes)
      if (!isFilled(fd, content)) return undefined
      const after = fileStat(fs.fstatSync(fd, { bigint: true }))
      if (!sameStat(before, after) || isFresh(after, openedMs)) return undefined
      const oid = hash("sha1", header) as Oid
      const packed = isWanted && oid !== knownOid ? packedBlob(content) : undefined
      return { oid, stat: before, openedMs, packed }
    } catch {
      return undefined
    } finally {
      if (fd !== undefined) closeQuietly(fd)
    }
  }

  /** Gives the memory of a large file back. */
  rest(): void {
    if (this.#memory.length > KEPT_BYTES) this.#memory = Buffer.alloc(0)
  }

  /** Room for a content, and for the same with the header in front that is hashed with it. */
  #room(sizeBytes: number): { readonly header: Buffer; readonly content: Buffer } {
    const header = `blob ${sizeBytes}\0`
    const wanted = HEADER_BYTES + sizeBytes
    if (wanted > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(Math.max(wanted, FIRST_BYTES))
    const start = HEADER_BYTES - header.length
    this.#memory.write(header, start, "latin1")
    return {
      header: this.#memory.subarray(start, wanted),
      content: this.#memory.subarray(HEADER_BYTES, wanted),
    }
  }
}

const HEADER_BYTES = 32
const FIRST_BYTES = 256 * 1024
const KEPT_BYTES = 1024 * 1024

function isFilled(fd: number, content: Uint8Array): boolean {
  for (let filled = 0; filled < content.length;) {
    const count = fs.readSync(fd, content, filled, content.length - filled, filled)
    if (count === 0) return false
    filled += count
  }
  return true
}

function packedBlob(content: Uint8Array): FoundHere["packed"] {
  const header = encodeEntryHeader({ type: "blob", sizeBytes: content.length })
  const stream = compressNow(content)
  return { header, stream, crc32: zlib.crc32(stream, zlib.crc32(header)) }
}

/** A file that was only read loses nothing when it cannot be closed. */
function closeQuietly(fd: number): void {
  try {
    fs.closeSync(fd)
  } catch {
    // The system has let go of it all the same.
  }
}
