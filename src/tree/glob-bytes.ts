/*
 * How names and patterns are shown to the `ignore` package: a character a byte, since Git's patterns match bytes.
 *
 * ASCII stays. A byte 0xNN above it becomes U+E1NN, of the private use area: in the same order, so that ranges hold, and
 * without an upper and a lower case, since Git folds the case of ASCII letters only.
 */
import { encodeName } from "../core/path.js"

export const SLASH = 0x2f

/** A name or path from decodeName, a character a byte. */
export function pathCharacters(path: string): string {
  if (!NOT_ASCII.test(path)) return path
  let characters = ""
  for (const byte of encodeName(path)) characters += character(byte)
  return characters
}

/** A pattern token that matches this byte and no other. */
export function oneByte(byte: number): string {
  const text = character(byte)
  return byte >= 0x80 || PLAIN.test(text) ? text : `[\\${text}]`
}

/** A pattern token that matches any of these bytes, given in ascending order; with `ignoreCase`, no upper case among them. */
export function oneOf(bytes: readonly number[], ignoreCase: boolean): string {
  if (bytes.length === (ignoreCase ? ALL_BYTES - 26 : ALL_BYTES)) return "?"
  if (bytes.length === 1) return oneByte(bytes[0] as number)
  let members = ""
  let first = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (bytes[at + 1] === byte + 1) continue
    members += member(bytes[first] as number)
    if (first < at) members += `-${member(byte)}`
    first = at + 1
  }
  return `[${members}]`
}

export function isUpper(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a
}

function member(byte: number): string {
  const text = character(byte)
  return byte >= 0x80 || PLAIN_MEMBER.test(text) ? text : `\\${text}`
}

function character(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : 0xe100 + byte)
}

/** Every byte but NUL and the slash. */
const ALL_BYTES = 254

const NOT_ASCII = /[^\x00-\x7f]/
const PLAIN = /[A-Za-z0-9._-]/
const PLAIN_MEMBER = /[A-Za-z0-9]/
