import { latinText } from "./bytes.js"
import { SnapshotError } from "./errors.js"

/** The name of a Git object: 40 lowercase hex digits of its SHA-1. */
export type Oid = string & { readonly brand: "Oid" }

/** Length of an oid in binary formats (tree entries, pack indexes), in bytes. */
export const OID_BYTES = 20

/** The tree without entries, which every Git knows. */
export const EMPTY_TREE: Oid = "4b825dc642cb6eb9a060e54bf8d69288fbee4904" as Oid

const FULL_OID = /^[0-9a-f]{40}$/

/** The oid that `text` spells, or undefined when it spells none. */
export function toOid(text: string): Oid | undefined {
  return FULL_OID.test(text) ? (text as Oid) : undefined
}

/** The oid that `text` spells; anything else throws OBJECT_CORRUPT, for text that came out of a stored object or ref. */
export function parseOid(text: string): Oid {
  const oid = toOid(text)
  if (oid === undefined)
    throw new SnapshotError("OBJECT_CORRUPT", `"${text.slice(0, 60)}" is no object id.`, { oid: text.slice(0, 60) })
  return oid
}

/** The oid whose 20 bytes stand at `offset`. */
export function oidAt(bytes: Uint8Array, offset = 0): Oid {
  for (let i = 0; i < OID_BYTES; i++) {
    const byte = bytes[offset + i] as number
    digits[2 * i] = DIGITS[byte >> 4] as number
    digits[2 * i + 1] = DIGITS[byte & 15] as number
  }
  return latinText(digits) as Oid
}

/** Negative, zero or positive, as the oid whose 20 bytes stand at `offset` sorts before, with or after `oid`. Makes no text and no bytes. */
export function compareOidAt(bytes: Uint8Array, offset: number, oid: Oid): number {
  for (let i = 0; i < OID_BYTES; i++) {
    const difference = (bytes[offset + i] as number) - ((digitAt(oid, 2 * i) << 4) | digitAt(oid, 2 * i + 1))
    if (difference !== 0) return difference
  }
  return 0
}

/** The 20 bytes of an oid. */
export function oidBytes(oid: Oid): Uint8Array {
  const bytes = new Uint8Array(OID_BYTES)
  putOid(oid, bytes, 0)
  return bytes
}

/** Writes the 20 bytes of an oid at `offset`. */
export function putOid(oid: Oid, bytes: Uint8Array, offset: number): void {
  for (let i = 0; i < OID_BYTES; i++) bytes[offset + i] = (digitAt(oid, 2 * i) << 4) | digitAt(oid, 2 * i + 1)
}

/** Of "0" to "9" the lowest four bits are the digit, of "a" to "f" 9 less. */
function digitAt(oid: Oid, index: number): number {
  const code = oid.charCodeAt(index)
  return (code & 15) + (code > 57 ? 9 : 0)
}

const DIGITS: readonly number[] = [..."0123456789abcdef"].map((digit) => digit.charCodeAt(0))
/** Filled anew for each oid. */
const digits = new Uint8Array(2 * OID_BYTES)
