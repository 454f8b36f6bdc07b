import type { Filter } from "../snapshot-store.js"
import type { Option, Session, Words } from "./command.js"
import { wrongUse } from "./values.js"

/** The options that say which paths a command is about. */
export const FILTER_OPTIONS: readonly Option[] = [
  { usage: "--path <path>", text: "Only this file or folder (also: paths after --)", repeatable: true },
  { usage: "--glob <glob>", text: 'Only matching paths, from the top: "src/**/*.ts"', repeatable: true },
]

/** The filter that the command line gives. An empty list of paths is refused: it would mean all of them. */
export function filterOf(words: Words): (session: Session) => Filter {
  if (words.rest?.length === 0) throw wrongUse("paths", 'There is no path after "--". Leave it out to mean all paths.')
  const paths = [...words.values("path"), ...(words.rest ?? [])]
  const globs = words.values("glob")
  if (paths.includes("")) throw wrongUse("paths", "A path is empty.")
  if (globs.includes("")) throw wrongUse("globs", "A glob is empty.")
  return (session) => ({
    ...(paths.length > 0 && { paths: paths.map((path) => session.toStorePath(path)) }),
    ...(globs.length > 0 && { globs }),
  })
}
