/*
 * What a restore is about to do, written down before it touches anything, and what it did. Lines of text:
 *
 *   SHA-1 of all that follows, in hex
 *   JSON, as in `RestoreRecord` without its steps and keeps
 *   ["writes" | "deletes" | "keeps", one of them], as often as there are some
 */
import { concat, lossyText, utf8 } from "../core/bytes.js"
import type { Hasher } from "../core/hasher.js"
import { oidAt, toOid, type Oid } from "../core/oid.js"
import type { Keep, PlannedChange } from "../core/restore.js"
import { pauses } from "../core/turns.js"

/** A restore, a revert, or one of these taken back or done again. */
export interface RestoreRecord {
  readonly version: 1
  /** What its files have in their names for the moment. */
  readonly names: string
  /** Where the work tree was: an unmounted one looks like a finished restore. */
  readonly root: { readonly device: string; readonly inode: string }
  /** What was asked for, as a plan has it. */
  readonly target: object
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
  const { writes, deletes, keeps, ...head } = record
  const pause = pauses()
  const portions: Uint8Array[] = []
  let lines = [JSON.stringify(head)]
  const flush = (): void => {
    portions.push(utf8(`${lines.join("\n")}\n`))
    lines = []
  }
  for (const [kind, items] of Object.entries({ writes, deletes, keeps }))
    for (const item of items) {
      await pause()
      lines.push(JSON.stringify([kind, item]))
      if (lines.length === LINES_AT_ONCE) flush()
    }
  if (lines.length > 0) flush()
  return concat([utf8(`${await digest(hasher, portions)}\n`), ...portions])
}

const LINES_AT_ONCE = 1000

/** The record in `bytes`; undefined when they are not those of one. */
export async function decodeRecord(hasher: Hasher, bytes: Uint8Array): Promise<RestoreRecord | undefined> {
  const begin = DIGEST_DIGITS + 1
  const body = bytes.subarray(begin)
  if (lossyText(bytes.subarray(0, begin)) !== `${await digest(hasher, [body])}\n`) return undefined
  const [first = "", ...lines] = lossyText(body).trimEnd().split("\n")
  try {
    const head = JSON.parse(first) as Partial<RestoreRecord>
    if (head.version !== 1 || toOid(head.tree ?? "") === undefined) return undefined
    const steps = { writes: [] as unknown[], deletes: [] as unknown[], keeps: [] as unknown[] }
    const pause = pauses()
    for (const line of lines) {
      await pause()
      const [kind, item] = JSON.parse(line) as [keyof typeof steps, unknown]
      steps[kind].push(item)
    }
    return { ...head, ...steps } as unknown as RestoreRecord
  } catch {
    // With the right checksum, it comes from hostile hands.
    return undefined
  }
}

const DIGEST_DIGITS = 40

async function digest(hasher: Hasher, portions: readonly Uint8Array[]): Promise<string> {
  return oidAt(await hasher.sha1(portions), 0)
}
