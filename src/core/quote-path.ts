import { encodeName } from "./path.js"

/**
 * A path as Git writes it in patches: as it is, or in double quotes with escapes when it holds a control character, a
 * double quote, a backslash or a byte above 0x7f. The result is ASCII. `prefix` ("a/") goes inside the quotes.
 * Source: core.quotePath (its default) in https://git-scm.com/docs/git-config
 */
export function quotePath(path: string, prefix = ""): string {
  const whole = prefix + path
  if (NEEDS_NO_QUOTES.test(whole)) return whole
  let quoted = '"'
  for (const byte of encodeName(whole)) quoted += QUOTED_BYTES[byte] as string
  return `${quoted}"`
}

const NEEDS_NO_QUOTES = /^[ !#-[\]-~]*$/

const LETTERS: ReadonlyMap<number, string> = new Map([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
])

const QUOTED_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x20 && byte < 0x7f) return LETTERS.get(byte) ?? String.fromCharCode(byte)
  return LETTERS.get(byte) ?? `\\${byte.toString(8).padStart(3, "0")}`
})
