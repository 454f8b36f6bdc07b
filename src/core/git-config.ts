/*
 * Git's configuration text:
 *
 *   [section] or [section "Sub section"]
 *   name = value      names and sections whatever their case; a name alone stands for true
 *
 * Source: https://git-scm.com/docs/git-config (CONFIGURATION FILE)
 */

/** A variable, as it stands in a file. */
export interface ConfigVariable {
  /** Such as "core.ignorecase": in lower case, but for what stands between the first and the last dot. */
  readonly key: string
  /** Undefined for a name alone. */
  readonly value: string | undefined
}

/**
 * The variables of a configuration file's text, in order. Git refuses a file with a line that it does not understand;
 * here what stands before that line counts.
 */
export function readGitConfig(text: string): ConfigVariable[] {
  return parse(text).variables
}

/** Whether Git would take a configuration file with this text. */
export function isGitConfig(text: string): boolean {
  return parse(text).isWhole
}

/** The variables up to the first line that makes no sense, and whether there is none. */
function parse(text: string): { readonly variables: ConfigVariable[]; readonly isWhole: boolean } {
  const reader = new Reader(text)
  const variables: ConfigVariable[] = []
  const ended = { variables, isWhole: false }
  let section: string | undefined
  while (!reader.isAtEnd()) {
    reader.skip(/[ \t\n\v\f\r]*/y)
    if (reader.skip(/[#;][^\n]*/y) !== "" || reader.isAtEnd()) continue
    const header = reader.skip(/\[/y)
    if (header !== "") {
      section = reader.section()
      if (section === undefined) return ended
      continue
    }
    const name = reader.skip(/[A-Za-z][A-Za-z0-9-]*/y)
    if (name === "" || section === undefined) return ended
    reader.skip(/[ \t]*/y)
    const key = `${section}.${name.toLowerCase()}`
    if (reader.skip(/=/y) === "") {
      if (reader.skip(/\n|$/y) === "" && !reader.isAtEnd()) return ended
      variables.push({ key, value: undefined })
      continue
    }
    const value = reader.value()
    if (value === undefined) return ended
    variables.push({ key, value })
  }
  return { variables, isWhole: true }
}

/** The variable that counts: the last of its key. Undefined when there is none. */
export function lastVariable(variables: readonly ConfigVariable[], key: string): ConfigVariable | undefined {
  return variables.findLast((variable) => variable.key === key)
}

/** Whether the last variable of this key says yes in one of Git's spellings; a name alone does. */
export function isTrue(variables: readonly ConfigVariable[], key: string): boolean {
  const found = lastVariable(variables, key)
  if (found === undefined) return false
  return found.value === undefined || saysYes(found.value)
}

/** Whether a text says yes: true, yes, on, or a number other than 0. */
export function saysYes(text: string): boolean {
  return /^(?:true|yes|on)$/i.test(text) || (/^[+-]?[0-9]+[kmg]?$/i.test(text) && Number.parseInt(text, 10) !== 0)
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = (text.startsWith("\ufeff") ? text.slice(1) : text).replaceAll("\r\n", "\n")
  }

  isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** Goes past what a sticky pattern matches here, and gives it. */
  skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ""
    this.#at += found.length
    return found
  }

  /** What follows "[". */
  section(): string | undefined {
    const name = this.skip(/[A-Za-z0-9.-]+/y).toLowerCase()
    if (this.skip(/\]/y) !== "") return name === "" ? undefined : name
    if (this.skip(/[ \t\v\f\r]+/y) === "" || this.skip(/"/y) === "") return undefined
    const subsection = this.skip(/(?:[^"\\\n]+|\\[^\n])*/y).replace(/\\(.)/gs, "$1")
    return this.skip(/"\]/y) === "" ? undefined : `${name}.${subsection}`
  }

  /** What follows "=", up to the end of the line. */
  value(): string | undefined {
    let value = ""
    let length = 0
    let isQuoted = false
    this.skip(/[ \t\v\f\r]*/y)
    for (;;) {
      if (this.skip(/\n/y) !== "" || this.isAtEnd()) return isQuoted ? undefined : value.slice(0, length)
      if (!isQuoted && this.skip(/[#;][^\n]*/y) !== "") continue
      const spaces = isQuoted ? "" : this.skip(/[ \t\v\f\r]+/y)
      if (spaces !== "") {
        // Spaces at the end do not count, nor do those in front of the value.
        if (value !== "") value += spaces
        continue
      }
      if (this.skip(/"/y) !== "") isQuoted = !isQuoted
      else if (this.skip(/\\/y) === "") value += this.skip(/[^"\\\n#; \t\v\f\r]+|[^"\\\n]/y)
      else {
        if (this.skip(/\n/y) !== "" || this.isAtEnd()) {
          length = value.length
          continue
        }
        const meant = ESCAPES.get(this.skip(/[^]/y))
        if (meant === undefined) return undefined
        value += meant
      }
      length = value.length
    }
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["t", "\t"],
  ["b", "\b"],
  ["n", "\n"],
  ["\\", "\\"],
  ['"', '"'],
])
