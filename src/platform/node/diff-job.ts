/* What goes to a thread that compares lines and what comes back, in few and plain pieces. */
import type { Change, FileDiff } from "../../core/change.js"
import type { DiffContent, DiffQuestion } from "../../core/differ.js"
import type { Oid } from "../../core/oid.js"
import type { PackedEntry, Unpacker } from "../../core/unpacker.js"
import { joinBytes, splitBytes, type JoinedBytes } from "./joined-bytes.js"
import type { Job } from "./job-thread.js"

/** Files to compare. */
export interface DiffJob {
  readonly kind: "diff"
  readonly changes: readonly Change[]
  readonly context: number | undefined
  /** The content before and after of each. */
  readonly contents: JoinedBytes
  /** For each content whether it is packed. */
  readonly packed: readonly boolean[]
}

/** What was found, file by file. */
export interface DiffAnswer {
  /** Additions, deletions, and 1 for a binary; -1 first for a file that was not compared. */
  readonly numbers: Int32Array
  readonly patches: readonly string[]
}

/** Compares one file; undefined sides are not there. */
export type DiffOne = (
  change: Change,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
  options: { readonly context?: number },
) => FileDiff

export function diffJob(questions: readonly DiffQuestion[], context: number | undefined): Job {
  const sides = questions.flatMap(({ before, after }) => [before, after])
  const contents = joinBytes(sides.map((side) => (isPacked(side) ? side.entry : side)))
  const question: DiffJob = {
    kind: "diff",
    changes: questions.map(({ change }) => change),
    context,
    contents,
    packed: sides.map(isPacked),
  }
  return { question, handOver: [contents.bytes.buffer] }
}

/** Compares the files of a job. What cannot be unpacked is left to whoever asked. */
export function answerDiff(unpacker: Unpacker, diffOne: DiffOne, job: DiffJob): DiffAnswer {
  const pieces = splitBytes(job.contents)
  const numbers = new Int32Array(3 * job.changes.length).fill(-1)
  const contentOf = (at: number, version: Change["before"]): Uint8Array | undefined | "damaged" => {
    const piece = pieces[at]
    if (piece === undefined || job.packed[at] !== true) return piece
    const object = unpacker.unpack({ oid: version?.oid as Oid, entry: piece })
    return object?.type === "blob" ? object.bytes : "damaged"
  }
  const patches = job.changes.map((change, i) => {
    const before = contentOf(2 * i, change.before)
    const after = contentOf(2 * i + 1, change.after)
    if (before === "damaged" || after === "damaged") return ""
    const { additions, deletions, binary, patch } = diffOne(
      change,
      before,
      after,
      job.context === undefined ? {} : { context: job.context },
    )
    numbers.set([additions, deletions, binary ? 1 : 0], 3 * i)
    return patch
  })
  return { numbers, patches }
}

/** The changes that were asked about, with what was found. */
export function diffsIn(
  questions: readonly DiffQuestion[],
  { numbers, patches }: DiffAnswer,
): (FileDiff | undefined)[] {
  return questions.map(({ change }, i) => {
    const additions = numbers[3 * i] as number
    if (additions < 0) return undefined
    const deletions = numbers[3 * i + 1] as number
    return { ...change, additions, deletions, binary: numbers[3 * i + 2] === 1, patch: patches[i] as string }
  })
}

function isPacked(content: DiffContent): content is PackedEntry {
  return content !== undefined && "entry" in content
}
