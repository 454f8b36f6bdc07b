/*
 * packed-refs: lines `<oid> <name>`, comments that begin with "#", and, behind an annotated tag, "^" with the oid that it
 * leads to.
 *
 * Source: https://git-scm.com/docs/git-pack-refs
 */
import { concat, lossyText, utf8 } from "../core/bytes.js"
import { toOid, type Oid } from "../core/oid.js"

/** A line of packed-refs that names a ref. */
export interface PackedRef {
  readonly oid: Oid
  readonly name: string
}

/**
 * The refs in the text of packed-refs, in order. A line that is none of the three goes to `onOther`, and so does a last
 * line without an end, which may be half of one.
 */
export function parsePackedRefs(text: string, onOther: (line: string) => void = () => {}): PackedRef[] {
  const refs: PackedRef[] = []
  const lines = text.split("\n")
  const half = lines.pop() ?? ""
  if (half !== "") onOther(half)
  for (const line of lines) {
    const oid = toOid(line.slice(0, 40))
    if (oid !== undefined && line[40] === " " && line.length > 41) refs.push({ oid, name: line.slice(41) })
    else if (line !== "" && !line.startsWith("#") && !(line[0] === "^" && toOid(line.slice(1)) !== undefined))
      onOther(line)
  }
  return refs
}

/** The bytes of packed-refs without some refs. Never none at all: such a file looks like one that was damaged. */
export function withoutRefs(bytes: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  const kept: Uint8Array[] = []
  let isDropped = false
  for (let at = 0, end = 0; at < bytes.length; at = end) {
    const newline = bytes.indexOf(0x0a, at)
    end = newline < 0 ? bytes.length : newline + 1
    const line = bytes.subarray(at, end)
    const isPeeled = line[0] === CIRCUMFLEX
    if (!isPeeled) isDropped = names.has(lossyText(line.subarray(41)).trimEnd())
    if (!isDropped) kept.push(line)
  }
  return kept.length === 0 ? HEADER : concat(kept)
}

/** The bytes of packed-refs without the lines that make no sense, and what belongs to them. */
export function soundLines(bytes: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = []
  let isKept = false
  for (let at = 0, end = 0; at < bytes.length; at = end) {
    const newline = bytes.indexOf(0x0a, at)
    end = newline < 0 ? bytes.length : newline + 1
    const line = bytes.subarray(at, end)
    let isSound = line[0] !== HASH || (at === 0 && lossyText(line).startsWith("# pack-refs with:"))
    parsePackedRefs(lossyText(line), () => (isSound = false))
    isKept = line[0] === CIRCUMFLEX ? isKept && isSound : isSound
    if (isKept) kept.push(line)
  }
  return kept.length === 0 ? HEADER : concat(kept)
}

const HASH = 0x23
const CIRCUMFLEX = 0x5e
const HEADER = utf8("# pack-refs with: \n")
