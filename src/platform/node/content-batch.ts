/*
 * What goes to a reading thread and what comes back, in few and plain pieces: copying objects from thread to thread takes
 * longer than reading a small file.
 */
import { concat } from "../../core/bytes.js"
import type { ContentAnswer, ContentFound, ContentRequest, ContentTooLarge } from "../../core/content-reader.js"
import type { Oid } from "../../core/oid.js"

/** Files to read. */
export interface ContentBatch {
  /** For each file its address, then what is known: all parted by NUL. */
  readonly text: string
  readonly limitBytes: number
}

/** Answers for the next files of a batch, in order; there may be several such for one batch. */
export interface ContentAnswers {
  /** NUMBERS for each file. */
  readonly numbers: Float64Array
  /** WHOLE_NUMBERS for each file. */
  readonly wholeNumbers: BigInt64Array
  /** 40 digits for each file that was read. */
  readonly oids: string
  /** The entries of those that have one, one behind the other. */
  readonly entries: Uint8Array
}

/** A file of a batch. */
export interface BatchedFile {
  readonly address: string
  readonly isWanted: boolean
  readonly knownOid: string
}

/** What a thread found, before it is put together with others. */
export interface FoundHere extends Omit<ContentFound, "packed"> {
  readonly packed: { readonly header: Uint8Array; readonly stream: Uint8Array; readonly crc32: number } | undefined
}

/** What was asked, as one batch; all requests have the same limit. */
export function encodeBatch(requests: readonly ContentRequest[]): ContentBatch {
  const fields: string[] = []
  for (const { files, isWanted } of requests)
    for (const { address, knownOid } of files) fields.push(address, isWanted ? (knownOid ?? "") : UNWANTED)
  return { text: fields.join("\0"), limitBytes: requests[0]?.limitBytes ?? 0 }
}

/** The files of a batch. */
export function decodeBatch({ text }: ContentBatch): BatchedFile[] {
  const fields = text === "" ? [] : text.split("\0")
  const files: BatchedFile[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const known = fields[i + 1] as string
    files.push({ address: fields[i] as string, isWanted: known !== UNWANTED, knownOid: known })
  }
  return files
}

/** Collects answers. */
export class AnswerWriter {
  readonly #numbers: number[] = []
  readonly #wholeNumbers: bigint[] = []
  #oids = ""
  /** Headers and streams. */
  #parts: Uint8Array[] = []
  #bytes = 0

  get count(): number {
    return this.#numbers.length / NUMBERS
  }

  /** Bytes of the entries so far. */
  get bytes(): number {
    return this.#bytes
  }

  add(answer: FoundHere | ContentTooLarge | undefined): void {
    if (answer === undefined) return this.#addOther(UNSETTLED, 0)
    if (!("oid" in answer)) return this.#addOther(TOO_LARGE, answer.sizeBytes)
    const { oid, stat, openedMs, packed } = answer
    const entryBytes = packed === undefined ? 0 : packed.header.length + packed.stream.length
    this.#numbers.push(entryBytes, stat.sizeBytes, stat.permissions, stat.links, openedMs, packed?.crc32 ?? 0)
    this.#wholeNumbers.push(stat.mtimeNs, stat.ctimeNs, stat.device, stat.inode)
    this.#oids += oid
    if (packed === undefined) return
    this.#parts.push(packed.header, packed.stream)
    this.#bytes += entryBytes
  }

  /** All of them. */
  take(): ContentAnswers {
    return {
      numbers: Float64Array.from(this.#numbers),
      wholeNumbers: BigInt64Array.from(this.#wholeNumbers),
      oids: this.#oids,
      entries: concat(this.#parts),
    }
  }

  #addOther(what: number, sizeBytes: number): void {
    this.#numbers.push(what, sizeBytes, 0, 0, 0, 0)
    this.#wholeNumbers.push(0n, 0n, 0n, 0n)
  }
}

/** What came back, file by file. */
export function* decodeAnswers(answers: ContentAnswers): Generator<ContentAnswer> {
  const { numbers, wholeNumbers, oids, entries } = answers
  const number = (row: number, column: number): number => numbers[row * NUMBERS + column] as number
  const whole = (row: number, column: number): bigint => wholeNumbers[row * WHOLE_NUMBERS + column] as bigint
  let [digitsAt, entryAt] = [0, 0]
  for (let row = 0; row < numbers.length / NUMBERS; row++) {
    const entryBytes = number(row, 0)
    if (entryBytes < 0) {
      yield entryBytes === TOO_LARGE ? { sizeBytes: number(row, 1) } : undefined
      continue
    }
    const oid = oids.slice(digitsAt, (digitsAt += 40)) as Oid
    const entry = entries.subarray(entryAt, (entryAt += entryBytes))
    yield {
      oid,
      stat: {
        kind: "file",
        permissions: number(row, 2),
        sizeBytes: number(row, 1),
        mtimeNs: whole(row, 0),
        ctimeNs: whole(row, 1),
        device: whole(row, 2),
        inode: whole(row, 3),
        links: number(row, 3),
      },
      openedMs: number(row, 4),
      packed: entryBytes === 0 ? undefined : { oid, entry, crc32: number(row, 5) },
    }
  }
}

/** In the place of a known oid. */
const UNWANTED = "-"
/** Bytes of the entry (0: none; below: one of the two below), size, permissions, links, time of opening, CRC-32. */
const NUMBERS = 6
/** Times of the last change of content and of the file, device, inode. */
const WHOLE_NUMBERS = 4
const UNSETTLED = -1
const TOO_LARGE = -2
