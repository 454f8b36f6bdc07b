import { SLASH, isUpper, oneOf } from "./glob-bytes.js"

/** A bracket expression: what follows it starts at `end`, and `token` matches the same bytes. */
export interface GlobClass {
  readonly end: number
  readonly token: string
}

/**
 * Reads the bracket expression whose "[" stands at `start` of `glob`, byte by byte as Git does, and writes it anew as a
 * plain list of bytes. Undefined when it can never match: without an end, with an unknown [:class:], or matching no byte.
 *
 * With `ignoreCase`, Git lowers the text and leaves the members as they are, so that [A] matches nothing then, while
 * ranges and [:upper:] match letters of either case.
 * Source: https://git-scm.com/docs/gitignore (PATTERN FORMAT), checked against `git check-ignore`
 */
export function readClass(glob: Uint8Array, start: number, ignoreCase: boolean): GlobClass | undefined {
  const members = new Uint8Array(256)
  let at = start + 1
  const isNegated = glob[at] === BANG || glob[at] === CARET
  if (isNegated) at++
  let previous = 0
  // The first member is read whatever it is: a "]" there does not end the expression.
  do {
    let byte = glob[at]
    if (byte === BACKSLASH) {
      byte = glob[++at]
      if (byte === undefined) return undefined
      members[byte] = 1
    } else if (byte === DASH && previous !== 0 && at + 1 < glob.length && glob[at + 1] !== CLOSE) {
      let last = glob[++at] as number
      if (last === BACKSLASH) {
        if (++at >= glob.length) return undefined
        last = glob[at] as number
      }
      addRange(members, previous, last, ignoreCase)
      byte = 0
    } else if (byte === OPEN && glob[at + 1] === COLON) {
      const close = glob.indexOf(CLOSE, at + 2)
      if (close < 0) return undefined
      if (close > at + 2 && glob[close - 1] === COLON) {
        if (!addNamed(members, glob.subarray(at + 2, close - 1), ignoreCase)) return undefined
        at = close
        byte = 0
      } else members[OPEN] = 1
    } else if (byte === undefined) return undefined
    else members[byte] = 1
    previous = byte
    at++
  } while (glob[at] !== CLOSE)

  const matched: number[] = []
  for (let byte = 1; byte < 256; byte++) {
    if (byte === SLASH || (ignoreCase && isUpper(byte))) continue
    if ((members[byte] === 1) !== isNegated) matched.push(byte)
  }
  return matched.length === 0 ? undefined : { end: at + 1, token: oneOf(matched, ignoreCase) }
}

function addRange(members: Uint8Array, first: number, last: number, ignoreCase: boolean): void {
  for (let byte = first; byte <= last; byte++) {
    members[byte] = 1
    if (ignoreCase && isUpper(byte)) members[byte + 32] = 1
  }
}

function addNamed(members: Uint8Array, name: Uint8Array, ignoreCase: boolean): boolean {
  const pattern = NAMED.get(String.fromCharCode(...name.subarray(0, 16)))
  if (pattern === undefined) return false
  for (let byte = 1; byte < 128; byte++) {
    if (!pattern.test(String.fromCharCode(byte))) continue
    members[byte] = 1
    if (ignoreCase && isUpper(byte)) members[byte + 32] = 1
  }
  return true
}

/** Git's own classes: of ASCII only, whatever the locale; a form feed is no space. */
const NAMED: ReadonlyMap<string, RegExp> = new Map([
  ["alnum", /[0-9A-Za-z]/],
  ["alpha", /[A-Za-z]/],
  ["blank", /[ \t]/],
  ["cntrl", /[\x00-\x1f\x7f]/],
  ["digit", /[0-9]/],
  ["graph", /[!-~]/],
  ["lower", /[a-z]/],
  ["print", /[ -~]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[ \t\n\r]/],
  ["upper", /[A-Z]/],
  ["xdigit", /[0-9A-Fa-f]/],
])

const BANG = 0x21
const DASH = 0x2d
const COLON = 0x3a
const OPEN = 0x5b
const BACKSLASH = 0x5c
const CLOSE = 0x5d
const CARET = 0x5e
