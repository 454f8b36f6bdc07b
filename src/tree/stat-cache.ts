/*
 * What the last capture of a work tree found, kept from one capture to the next, and in a file from one process to the
 * next. It only saves work: what cannot be read, or does not belong together, is as good as none.
 */
import type { StatChecker } from "../core/stat-checker.js"
import type { Hasher } from "../core/hasher.js"
import { nextTurn } from "../core/turns.js"
import type { ConfirmedRows } from "./confirm-rows.js"
import { decodeKnown, encodeKnown } from "./known-file.js"
import { viewKnown, type KnownTree, type KnownView } from "./known-tree.js"
import type { NamedTable } from "./stat-table.js"

/** What is known of a work tree. */
export interface StatCache {
  /** What the last capture found, in this process or in one before. */
  known(): Promise<KnownTree | undefined>
  /** What of it still holds; `root` is the path of the work tree. `confirm` reads what its times do not vouch for. */
  view(known: KnownTree, root: string, confirm?: (seen: NamedTable) => Promise<ConfirmedRows>): Promise<KnownView>
  /** Keeps what a capture found, in memory. */
  keep(known: KnownTree): void
  /** Writes what was kept last, while other work goes on. */
  save(): void
  /** Resolves when all is written. */
  close(): Promise<void>
}

/** Where the cache is kept between processes. */
export interface CacheFile {
  read(): Promise<Uint8Array | undefined>
  write(bytes: Uint8Array): Promise<void>
}

/** A cache in `file`. `key` names the options that what was found depends on: with others, nothing is known. */
export function statCache(checker: StatChecker, hasher: Hasher, file: CacheFile, key: string): StatCache {
  let known: Promise<KnownTree | undefined> | undefined
  let unwritten: KnownTree | undefined
  let writing: Promise<void> | undefined

  async function load(): Promise<KnownTree | undefined> {
    try {
      const bytes = await file.read()
      return bytes === undefined ? undefined : await decodeKnown(hasher, bytes, key)
    } catch {
      return undefined
    }
  }

  async function write(): Promise<void> {
    while (unwritten !== undefined) {
      const next = unwritten
      unwritten = undefined
      // The next process knows nothing then, and looks at everything.
      await encodeKnown(hasher, next, key)
        .then((bytes) => file.write(bytes))
        .catch(() => {})
    }
    writing = undefined
  }

  return {
    known: () => (known ??= load()),
    view: (tree, root, confirm) => viewKnown(tree, checker, root, confirm),
    keep(found) {
      known = Promise.resolve(found)
      unwritten = found
    },
    save() {
      // Not at once: encoding would hold back the answer of the capture.
      if (unwritten !== undefined) writing ??= nextTurn().then(write)
    },
    async close() {
      await writing
    },
  }
}
