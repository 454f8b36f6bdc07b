import { joinPath, type RepoPath } from "../core/path.js"
import { lastVariable, saysYes, type ConfigVariable } from "../core/git-config.js"
import { expandHome, userFile, type ConfigPlaces } from "./config-files.js"
import type { AttributesFile } from "./git-attributes.js"
import type { OwnRepository } from "./own-repository.js"
import { readSmallFile } from "./read-small-file.js"
import { pathFrom } from "./system-path.js"

/** A file of attributes, and since when it is as it is: its ctime, which nothing sets back. */
export interface FoundAttributes extends AttributesFile {
  readonly sinceNs: bigint
  /** It is none of the repository's folders. */
  readonly isOutside: boolean
}

/** Where attributes may be. */
export interface AttributesPlaces extends ConfigPlaces {
  readonly repository: OwnRepository
  /** The variables that count in the work tree. */
  readonly config: readonly ConfigVariable[]
  /** The work tree's folders with a `.gitattributes`. */
  readonly folders: readonly RepoPath[]
}

/**
 * The files of attributes that count in the work tree; undefined when one of them cannot be read.
 * Source: https://git-scm.com/docs/gitattributes
 */
export async function readAttributes(places: AttributesPlaces): Promise<FoundAttributes[] | undefined> {
  const { repository, folders, environment, config } = places
  const { top, commonDir, prefix } = repository
  const setting = lastVariable(config, "core.attributesfile")?.value
  const user = setting === undefined ? userFile(environment, "attributes") : expandHome(environment, setting)
  const isSystemOff = saysYes(environment.variables["GIT_ATTR_NOSYSTEM"] ?? "")
  const outside = [
    ...(isSystemOff ? [] : SYSTEM_FILES),
    ...(user ? [user] : []),
    pathFrom(commonDir, "info/attributes"),
  ]
  const names = prefix === "" ? [] : prefix.split("/")
  const above = names.map((_, depth) => names.slice(0, depth).join("/"))
  const inside = folders.map((folder) => (prefix === "" || folder === "" ? prefix + folder : `${prefix}/${folder}`))
  const wanted = [
    ...outside.map((path) => ({ path: pathFrom(top, path), base: "", isOutside: true })),
    ...[...above, ...inside].map((base) => ({
      path: pathFrom(top, joinPath(base as RepoPath, ATTRIBUTES)),
      base,
      isOutside: false,
    })),
  ]
  const found: FoundAttributes[] = []
  for (const { path, ...place } of wanted) {
    const file = await readDated(places, path)
    if (file === "unreadable") return undefined
    if (file !== undefined) found.push({ ...place, ...file })
  }
  return found
}

export const ATTRIBUTES = ".gitattributes"
/** Where Git's own builds and those of package managers look. */
const SYSTEM_FILES = ["/etc/gitattributes", "/usr/local/etc/gitattributes", "/opt/homebrew/etc/gitattributes"]

async function readDated(
  { fs }: ConfigPlaces,
  path: string,
): Promise<Pick<FoundAttributes, "text" | "sinceNs"> | "unreadable" | undefined> {
  try {
    const real = await fs.realPath(path)
    const stat = real === undefined ? undefined : await fs.lstat(real)
    // An empty device is a usual way to say that there is none.
    if (real === undefined || stat?.kind !== "file") return undefined
    const text = await readSmallFile(fs, real)
    return text === undefined ? "unreadable" : { text, sinceNs: stat.ctimeNs }
  } catch {
    return "unreadable"
  }
}
