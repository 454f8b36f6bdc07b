/*
 * What goes to the thread that unpacks and what comes back, in few and plain pieces: copying objects from thread to thread
 * takes longer than unpacking one.
 */
import type { GitObject, ObjectType } from "../../core/object.js"
import { OID_BYTES } from "../../core/oid.js"
import type { PackedEntry } from "../../core/unpacker.js"

/** Entries one behind the other. */
export interface UnpackBatch {
  /** 40 digits for each. */
  readonly oids: string
  readonly lengths: Uint32Array
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Contents one behind the other. */
export interface UnpackedBatch {
  /** For each entry a letter of LETTERS, or "-" when it was not unpacked. */
  readonly types: string
  readonly lengths: Uint32Array
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Joins entries. */
export function joinEntries(entries: readonly PackedEntry[]): UnpackBatch {
  return {
    oids: entries.map(({ oid }) => oid).join(""),
    ...joined(entries.map(({ entry }) => entry)),
  }
}

/** The entries of a batch. */
export function splitEntries({ oids, lengths, bytes }: UnpackBatch): PackedEntry[] {
  return split(lengths, bytes).map((entry, i) => ({
    oid: oids.slice(i * 2 * OID_BYTES, (i + 1) * 2 * OID_BYTES) as PackedEntry["oid"],
    entry,
  }))
}

/** Joins what was unpacked. */
export function joinObjects(objects: readonly (GitObject | undefined)[]): UnpackedBatch {
  return {
    types: objects.map((object) => (object === undefined ? "-" : LETTERS[TYPES.indexOf(object.type)])).join(""),
    ...joined(objects.map((object) => object?.bytes ?? NOTHING)),
  }
}

/** What was unpacked. */
export function splitObjects({ types, lengths, bytes }: UnpackedBatch): (GitObject | undefined)[] {
  return split(lengths, bytes).map((content, i) => {
    const type = TYPES[LETTERS.indexOf(types[i] as string)]
    return type === undefined ? undefined : { type, bytes: content }
  })
}

function joined(parts: readonly Uint8Array[]): Pick<UnpackBatch, "lengths" | "bytes"> {
  const lengths = Uint32Array.from(parts, ({ length }) => length)
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + padded(length), 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += padded(part.length)
  }
  return { lengths, bytes }
}

function split(lengths: Uint32Array, bytes: Uint8Array): Uint8Array[] {
  let at = 0
  return Array.from(lengths, (length) => {
    const start = at
    at += padded(length)
    return bytes.subarray(start, start + length)
  })
}

/** Parts begin at multiples of eight, so that they can be compared by words. */
function padded(length: number): number {
  return (length + 7) & ~7
}

const TYPES: readonly ObjectType[] = ["commit", "tree", "blob", "tag"]
const LETTERS = "ctbg"
const NOTHING = new Uint8Array(0)
