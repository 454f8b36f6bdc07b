/*
 * Ignore files, rewritten for the `ignore` package: one pattern a rule, anchored at the ignore root, in the small part
 * of the pattern language that the package and Git read alike.
 *
 * Source of the rules: https://git-scm.com/docs/gitignore (PATTERN FORMAT), checked against `git check-ignore`.
 */
import { encodeName } from "../core/path.js"
import { isUpper, oneByte, SLASH } from "./glob-bytes.js"
import { readClass } from "./glob-class.js"

/** A pattern for the `ignore` package. */
export interface IgnorePattern {
  readonly text: string
  /** How often it skips any number of folders: each makes a long path slower to decide. */
  readonly gaps: number
}

/** A pattern with more gaps is not used. */
export const MOST_GAPS = 4

/**
 * The patterns of an ignore file's `text`, from the weakest to the strongest. `base` is its folder as a path from the
 * ignore root. A line gives no pattern when nothing can match it, and several when one does not say it.
 *
 * Lines that would cost too much are not used: those with more than MOST_GAPS gaps or more than 4,096 characters to match.
 */
export function ignorePatterns(text: string, base: string, ignoreCase: boolean): IgnorePattern[] {
  const folder = base === "" ? "" : `${Array.from(encodeName(base), (byte) => anchor(byte)).join("")}/`
  const patterns: IgnorePattern[] = []
  for (const line of lines(text)) {
    const rule = readRule(line)
    if (rule === undefined) continue
    for (const tokens of readGlob(rule, ignoreCase)) {
      const gaps = tokens.filter((token) => token === "**").length
      if (gaps <= MOST_GAPS && canMatch(tokens)) patterns.push({ text: write(rule, folder, tokens), gaps })
    }
  }
  return patterns
}

interface Rule {
  readonly negated: boolean
  readonly foldersOnly: boolean
  /** It is matched against the path from the ignore file's folder, not against the last name alone. */
  readonly isPath: boolean
  readonly glob: Uint8Array
}

/** Text between single characters that match themselves: "?", "[…]", "*" in a name, "/", and "**" for any folders. */
type Token = string

/** Git drops a byte order mark, one CR before each LF, comments, and spaces at the end unless a backslash guards them. */
function* lines(text: string): Generator<string> {
  const body = text.startsWith("\ufeff") ? text.slice(1) : text
  for (const line of body.split("\n")) {
    if (line === "" || line.startsWith("#")) continue
    // What stands behind a NUL is not seen: Git keeps lines as C strings.
    const [seen] = (line.endsWith("\r") ? line.slice(0, -1) : line).split("\0", 1) as [string]
    const trimmed = withoutTrailingSpaces(seen)
    if (trimmed !== "") yield trimmed
  }
}

function withoutTrailingSpaces(line: string): string {
  let end = line.length
  while (line[end - 1] === " ") end--
  if (end === line.length) return line
  let backslashes = 0
  while (line[end - 1 - backslashes] === "\\") backslashes++
  return line.slice(0, backslashes % 2 === 0 ? end : end + 1)
}

function readRule(line: string): Rule | undefined {
  const negated = line.startsWith("!")
  const bytes = encodeName(negated ? line.slice(1) : line)
  const foldersOnly = bytes.at(-1) === SLASH
  const glob = foldersOnly ? bytes.subarray(0, -1) : bytes
  if (glob.length === 0) return undefined
  const isPath = glob.includes(SLASH)
  return { negated, foldersOnly, isPath, glob: glob[0] === SLASH ? glob.subarray(1) : glob }
}

