/*
 * packed-refs: lines `<oid> <name>`, comments that begin with "#", and, behind an annotated tag, "^" with the oid that it
 * leads to. All names in it begin with "refs/".
 *
 * Source: https://git-scm.com/docs/git-pack-refs
 */
import { concat, latinText, lossyText, utf8 } from "../core/bytes.js"
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
    if (oid !== undefined && line.startsWith(" refs/", 40)) refs.push({ oid, name: line.slice(41) })
    else if (line !== "" && !line.startsWith("#") && !(line[0] === "^" && toOid(line.slice(1)) !== undefined))
      onOther(line)
  }
  return refs
}

/** The bytes of packed-refs without some refs. Never none at all: such a file looks like one that was damaged. */
export function withoutRefs(bytes: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  const { header, refs } = split(bytes)
  const kept = [...header, ...refs.filter(({ name }) => !names.has(name)).map(({ lines }) => lines)]
  return kept.length === 0 ? HEADER : concat(kept)
}

/** The bytes of packed-refs with more refs, or with others of these names. They are no annotated tags. */
export function withRefs(bytes: Uint8Array, added: ReadonlyMap<string, Oid>): Uint8Array {
  const { header, refs } = split(bytes)
  const all = new Map(refs.map(({ name, lines }) => [name, lines]))
  for (const [name, oid] of added) all.set(name, utf8(`${oid} ${name}\n`))
  // Git looks names up in the order of their bytes where the first line says so; without it, any order is right.
  const sorted = [...all].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return concat([...(bytes.length === 0 ? [HEADER] : header), ...sorted.map(([, lines]) => lines)])
}

/** The bytes of packed-refs without the lines that make no sense, and what belongs to them. */
export function soundLines(bytes: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = []
  let isKept = false
  for (let at = 0, end = 0; at < bytes.length; at = end) {
    end = lineEnd(bytes, at)
    const line = bytes.subarray(at, end)
    let isSound = line[0] !== HASH || (at === 0 && lossyText(line).startsWith("# pack-refs with:"))
    parsePackedRefs(lossyText(line), () => (isSound = false))
    isKept = line[0] === CIRCUMFLEX ? isKept && isSound : isSound
    if (isKept) kept.push(line)
  }
  return kept.length === 0 ? HEADER : concat(kept)
}

/** The comments, and the refs, each with the line that belongs to it, and a name with one unit for each byte. */
function split(bytes: Uint8Array): { header: Uint8Array[]; refs: { name: string; lines: Uint8Array }[] } {
  const header: Uint8Array[] = []
  const refs: { name: string; lines: Uint8Array }[] = []
  for (let at = 0, end = 0; at < bytes.length; at = end) {
    end = lineEnd(bytes, at)
    if (bytes[at] === HASH) {
      header.push(bytes.subarray(at, end))
      continue
    }
    const name = latinText(bytes.subarray(at + 41, end)).trimEnd()
    if (bytes[end] === CIRCUMFLEX) end = lineEnd(bytes, end)
    refs.push({ name, lines: bytes.subarray(at, end) })
  }
  return { header, refs }
}

function lineEnd(bytes: Uint8Array, at: number): number {
  const newline = bytes.indexOf(NEWLINE, at)
  return newline < 0 ? bytes.length : newline + 1
}

/** Source: https://git-scm.com/docs/git-pack-refs; what the first line says is told by Git's own files. */
const HEADER = utf8("# pack-refs with: peeled fully-peeled sorted \n")
const NEWLINE = 0x0a
const HASH = 0x23
const CIRCUMFLEX = 0x5e
