import { equalBytes } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import { OID_BYTES, type Oid } from "../core/oid.js"
import { PACK_HEADER_BYTES } from "../core/pack.js"
import { parsePackIndex, type PackIndexEntry } from "../core/pack-index.js"
import { readPiece, readPieces } from "./file-pieces.js"

/**
 * Hands the entries of the pack at `<path>.pack`, with its index at `<path>.idx`, to `append`, and gives them as they
 * stand behind `offset`. Entries count back to their bases, if at all, inside their own pack: they stay as they are
 * wherever it stands. When the pack is damaged, or does not hold all of `oids`: IO_FAILED.
 */
export async function copyPack(
  { fileSystem, hasher }: { readonly fileSystem: FileSystem; readonly hasher: Hasher },
  path: string,
  oids: Iterable<Oid>,
  offset: number,
  append: (piece: Uint8Array) => Promise<void>,
): Promise<PackIndexEntry[]> {
  const bytes = await fileSystem.readFile(`${path}.idx`)
  const index = bytes === undefined ? undefined : await parsePackIndex(hasher, bytes, `${path}.idx`)
  if (index === undefined) throw damaged(path)
  for (const oid of oids) if (index.find(oid) === undefined) throw damaged(path)
  const hash = hasher.start()
  const file = await fileSystem.open(`${path}.pack`, "read")
  try {
    const end = (await file.stat()).sizeBytes - OID_BYTES
    hash.update(await readPiece(file, 0, PACK_HEADER_BYTES))
    for await (const piece of readPieces(file, PACK_HEADER_BYTES, end)) {
      hash.update(piece)
      await append(piece)
    }
    const checksum = hash.digest()
    const told = [await readPiece(file, end, end + OID_BYTES), index.packChecksum]
    if (!told.every((one) => equalBytes(one, checksum))) throw damaged(path)
  } finally {
    await file.close()
  }
  return Array.from(index.entries(), (entry) => ({ ...entry, offset: entry.offset - PACK_HEADER_BYTES + offset }))
}

function damaged(path: string): SnapshotError {
  return new SnapshotError("IO_FAILED", `The pack ${path} came out damaged. Nothing was captured; capture again.`, {
    action: "read the pack",
    path,
    errno: "EIO",
  })
}
