/* What a restore does to one file, with synchronous calls: for a thread that may wait, or for a few files on one that may not. */
import { hash } from "node:crypto"
import fs from "node:fs"
import type { FileSwap, NewFile, Swapped } from "../../core/file-batches.js"
import { sameStat } from "../../core/stable-read.js"
import type { Unpacker } from "../../core/unpacker.js"
import { NO_FOLLOW, OPEN_PLAIN_FILE, systemPath } from "./node-calls.js"
import { fileStat } from "./node-stat.js"

/** The calls of node:fs that it takes. */
export type SyncCalls = Pick<
  typeof fs,
  | "openSync"
  | "fchmodSync"
  | "writeSync"
  | "closeSync"
  | "lstatSync"
  | "fstatSync"
  | "readSync"
  | "renameSync"
  | "linkSync"
  | "unlinkSync"
>

/** Makes a file; false, with nothing left of it, when that does not succeed at once. */
export function createNow(calls: SyncCalls, unpacker: Unpacker, { address, permissions, packed }: NewFile): boolean {
  const object = unpacker.unpack(packed)
  if (object?.type !== "blob") return false
  const path = systemPath(address)
  let fd: number | undefined
  try {
    fd = calls.openSync(path, CREATE, permissions)
  } catch {
    return false
  }
  try {
    calls.fchmodSync(fd, permissions)
    for (let at = 0; at < object.bytes.length;) {
      const count = calls.writeSync(fd, object.bytes, at, object.bytes.length - at, at)
      if (count === 0) throw new Error("the system wrote nothing")
      at += count
    }
    const open = fd
    fd = undefined
    calls.closeSync(open)
    return true
  } catch {
    if (fd !== undefined) quietly(() => calls.closeSync(fd as number))
    quietly(() => calls.unlinkSync(path))
    return false
  }
}

/** Puts a new file in the place of an old one. */
export function swapNow(calls: SyncCalls, { address, aside, staged }: FileSwap): Swapped {
  const path = systemPath(address)
  try {
    if (aside !== undefined) {
      const stat = calls.lstatSync(path)
      // A folder would take all that is in it along; to hash a large file may take long.
      if (!stat.isFile() || stat.size > LARGE_BYTES) return "unsettled"
      calls.renameSync(path, systemPath(aside.address))
      if (!isExpected(calls, aside)) {
        calls.linkSync(systemPath(aside.address), path)
        calls.unlinkSync(systemPath(aside.address))
        return "unsettled"
      }
    }
    calls.linkSync(systemPath(staged), path)
  } catch {
    return "unsettled"
  }
  try {
    calls.unlinkSync(systemPath(staged))
    return "placed"
  } catch {
    return "linked"
  }
}

/** Whether a file that was moved aside holds what it should, and held it while it was read. */
function isExpected(calls: SyncCalls, { address, oid, executable }: NonNullable<FileSwap["aside"]>): boolean {
  const fd = calls.openSync(systemPath(address), OPEN_PLAIN_FILE)
  try {
    const before = fileStat(calls.fstatSync(fd, { bigint: true }))
    if (before.kind !== "file" || before.sizeBytes > LARGE_BYTES) return false
    const { sizeBytes } = before
    const header = `blob ${sizeBytes}\0`
    if (memory.length < header.length + sizeBytes) memory = Buffer.allocUnsafeSlow(header.length + 2 * sizeBytes)
    memory.write(header, 0, "latin1")
    const end = header.length + sizeBytes
    for (let at = header.length; at < end;) {
      const count = calls.readSync(fd, memory, at, end - at, at - header.length)
      if (count === 0) return false
      at += count
    }
    const after = fileStat(calls.fstatSync(fd, { bigint: true }))
    if (!sameStat(before, after) || executable !== ((after.permissions & 0o100) !== 0)) return false
    return hash("sha1", memory.subarray(0, end)) === oid
  } finally {
    quietly(() => calls.closeSync(fd))
  }
}

/** Files are read into the same memory, one after the other. */
let memory = Buffer.allocUnsafeSlow(256 * 1024)

function quietly(call: () => void): void {
  try {
    call()
  } catch {
    // What could not be closed is let go all the same; what could not be removed is seen to by whoever asked.
  }
}

const { O_CREAT, O_EXCL, O_RDWR } = fs.constants
const CREATE = O_CREAT | O_EXCL | O_RDWR | NO_FOLLOW
/** Larger files are left to what reads in pieces. */
const LARGE_BYTES = 4 * 1024 * 1024
