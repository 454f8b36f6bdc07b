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
  let hex = ""
  for (let i = offset; i < offset + OID_BYTES; i++) hex += HEX[bytes[i] as number]
  return hex as Oid
}

/** The 20 bytes of an oid. */
export function oidBytes(oid: Oid): Uint8Array {
  const bytes = new Uint8Array(OID_BYTES)
  for (let i = 0; i < OID_BYTES; i++) bytes[i] = byteOf(oid, i)
  return bytes
}

/** Whether the 20 bytes at `offset` are those of `oid`. Makes no text and no bytes: objects are checked by the thousand. */
export function isOidAt(bytes: Uint8Array, offset: number, oid: Oid): boolean {
  for (let i = 0; i < OID_BYTES; i++) if (bytes[offset + i] !== byteOf(oid, i)) return false
  return true
}

/** The byte that the hex digits at twice `i` spell. Both letters, a to f, end in the bits 1 to 6, and have the bit 64. */
function byteOf(oid: Oid, i: number): number {
  const high = oid.charCodeAt(2 * i)
  const low = oid.charCodeAt(2 * i + 1)
  return (((high & 15) + (high >> 6) * 9) << 4) | ((low & 15) + (low >> 6) * 9)
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))
