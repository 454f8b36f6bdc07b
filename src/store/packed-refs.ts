/*
 * packed-refs: lines `<oid> <name>`, comments that begin with "#", and, behind an annotated tag, "^" with the oid that it
 * leads to.
 *
 * Source: https://git-scm.com/docs/git-pack-refs
 */
import { concat, lossyText } from "../core/bytes.js"
import { toOid, type Oid } from "../core/oid.js"

/** A line of packed-refs that names a ref. */
export interface PackedRef {
  readonly oid: Oid
  readonly name: string
}

/** The refs in the text of packed-refs, in order. A line that is none of the three goes to `onOther`. */
export function parsePackedRefs(text: string, onOther: (line: string) => void = () => {}): PackedRef[] {
  const refs: PackedRef[] = []
  for (const line of text.split("\n")) {
    const oid = toOid(line.slice(0, 40))
    if (oid !== undefined && line[40] === " " && line.length > 41) refs.push({ oid, name: line.slice(41) })
    else if (line !== "" && !line.startsWith("#") && !(line[0] === "^" && toOid(line.slice(1)) !== undefined))
      onOther(line)
  }
  return refs
}

/** The bytes of packed-refs without some refs. */
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
  return concat(kept)
}

const CIRCUMFLEX = 0x5e
