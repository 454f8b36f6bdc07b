/*
 * Reads many short entries of a pack: those that stand close together with one call, and some calls at a time.
 */
import type { Oid } from "../core/oid.js"
import { decodeEntryHeader } from "../core/pack.js"
import { drain } from "../core/settle-all.js"
import type { PackedEntry } from "../core/unpacker.js"
import { readPiece } from "./file-pieces.js"
import type { OpenFiles } from "./open-files.js"

/** Where an entry stands, and what it should be. */
export interface EntrySpan {
  readonly oid: Oid
  readonly start: number
  readonly end: number
}

/** Takes an entry, and how long its content says to be. False when that is enough: what is under way may still come. */
export type TakeEntry = (packed: PackedEntry, sizeBytes: number) => boolean

/** Gives `take` the entries of the pack at `path` that are short and no deltas. Anything else is passed over. */
export async function readShortEntries(
  openFiles: OpenFiles,
  path: string,
  spans: readonly EntrySpan[],
  take: TakeEntry,
): Promise<void> {
  let isEnough = false
  await openFiles.use(path, async (file) => {
    await drain(runsOf(spans).reverse(), READS_AT_ONCE, async (run) => {
      if (isEnough) return
      const bytes = await readPiece(file, run.start, run.end)
      for (const { oid, start, end } of run.spans) {
        const entry = bytes.subarray(start - run.start, end - run.start)
        const header = decodeEntryHeader(entry)?.header
        if (header === undefined || header.type === "offset-delta" || header.type === "ref-delta") continue
        if (header.sizeBytes <= SHORT_BYTES && !take({ oid, entry }, header.sizeBytes)) isEnough = true
      }
    })
  })
}

/** Entries that are read at once, with all that is between them. */
interface Run {
  readonly spans: EntrySpan[]
  readonly start: number
  end: number
}

/** In the order in which they are stored. */
function runsOf(spans: readonly EntrySpan[]): Run[] {
  const runs: Run[] = []
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    if (span.end - span.start > SHORT_BYTES) continue
    const run = runs.at(-1)
    if (run !== undefined && span.start - run.end <= GAP_BYTES && span.end - run.start <= RUN_BYTES) {
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
const READS_AT_ONCE = 4
