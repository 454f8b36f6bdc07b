import type { ContentFound, ContentReader, ContentRequest } from "../core/content-reader.js"
import { WHOLE_FILE_BYTES } from "./read-file.js"

/** Resolves when so much memory is free, and held for the file. A second call takes the place of the first. */
export type Hold = (sizeBytes: number) => Promise<void>

/**
 * Reads the file at `address` beside the event loop, holding memory for it where it is large. Undefined as ContentReader
 * says, and for a file that is too large to be held in memory.
 */
export async function readBeside(
  reader: ContentReader,
  address: string,
  hold: Hold,
  wanted: Pick<ContentRequest, "isWanted" | "knownOid">,
): Promise<ContentFound | undefined> {
  const found = await reader.read({ ...wanted, address, limitBytes: SMALL_FILE_BYTES })
  if (found === undefined || "oid" in found) return found
  if (found.sizeBytes > WHOLE_FILE_BYTES) return undefined
  await hold(found.sizeBytes)
  // It may have grown since, and holds no memory for that.
  const again = await reader.read({ ...wanted, address, limitBytes: found.sizeBytes })
  return again !== undefined && "oid" in again ? again : undefined
}

/** As many files of this size as are read at a time find room in memory. */
const SMALL_FILE_BYTES = 256 * 1024
