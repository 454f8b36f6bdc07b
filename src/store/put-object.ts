import { concat } from "../core/bytes.js"
import type { Hasher } from "../core/hasher.js"
import type { Oid } from "../core/oid.js"
import type { PackWriter } from "./pack-writer.js"
import { isNamed, ONE_PIECE_BYTES, type ObjectStream } from "./stored-object.js"

/** Puts an object into a pack, when it is what `oid` names; whether it was. What `stream` throws throws. */
export async function putObject(
  hasher: Hasher,
  writer: PackWriter,
  oid: Oid,
  { type, sizeBytes, chunks }: ObjectStream,
): Promise<boolean> {
  // What turns out to be another blob is one that nothing counts on.
  if (type === "blob" && sizeBytes > ONE_PIECE_BYTES) return (await writer.addStream(sizeBytes, chunks)) === oid
  const pieces: Uint8Array[] = []
  // They may all be one buffer.
  for await (const chunk of chunks) pieces.push(chunk.slice())
  const bytes = concat(pieces)
  if (!(await isNamed(hasher, oid, { type, bytes }))) return false
  await writer.add(type, bytes, oid)
  return true
}
