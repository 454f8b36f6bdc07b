/*
 * Git's attributes, as far as they say that Git stores other bytes than a file holds. What is asked is whether that may
 * be so: a line counts even where a later one takes it back, letter case never counts, and what is not plainly understood
 * counts for every path.
 *
 * Source: https://git-scm.com/docs/gitattributes
 */
import type { IgnoreSource } from "../core/manifest.js"

/** A file of attributes. */
export interface AttributesFile {
  /** The folder that its patterns are relative to, as a path from the repository's top. */
  readonly base: string
  readonly text: string
}

/** The patterns of files that Git may convert, as ignore rules that name them; none where no line says anything of it. */
export function convertedPatterns(files: readonly AttributesFile[]): IgnoreSource[] {
  const converting = new Set([...CONVERTING, ...files.flatMap(({ text }) => macrosIn(text))])
  const sources: IgnoreSource[] = []
  for (const { base, text } of files) {
    const patterns = linesOf(text)
      .filter(({ attributes }) => attributes.some((attribute) => sets(attribute, converting)))
      .map(({ pattern }) => (PLAIN_PATTERN.test(pattern) ? pattern : "*"))
    if (patterns.length > 0) sources.push({ origin: "attributes", base, text: [...new Set(patterns)].join("\n") })
  }
  return sources
}

/** Attributes by which Git converts what it stores, the old name of "text" among them. */
const CONVERTING: readonly string[] = ["filter", "ident", "eol", "text", "crlf", "working-tree-encoding"]

/** No escapes, no classes, one gap at most: what ignore rules read alike, and never leave out as too costly. */
const PLAIN_PATTERN = /^(?!#|.{1000})(?!.*\*\*.*\*\*)[^"!\\[\]]+$/

interface Line {
  readonly pattern: string
  readonly attributes: readonly string[]
}

function linesOf(text: string): Line[] {
  const lines: Line[] = []
  for (const line of text.replace(/^\ufeff/, "").split("\n")) {
    const trimmed = line.replace(/^[ \t\r\v\f]+/, "")
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(MACRO)) continue
    // A quoted pattern may hold spaces.
    const [, pattern = "", rest = ""] = /^("(?:[^"\\]|\\.)*"|[^ \t\r\v\f]+)([^]*)$/.exec(trimmed) ?? []
    lines.push({ pattern, attributes: rest.split(/[ \t\r\v\f]+/).filter((word) => word !== "") })
  }
  return lines
}

/** The names of attributes that stand for others. Which ones they stand for, another file may say anew. */
function macrosIn(text: string): string[] {
  return Array.from(text.matchAll(/^[ \t]*\[attr\][ \t]*([^ \t\r\n]+)/gm), ([, name]) => name as string)
}

const MACRO = "[attr]"

function sets(attribute: string, converting: ReadonlySet<string>): boolean {
  if (attribute.startsWith("-") || attribute.startsWith("!")) return false
  return converting.has(attribute.replace(/=[^]*$/, ""))
}
