import { isInside, joinPath, parentOf, type RepoPath } from "../core/path.js"
import { readAttributes, type AttributesPlaces } from "./attributes-files.js"
import { convertedPatterns } from "./git-attributes.js"
import { ignoreRules } from "./ignore-rules.js"

/** Where Git may store other bytes than files hold. */
export interface Conversions {
  /**
   * Whether what Git stored for a file may be something else than the file holds: by an attribute, or because a file of
   * attributes is not older than the file's ctime, so that others may have applied when Git read it.
   */
  mayApply(path: RepoPath, ctimeNs: bigint): boolean
}

/**
 * Reads the attributes that count in the work tree. `indexed`: folders, from the repository's top, in which the index has
 * a file of attributes; where it is gone, Git takes the one of the index, and everything may be converted. Undefined when
 * there are no attributes at all, "all" when nothing can be counted on.
 */
export async function readConversions(
  places: AttributesPlaces,
  indexed: readonly RepoPath[],
): Promise<Conversions | "all" | undefined> {
  const files = await readAttributes(places)
  if (files === undefined) return "all"
  const { prefix } = places.repository
  const gone = indexed.filter((folder) => !files.some(({ base, isOutside }) => base === folder && !isOutside))
  if (files.length === 0 && gone.length === 0) return undefined
  const sources = convertedPatterns([...files, ...gone.map((base) => ({ base, text: "* text" }))])
  const isEverything = ({ base, text }: { readonly base: string; readonly text: string }): boolean =>
    isInside(prefix, base) && text.split("\n").includes("*")
  if (sources.some(isEverything)) return "all"
  const rules = sources.length === 0 ? undefined : ignoreRules({ sources, prefix, exclude: [], ignoreCase: true })
  return {
    mayApply(path, ctimeNs) {
      const folder = prefix === "" ? parentOf(path) : joinPath(prefix as RepoPath, parentOf(path))
      if (files.some(({ base, sinceNs }) => ctimeNs <= sinceNs && isInside(folder, base))) return true
      return rules?.ignores(path, "file") === true
    },
  }
}
