import type { RevertOptions } from "../snapshot-store.js"
import type { Option, Session, Words } from "./command.js"
import { FILTER_OPTIONS, filterOf } from "./filter.js"

/** The options that plan, restore and revert share. */
export const RESTORE_OPTIONS: readonly Option[] = [
  ...FILTER_OPTIONS,
  { usage: "--keep-added", text: "Keep files that were added since the snapshot" },
]

/** Of a revert, and of its plan. */
export const KEEP_EDITED: Option = {
  usage: "--keep-edited",
  text: "Keep files that were edited since, do not merge them",
}

/** Of all that may delete. */
export const YES: Option = { usage: "--yes", text: "Do not ask before deleting" }

/** The options of a restore or a revert that the command line gives. */
export function restoreOptionsOf(words: Words): (session: Session) => RevertOptions {
  const filter = filterOf(words)
  return (session) => ({
    ...filter(session),
    ...(words.has("keep-added") && { added: "keep" }),
    ...(words.has("keep-edited") && { merge: false }),
    signal: session.signal,
    onProgress: session.onProgress,
  })
}

/** The words that give the same options again. */
export function givenAgain(words: Words): string[] {
  const paths = [...words.values("path"), ...(words.rest ?? [])]
  return [
    ...paths.map((path) => `--path=${path}`),
    ...words.values("glob").map((glob) => `--glob=${glob}`),
    ...(words.has("keep-added") ? ["--keep-added"] : []),
    ...(words.has("keep-edited") ? ["--keep-edited"] : []),
  ]
}
