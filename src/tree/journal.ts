/*
 * What a restore is about to do, written down before it touches anything, and what it did. A text of two lines:
 *
 *   SHA-1 of the second line, in hex
 *   JSON, as in `RestoreRecord`
 */
import { equalBytes, lossyText, utf8 } from "../core/bytes.js"
import type { Hasher } from "../core/hasher.js"
import { oidAt, toOid, type Oid } from "../core/oid.js"
import type { Keep, PlannedChange } from "../core/restore.js"

/** A restore, a revert, or one of these taken back or done again. */
export interface RestoreRecord {
  readonly version: 1
  /** What its files have in their names for the moment. */
  readonly names: string
  /** Where the work tree was: an unmounted one looks like a finished restore. */
  readonly root: { readonly device: string; readonly inode: string }
  /** What was asked for, as a plan has it. */
  readonly target: unknown
  /** The tree that new contents come from. */
  readonly tree: Oid
  /** What the tree's snapshot is, where there is one. */
  readonly snapshot?: Oid
  /** The snapshot of the work tree before. */
  readonly safety: { readonly ref: string; readonly id: Oid; readonly tree: Oid }
  /** The name of the record that this one takes back: of an undo, or of the undo that a redo takes back. */
  readonly takesBack?: string
  /** Writes and deletes that are to be done; of a finished restore those that were. */
  readonly writes: readonly PlannedChange[]
  readonly deletes: readonly PlannedChange[]
  readonly keeps: readonly Keep[]
  /** Contents that no tree has, in base64 by oid. */
  readonly merged: Readonly<Record<string, string>>
}

/** The bytes of a record. */
export async function encodeRecord(hasher: Hasher, record: RestoreRecord): Promise<Uint8Array> {
  const line = JSON.stringify(record)
  return utf8(`${await digest(hasher, line)}\n${line}\n`)
}

/** The record in `bytes`; undefined when they are not those of one. */
export async function decodeRecord(hasher: Hasher, bytes: Uint8Array): Promise<RestoreRecord | undefined> {
  const [checksum, line = "", rest] = lossyText(bytes).split("\n")
  if (rest !== "" || !equalBytes(utf8(checksum ?? ""), utf8(await digest(hasher, line)))) return undefined
  const record = JSON.parse(line) as Partial<RestoreRecord>
  return record.version === 1 && toOid(record.tree ?? "") !== undefined ? (record as RestoreRecord) : undefined
}

async function digest(hasher: Hasher, line: string): Promise<string> {
  return oidAt(await hasher.sha1([utf8(line)]), 0)
}
