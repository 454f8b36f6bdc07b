import type { Change, FileDiff } from "./change.js"
import type { PackedEntry } from "./unpacker.js"

/** The content of one side: in memory, or as it stands in a pack; undefined when the side is not there. */
export type DiffContent = Uint8Array | PackedEntry | undefined

/** A changed file, to be compared line by line. */
export interface DiffQuestion {
  readonly change: Change
  readonly before: DiffContent
  readonly after: DiffContent
}

/** Port: compares the lines of files beside the event loop. Nothing of it rejects. */
export interface Differ {
  /** To be told that there is much to compare: what takes time to start is started. */
  expect(): void
  /** Resolves with true when it can take files, with false when it cannot and will not soon. */
  ready(): Promise<boolean>
  /**
   * Each change with its lines; undefined for one that is to be compared by the caller, since a content is not what its
   * oid names, and undefined as a whole when nothing could be done. `context` is the number of lines around a change.
   */
  diff(
    questions: readonly DiffQuestion[],
    context: number | undefined,
  ): Promise<readonly (FileDiff | undefined)[] | undefined>
}