/** The tokens of a glob; several lists where a glob needs several patterns, none where it can never match. */
function readGlob({ glob, isPath }: Rule, ignoreCase: boolean): Token[][] {
  const special = glob.findIndex((byte) => SPECIAL.includes(byte))
  return readTokens(glob, 0, [])

  function readTokens(from: Uint8Array, start: number, before: readonly Token[]): Token[][] {
    const tokens = [...before]
    let at = start
    while (at < from.length) {
      const byte = from[at] as number
      if (byte === STAR) {
        const end = endOfStars(from, at)
        const opensName = at === special || at === 0 || from[at - 1] === SLASH
        const closesName = end === from.length || from[end] === SLASH || isEscapedSlash(from, end)
        if (isPath && end - at > 1 && opensName && closesName) {
          if (tokens.length > 0 && tokens.at(-1) !== "/") return readGlued(from, end, tokens)
          addGap(tokens)
          // With an escaped slash behind it, Git's "**" does not stand for no folder at all.
          if (isEscapedSlash(from, end)) tokens.splice(-1, 1, "*", "/", "**")
        } else tokens.push("*")
        at = end
      } else if (byte === QUESTION) {
        tokens.push("?")
        at++
      } else if (byte === OPEN) {
        const found = readClass(from, at, ignoreCase)
        if (found === undefined) return []
        tokens.push(found.token)
        at = found.end
      } else if (byte === BACKSLASH) {
        const literal = from[at + 1]
        // Git lowers the text, not what a backslash guards.
        if (literal === undefined || (ignoreCase && isUpper(literal))) return []
        tokens.push(anchor(literal))
        at += 2
      } else {
        tokens.push(anchor(byte))
        at++
      }
      if (tokens.length > MOST_TOKENS) return []
    }
    return [tokens]
  }

  /**
   * A "**" right behind the plain text that a glob starts with. Git compares that text first and then takes the rest as
   * a glob of its own, so that a "**" which starts it stands for any characters, slashes included.
   */
  function readGlued(from: Uint8Array, end: number, plain: readonly Token[]): Token[][] {
    const open = [...plain, "*", "/", "**"]
    if (end === from.length) return [[...plain, "*"], open]
    if (isEscapedSlash(from, end)) return readTokens(from, end, open)
    let next = end
    while (from[next] === SLASH && endOfStars(from, next + 1) > next + 2 && from[endOfStars(from, next + 1)] === SLASH)
      next = endOfStars(from, next + 1)
    return [...readTokens(from, next + 1, plain), ...readTokens(from, next, open)]
  }
}

/** Adds a gap; "**" + "/" + "**" is one. */
function addGap(tokens: Token[]): void {
  if (tokens.at(-2) === "**") tokens.splice(-2, 2)
  tokens.push("**")
}

function endOfStars(glob: Uint8Array, start: number): number {
  let end = start
  while (glob[end] === STAR) end++
  return end
}

function isEscapedSlash(glob: Uint8Array, at: number): boolean {
  return glob[at] === BACKSLASH && glob[at + 1] === SLASH
}

/** No path starts or ends with a slash, or has two in a row. */
function canMatch(tokens: readonly Token[]): boolean {
  if (tokens.length === 0 || tokens.length > MOST_TOKENS || tokens[0] === "/" || tokens.at(-1) === "/") return false
  return !tokens.some((token, at) => token === "/" && tokens[at + 1] === "/")
}

function write({ negated, foldersOnly, isPath }: Rule, folder: string, tokens: readonly Token[]): string {
  const glob = tokens.join("")
  const isEverything = glob === "**" && folder === ""
  const place = isPath ? `/${folder}` : folder === "" ? "" : `/${folder}**/`
  return `${negated ? "!" : ""}${isEverything ? "*" : `${place}${glob}`}${foldersOnly ? "/" : ""}`
}

function anchor(byte: number): Token {
  return byte === SLASH ? "/" : oneByte(byte)
}

/** No path of that many characters can be opened. */
const MOST_TOKENS = 4096

const STAR = 0x2a
const QUESTION = 0x3f
const OPEN = 0x5b
const BACKSLASH = 0x5c
const SPECIAL: readonly number[] = [STAR, QUESTION, OPEN, BACKSLASH]
