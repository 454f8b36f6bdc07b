/*
 * Reads many short entries of a pack: those that stand close together with one call, and some at a time, so that one is
 * unpacked while others are read. A batch of entries is unpacked beside the event loop where there is something for it.
 */
import type { GitObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { decodeEntryHeader } from "../core/pack.js"
import { drain } from "../core/settle-all.js"
import { pauses } from "../core/turns.js"
import type { PackedEntry } from "../core/unpacker.js"
import { readPiece } from "./file-pieces.js"
import type { PackPorts } from "./pack-entries.js"
import { isNamed } from "./stored-object.js"

/** Where an entry stands, and what it should be. */
export interface EntrySpan {
  readonly oid: Oid
  readonly start: number
  readonly end: number
}

/** Takes an object. False when that is enough: what is under way may still come. */
export type TakeObject = (oid: Oid, object: GitObject) => boolean

/**
 * Gives `take` the entries of the pack at `path` that are short, no deltas, and what they should be. Anything else is
 * passed over.
 */
export async function readShortEntries(
  ports: PackPorts,
  path: string,
  spans: readonly EntrySpan[],
  take: TakeObject,
): Promise<void> {
  let isEnough = false
  await ports.openFiles.use(path, async (file) => {
    await drain(batchesOf(spans).reverse(), BATCHES_AT_ONCE, async (batch) => {
      if (isEnough) return
      const entries: PackedEntry[] = []
      for (const run of batch) {
        const bytes = await readPiece(file, run.start, run.end)
        for (const { oid, start, end } of run.spans)
          entries.push({ oid, entry: bytes.subarray(start - run.start, end - run.start) })
      }
      const short = entries.filter(({ entry }) => (decodeEntryHeader(entry)?.header.sizeBytes ?? 0) <= SHORT_BYTES)
      const objects = (await ports.unpacker?.unpack(short)) ?? (await unpackHere(ports, short))
      for (const [i, { oid }] of short.entries()) {
        const object = objects[i]
        if (object !== undefined && !take(oid, object)) isEnough = true
      }
    })
  })
}

async function unpackHere(
  { deflater, hasher }: PackPorts,
  entries: readonly PackedEntry[],
): Promise<(GitObject | undefined)[]> {
  const pause = pauses()
  const objects: (GitObject | undefined)[] = []
  for (const { oid, entry } of entries) {
    await pause()
    const { header, end = 0 } = decodeEntryHeader(entry) ?? {}
    if (header === undefined || header.type === "offset-delta" || header.type === "ref-delta") {
      objects.push(undefined)
      continue
    }
    const bytes = await deflater.inflate(entry.subarray(end), header.sizeBytes).catch(() => undefined)
    const object = bytes && { type: header.type, bytes }
    objects.push(object && (await isNamed(hasher, oid, object)) ? object : undefined)
  }
  return objects
}

/** Entries that are read at once, with all that is between them. */
interface Run {
  readonly spans: EntrySpan[]
  readonly start: number
  end: number
}

/** Runs in the order in which they are stored, some for each batch. */
function batchesOf(spans: readonly EntrySpan[]): Run[][] {
  const batches: Run[][] = []
  let entries = 0
  let sizeBytes = 0
  for (const run of runsOf(spans)) {
    entries += run.spans.length
    sizeBytes += run.end - run.start
    const batch = batches.at(-1)
    if (batch !== undefined && entries <= BATCH_ENTRIES && sizeBytes <= BATCH_BYTES) {
      batch.push(run)
      continue
    }
    batches.push([run])
    entries = run.spans.length
    sizeBytes = run.end - run.start
  }
  return batches
}

function runsOf(spans: readonly EntrySpan[]): Run[] {
  const runs: Run[] = []
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    if (span.end - span.start > SHORT_BYTES) continue
    const run = runs.at(-1)
    const isNear = run !== undefined && span.start - run.end <= GAP_BYTES && span.end - run.start <= RUN_BYTES
    if (isNear && run.spans.length < BATCH_ENTRIES) {
      run.spans.push(span)
      run.end = span.end
    } else runs.push({ spans: [span], start: span.start, end: span.end })
  }
  return runs
}

/** Longer ones are read one by one. */
const SHORT_BYTES = 128 * 1024
/** Reading over so much takes no longer than another call. */
const GAP_BYTES = 16 * 1024
const RUN_BYTES = 128 * 1024
const BATCH_BYTES = 256 * 1024
const BATCH_ENTRIES = 64
const BATCHES_AT_ONCE = 4
