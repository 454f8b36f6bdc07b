/*
 * How many bytes each object of a gitdir takes, by its place in one table of all of them. Many objects take few bytes of
 * memory each: the table holds no text.
 */
import { concat } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import { OID_BYTES, oidBytes, putOid, type Oid } from "../core/oid.js"
import { OidSet } from "../core/oid-set.js"
import { PACK_TRAILER_BYTES } from "../core/pack.js"
import { pauses } from "../core/turns.js"
import { DeltaBases } from "./delta-bases.js"
import { baseOffset, placeOf, readEntryHeaders } from "./entry-headers.js"
import { OpenFiles } from "./open-files.js"
import type { OwnLoose } from "./own-files.js"
import { openPackFile } from "./pack-file.js"
import type { ObjectPorts } from "./stored-object.js"

/** The objects of some packs, and loose ones. */
export interface StoredObjects {
  /** Of the table; no place is as high. */
  readonly rows: number
  /** Where an object stands in the table; undefined for one that is not among them. */
  place(oid: Oid): number | undefined
  /** By place, the bytes of all copies: entries of packs and files of loose objects. */
  readonly copyBytes: Float64Array
  /** By place, those of the largest copy. */
  readonly largestBytes: Float64Array
  /** By place, one more than the place of what the largest copy builds on as a delta; 0 where it stands whole, or that was not asked for. */
  readonly bases: Uint32Array
  /** The paths of the packs that cannot be read; nothing of them counts. */
  readonly unread: ReadonlySet<string>
}

/** Which objects to read, and how much of them. */
export interface StoredObjectsRequest {
  /** Paths of packs, without extension. */
  readonly packs: readonly string[]
  readonly loose: readonly OwnLoose[]
  /** Tells what deltas build on, too: each entry's header is read for it. */
  readonly withBases: boolean
}

/** Reads the table. What is damaged, gone or refused by the system is passed over. */
export async function readStoredObjects(ports: ObjectPorts, request: StoredObjectsRequest): Promise<StoredObjects> {
  const openFiles = new OpenFiles(ports.fileSystem, OPEN_FILES)
  const parts: Part[] = [looseObjects(request.loose)]
  const unread = new Set<string>()
  try {
    for (const path of request.packs) {
      const part = await unlessUnread(packedObjects(ports, openFiles, path, request.withBases))
      if (part === undefined) unread.add(path)
      else parts.push(part)
      await openFiles.forget(`${path}.pack`)
    }
  } finally {
    await openFiles.close()
  }
  return { ...(await tableOf(parts)), unread }
}

/** Some objects, row by row. */
interface Part {
  readonly oids: Uint8Array
  readonly sizes: Float64Array
  /** By row, one more than the row of what a delta builds on; undefined where none is one. */
  readonly bases: Uint32Array | undefined
}

function looseObjects(loose: readonly OwnLoose[]): Part {
  const oids = new Uint8Array(loose.length * OID_BYTES)
  for (const [row, { oid }] of loose.entries()) putOid(oid, oids, row * OID_BYTES)
  return { oids, sizes: Float64Array.from(loose, ({ sizeBytes }) => sizeBytes), bases: undefined }
}

async function packedObjects(
  ports: ObjectPorts,
  openFiles: OpenFiles,
  path: string,
  withBases: boolean,
): Promise<Part | undefined> {
  const pack = await openPackFile({ ...ports, openFiles, bases: new DeltaBases(1), limitBytes: 0 }, path)
  if (pack === undefined) return undefined
  const { index } = pack
  const pause = pauses()
  const oids = new Uint8Array(index.count * OID_BYTES)
  let at = 0
  for (const { oid } of index.entries()) {
    putOid(oid, oids, at)
    at += OID_BYTES
    await pause()
  }
  return openFiles.use(`${path}.pack`, async (file) => {
    const { starts, rows } = await index.inOrder((await file.stat()).sizeBytes - PACK_TRAILER_BYTES)
    const sizes = new Float64Array(index.count)
    for (const [place, row] of rows.entries())
      sizes[row] = Math.max(0, (starts[place + 1] as number) - (starts[place] as number))
    const bases = withBases ? new Uint32Array(index.count) : undefined
    const offsets = starts.subarray(0, index.count)
    if (bases !== undefined)
      await readEntryHeaders(file, offsets, (place, header) => {
        if (header?.type !== "offset-delta" && header?.type !== "ref-delta") return
        const base = placeOf(offsets, baseOffset(index, offsets[place] as number, header))
        if (base >= 0) bases[rows[place] as number] = 1 + (rows[base] as number)
      })
    return { oids, sizes, bases }
  })
}

async function unlessUnread(reading: Promise<Part | undefined>): Promise<Part | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof SnapshotError) return undefined
    throw error
  }
}

async function tableOf(parts: readonly Part[]): Promise<Omit<StoredObjects, "unread">> {
  const oids = concat(parts.map((part) => part.oids))
  const rows = oids.length / OID_BYTES
  const known = new OidSet(oids)
  const copyBytes = new Float64Array(rows)
  const largestBytes = new Float64Array(rows)
  const bases = new Uint32Array(rows)
  const pause = pauses()
  const placeAt = (row: number): number => known.place(oids, row * OID_BYTES) as number
  let first = 0
  for (const part of parts) {
    for (const [row, size] of part.sizes.entries()) {
      await pause()
      const place = placeAt(first + row)
      copyBytes[place] = (copyBytes[place] as number) + size
      if (size <= (largestBytes[place] as number)) continue
      largestBytes[place] = size
      const base = part.bases?.[row] ?? 0
      bases[place] = base === 0 ? 0 : 1 + placeAt(first + base - 1)
    }
    first += part.sizes.length
  }
  return { rows, place: (oid) => known.place(oidBytes(oid)), copyBytes, largestBytes, bases }
}

const OPEN_FILES = 1
