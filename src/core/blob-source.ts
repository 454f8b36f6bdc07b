import { SnapshotError } from "./errors.js"
import type { GitObject, ObjectType } from "./object.js"
import type { Oid } from "./oid.js"
import type { PackedEntry } from "./unpacker.js"

/** A stored object, piece by piece. */
export interface BlobStream {
  /** Anything but "blob" is no content of a file. */
  readonly type: ObjectType
  readonly sizeBytes: number
  readonly chunks: AsyncIterable<Uint8Array>
}

/** Port: contents of blobs of any size. */
export interface BlobSource {
  /**
   * The blob, piece by piece; undefined when nothing holds it. What comes is only known to be right at the end: damage
   * throws OBJECT_CORRUPT after the last piece, so the pieces go to a temporary file first.
   */
  stream(oid: Oid): Promise<BlobStream | undefined>
  /** Those of `oids` that can be had together, as they stand in packs; not verified. The others are to be asked for by themselves. */
  packedTogether?(oids: Iterable<Oid>): Promise<ReadonlyMap<Oid, PackedEntry>>
  /** As packedTogether, whole and right. */
  readTogether?(oids: Iterable<Oid>): Promise<ReadonlyMap<Oid, GitObject>>
}

/** The blob, which has to be there and be one: OBJECT_MISSING, OBJECT_CORRUPT. */
export async function openBlob(source: BlobSource, oid: Oid): Promise<BlobStream> {
  const blob = await source.stream(oid)
  if (blob === undefined)
    throw new SnapshotError(
      "OBJECT_MISSING",
      `The content ${oid} is missing from the store. The work tree is as it was. Restore the other paths by naming them.`,
      { oid },
    )
  if (blob.type !== "blob")
    throw new SnapshotError("OBJECT_CORRUPT", `${oid} is a ${blob.type} where the content of a file belongs.`, { oid })
  return blob
}
