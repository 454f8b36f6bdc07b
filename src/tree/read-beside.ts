import type { ContentFound, ContentReader, ContentRequest } from "../core/content-reader.js"
import { WHOLE_FILE_BYTES } from "./read-file.js"

/** Whether a file of this size is to be read. True once so much memory is free, and held for it. */
export type Admit = (sizeBytes: number) => Promise<boolean>

/**
 * Reads the file at `address` beside the event loop, asking first where it is large. Undefined as ContentReader
 * says, for a file that is too large to be held in memory, and for one that is not to be read.
 */
export async function readBeside(
  reader: ContentReader,
  address: string,
  admit: Admit,
  wanted: Pick<ContentRequest, "isWanted" | "knownOid">,
): Promise<ContentFound | undefined> {
  const found = await reader.read({ ...wanted, address, limitBytes: SMALL_FILE_BYTES })
  if (found === undefined || "oid" in found) return found
  if (found.sizeBytes > WHOLE_FILE_BYTES || !(await admit(found.sizeBytes))) return undefined
  // It may have grown since, and holds no memory for that.
  const again = await reader.read({ ...wanted, address, limitBytes: found.sizeBytes })
  return again !== undefined && "oid" in again ? again : undefined
}

/** As many files of this size as are read at a time find room in memory. */
const SMALL_FILE_BYTES = 256 * 1024
