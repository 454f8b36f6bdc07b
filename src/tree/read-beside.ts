import type { ContentAnswer, ContentFound, ContentReader, RequestedFile } from "../core/content-reader.js"
import { settleAll } from "../core/settle-all.js"
import { WHOLE_FILE_BYTES } from "./read-file.js"

/** Who wants the files. All calls name a file by its place in the list. */
export interface FileTaker {
  /** Contents are wanted as entries of a pack. */
  readonly isWanted: boolean
  /** Whoever admits files wants to be asked about every file above this size. */
  readonly limitBytes: number
  /**
   * Whether a large file is to be read: undefined when it is not. Resolves once so much memory is free, and held for it;
   * what it gives frees it again.
   */
  admit(file: number, sizeBytes: number): Promise<(() => void) | undefined>
  /** Takes what a file held; false when that is of no use. */
  take(file: number, found: ContentFound): boolean | Promise<boolean>
}

/**
 * Reads files of any size together, beside the event loop. Gives the places of those that were not taken, as they did not
 * settle, are too large to be held in memory, or were not admitted; undefined where there is too little to do.
 */
export async function readBeside(
  reader: ContentReader,
  files: readonly RequestedFile[],
  { isWanted, limitBytes, admit, take }: FileTaker,
): Promise<number[] | undefined> {
  const answers = await reader.read({ files, isWanted, limitBytes: Math.min(TOGETHER_BYTES, limitBytes) })
  if (answers === undefined) return undefined
  const left: number[] = []
  const underWay: Promise<void>[] = []
  const noteUnless = (file: number, isTaken: boolean): void => {
    if (!isTaken) left.push(file)
  }

  async function readLarge(file: number, sizeBytes: number): Promise<void> {
    const free = sizeBytes > WHOLE_FILE_BYTES ? undefined : await admit(file, sizeBytes)
    if (free === undefined) return void left.push(file)
    try {
      // It may have grown since, and holds no memory for that.
      const again = await reader.read({ files: files.slice(file, file + 1), isWanted, limitBytes: sizeBytes })
      const answer = again?.[0]
      noteUnless(file, answer !== undefined && "oid" in answer && (await take(file, answer)))
    } finally {
      free()
    }
  }

  async function takeAll(found: readonly ContentAnswer[]): Promise<void> {
    for (const [file, answer] of found.entries()) {
      if (answer === undefined) left.push(file)
      else if (!("oid" in answer)) {
        const reading = readLarge(file, answer.sizeBytes)
        // It may fail before anybody waits for it.
        reading.catch(() => {})
        underWay.push(reading)
      } else {
        const taken = take(file, answer)
        noteUnless(file, typeof taken === "boolean" ? taken : await taken)
      }
    }
  }

  try {
    await takeAll(answers)
  } finally {
    // Whatever fails, nothing goes on behind the caller's back.
    await settleAll(underWay)
  }
  return left
}

/** As many files of this size as are read at a time find room in memory. */
const TOGETHER_BYTES = 256 * 1024
