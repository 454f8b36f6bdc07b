import { concat, utf8 } from "../core/bytes.js"
import type { Deflater } from "../core/deflater.js"

/** Above this size, in bytes, contents are not compared line by line: 64 MiB. */
export const TEXT_LIMIT_BYTES: number = 64 * 1024 * 1024

/**
 * Whether a patch shows content as binary: with a NUL within the first 8,000 bytes, as Git has it, or above
 * TEXT_LIMIT_BYTES (Git's own bound is 512 MiB).
 * Source: the diff attribute in https://git-scm.com/docs/gitattributes, core.bigFileThreshold in git-config
 */
export function isBinary(content: Uint8Array): boolean {
  return content.length > TEXT_LIMIT_BYTES || content.subarray(0, 8000).includes(0)
}

/**
 * The part of a patch that turns binary `before` into `after` and back: both contents, deflated and in base 85.
 *
 *   GIT binary patch
 *   literal <size of after>
 *   <lines>
 *
 *   literal <size of before>
 *   <lines>
 *
 * with an empty line at the end. A line is a letter for the number of its bytes (A to Z are 1 to 26, a to z are 27 to
 * 52), and five digits for each four of them, filled up with zeros.
 * Source: --binary in https://git-scm.com/docs/git-diff
 */
export async function binaryPatch(
  deflater: Pick<Deflater, "deflate">,
  before: Uint8Array,
  after: Uint8Array,
): Promise<Uint8Array> {
  return concat([
    utf8("GIT binary patch\n"),
    utf8(`literal ${after.length}\n`),
    base85Lines(await deflater.deflate(after)),
    utf8(`\nliteral ${before.length}\n`),
    base85Lines(await deflater.deflate(before)),
    utf8("\n"),
  ])
}

const LINE_BYTES = 52

function base85Lines(bytes: Uint8Array): Uint8Array {
  let size = 0
  for (let at = 0; at < bytes.length; at += LINE_BYTES)
    size += 2 + 5 * Math.ceil(Math.min(LINE_BYTES, bytes.length - at) / 4)
  const lines = new Uint8Array(size)
  let to = 0
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const end = Math.min(at + LINE_BYTES, bytes.length)
    lines[to++] = lengthLetter(end - at)
    for (let i = at; i < end; i += 4) {
      writeDigits(lines, to, bytes, i)
      to += 5
    }
    lines[to++] = 0x0a
  }
  return lines
}

function lengthLetter(count: number): number {
  return count <= 26 ? 0x40 + count : 0x60 + count - 26
}

function writeDigits(lines: Uint8Array, to: number, bytes: Uint8Array, at: number): void {
  let value = 0
  for (let i = at; i < at + 4; i++) value = value * 256 + (bytes[i] ?? 0)
  for (let digit = 4; digit >= 0; digit--) {
    lines[to + digit] = DIGITS[value % 85] as number
    value = Math.floor(value / 85)
  }
}

const DIGITS = utf8("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~")
