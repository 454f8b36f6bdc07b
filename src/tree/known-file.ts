/*
 * A known tree as a file:
 *
 *   "tskt"      4 bytes
 *   version     4 bytes, the lowest first, as all numbers here
 *   length      4 bytes: of the text
 *   rows        4 bytes
 *   names       4 bytes: length of the text of names
 *   padding     4 bytes
 *   columns     as in stat-table.ts
 *   text        JSON: the key, the tree, the manifest, the rules
 *   checksum    20 bytes: SHA-1 of all that stands before
 */
import { concat, equalBytes, lossyText, utf8 } from "../core/bytes.js"
import type { Hasher } from "../core/hasher.js"
import { decodeManifest, encodeManifest } from "../core/manifest.js"
import { toOid } from "../core/oid.js"
import { namesOf } from "../core/stat-checker.js"
import type { KnownTree } from "./known-tree.js"
import { pauses } from "../core/turns.js"
import { isSound, sharedBuffer, tableBytes, viewTable } from "./stat-table.js"

/** The bytes of a known tree; `key` has to be given again to read them. */
export async function encodeKnown(hasher: Hasher, known: KnownTree, key: string): Promise<Uint8Array> {
  const { tree, rulesDigest, rulesStamp, files } = known
  const { table } = known.seen
  const manifest = lossyText(encodeManifest(known.manifest))
  const text = utf8(JSON.stringify({ key, tree, manifest, rulesDigest, rulesStamp, files }))
  const header = new Uint8Array(HEADER_BYTES)
  const view = new DataView(header.buffer)
  header.set(MAGIC)
  for (const [i, number] of [VERSION, text.length, table.count, table.names.length].entries())
    view.setUint32(4 + 4 * i, number, true)
  const parts = [header, table.bytes, text]
  return concat([...parts, await hasher.sha1(parts)])
}

/** The known tree in `bytes`; undefined when they hold none, or one of another key. With a damaged manifest: OBJECT_CORRUPT. */
export async function decodeKnown(hasher: Hasher, bytes: Uint8Array, key: string): Promise<KnownTree | undefined> {
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [version, textLength = 0, count = 0, namesLength = 0] = [0, 1, 2, 3].map((i) => view.getUint32(4 + 4 * i, true))
  const columnsLength = tableBytes(count, namesLength)
  const end = HEADER_BYTES + columnsLength + textLength
  if (version !== VERSION || bytes.length !== end + CHECKSUM_BYTES) return undefined
  const pause = pauses()
  if (!equalBytes(await hasher.sha1([bytes.subarray(0, end)]), bytes.subarray(end))) return undefined
  await pause()
  const text = parsed(lossyText(bytes.subarray(HEADER_BYTES + columnsLength, end)))
  const { tree, manifest, rulesDigest, rulesStamp, files } = text
  const oid = toOid(String(tree))
  if (text["key"] !== key || oid === undefined || typeof rulesDigest !== "string" || typeof files !== "number")
    return undefined
  await pause()
  const buffer = sharedBuffer(columnsLength)
  new Uint8Array(buffer).set(bytes.subarray(HEADER_BYTES, HEADER_BYTES + columnsLength))
  const table = viewTable(buffer, count, namesLength)
  await pause()
  if (!isSound(table)) return undefined
  await pause()
  return {
    tree: oid,
    manifest: decodeManifest(utf8(String(manifest)), oid),
    rulesDigest,
    rulesStamp: typeof rulesStamp === "string" ? rulesStamp : undefined,
    files,
    seen: { table, names: namesOf(table) },
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const MAGIC = utf8("tskt")
const VERSION = 1
const HEADER_BYTES = 24
const CHECKSUM_BYTES = 20
