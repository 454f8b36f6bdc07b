import ignore, { type Ignore } from "ignore"
import type { IgnoreSource } from "../core/manifest.js"
import { joinPath, type RepoPath } from "../core/path.js"
import { pathCharacters } from "./glob-bytes.js"
import { ignorePatterns, MOST_GAPS, type IgnorePattern } from "./ignore-pattern.js"

/** The rules that hold in a folder of the work tree and below. */
export interface IgnoreRules {
  /** These rules together with those of `folder`'s own ignore file, whose `text` came from decodeName. */
  enter(folder: RepoPath, text: string): IgnoreRules
  /**
   * Whether the path, or a folder above it, is ignored. A link is a file. The root never is.
   * Give it paths below the last folder that was entered: other folders' files are not known here.
   */
  ignores(path: RepoPath, kind: "file" | "folder"): boolean
}

/** What ignore rules are made of. */
export interface IgnoreRulesOptions {
  /** Rules from outside the work tree, from the weakest to the strongest. */
  readonly sources: readonly IgnoreSource[]
  /** The work tree's path from the ignore root; "" when it is the ignore root. */
  readonly prefix: string
  /** Patterns as lines of an ignore file in the work tree's root, stronger than all others. */
  readonly exclude: readonly string[]
  /** Patterns match whatever the case of ASCII letters. */
  readonly ignoreCase: boolean
}

/** The rules that hold in the work tree's root, its own ignore files not read yet. */
export function ignoreRules(options: IgnoreRulesOptions): IgnoreRules {
  const { sources, prefix, exclude, ignoreCase } = options
  const outside = sources.flatMap(({ text, base }) => ignorePatterns(text, base, ignoreCase))
  const last = ignorePatterns(exclude.join("\n"), prefix, ignoreCase)
  return new Rules(
    prefix as RepoPath,
    ignoreCase,
    matchers(undefined, outside, ignoreCase),
    matchers(undefined, last, ignoreCase),
    outside.length + last.length > 0,
  )
}

/**
 * Matchers by the depth of the paths that they decide. A pattern's time grows with the depth to the power of its gaps, so
 * deep paths are decided without the patterns that have many.
 */
type Matchers = readonly Ignore[]

const DEPTHS: readonly { readonly deepest: number; readonly gaps: number }[] = [
  { deepest: 32, gaps: MOST_GAPS },
  { deepest: 256, gaps: 2 },
  { deepest: Number.POSITIVE_INFINITY, gaps: 1 },
]

class Rules implements IgnoreRules {
  readonly #prefix: RepoPath
  readonly #start: string
  readonly #ignoreCase: boolean
  readonly #files: Matchers
  readonly #exclude: Matchers
  readonly #all: Matchers
  readonly #hasAny: boolean

  constructor(prefix: RepoPath, ignoreCase: boolean, files: Matchers, exclude: Matchers, hasAny: boolean) {
    this.#hasAny = hasAny
    this.#prefix = prefix
    this.#start = prefix === "" ? "" : `${pathCharacters(prefix)}/`
    this.#ignoreCase = ignoreCase
    this.#files = files
    this.#exclude = exclude
    this.#all = joined(files, exclude, ignoreCase)
  }

  enter(folder: RepoPath, text: string): IgnoreRules {
    const base = folder === "" ? this.#prefix : joinPath(this.#prefix, folder)
    const patterns = ignorePatterns(text, base, this.#ignoreCase)
    if (patterns.length === 0) return this
    const files = matchers(this.#files, patterns, this.#ignoreCase)
    return new Rules(this.#prefix, this.#ignoreCase, files, this.#exclude, true)
  }

  ignores(path: RepoPath, kind: "file" | "folder"): boolean {
    if (path === "" || !this.#hasAny) return false
    const characters = this.#start + pathCharacters(path)
    return this.#decide(kind === "folder" ? `${characters}/` : characters)
  }

  #decide(path: string): boolean {
    let slash = -1
    for (const [depth, { deepest }] of DEPTHS.entries()) {
      for (let level = 0; level < deepest - (DEPTHS[depth - 1]?.deepest ?? 0); level++) {
        slash = path.indexOf("/", slash + 1)
        if (slash < 0 || slash === path.length - 1) return at(this.#all, depth).ignores(path)
      }
      if (at(this.#all, depth).ignores(path.slice(0, slash + 1))) return true
    }
    return false
  }
}

/** Matchers of `weaker` and `patterns`. Where depths decide alike they share one, which compiles its patterns once. */
function matchers(weaker: Matchers | undefined, patterns: readonly IgnorePattern[], ignoreCase: boolean): Matchers {
  const made: Ignore[] = []
  for (const [depth, { gaps }] of DEPTHS.entries()) {
    const added = patterns.filter((pattern) => pattern.gaps <= gaps)
    const below = weaker === undefined ? [] : [at(weaker, depth)]
    const first = made[0]
    if (first !== undefined && added.length === patterns.length && below[0] === weaker?.[0]) made.push(first)
    else made.push(matcher(ignoreCase).add([...below, ...added.map((pattern) => pattern.text)]))
  }
  return made
}

function joined(weaker: Matchers, stronger: Matchers, ignoreCase: boolean): Matchers {
  const made: Ignore[] = []
  for (const depth of DEPTHS.keys()) {
    const isShared = depth > 0 && at(weaker, depth) === at(weaker, 0) && at(stronger, depth) === at(stronger, 0)
    made.push(isShared ? at(made, 0) : matcher(ignoreCase).add([at(weaker, depth), at(stronger, depth)]))
  }
  return made
}

function matcher(ignoreCase: boolean): Ignore {
  return ignore({ ignorecase: ignoreCase, allowRelativePaths: true })
}

function at(matchers: Matchers, depth: number): Ignore {
  return matchers[depth] as Ignore
}
