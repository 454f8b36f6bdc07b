import { lossyText } from "../core/bytes.js"
import type { FileSystem } from "../core/file-system.js"
import type { GitdirLayout } from "./gitdir.js"

/** When maintenance last came to its end, in milliseconds since 1970; undefined when that is not known. */
export async function readMaintained(fileSystem: FileSystem, { gitdir }: GitdirLayout): Promise<number | undefined> {
  const bytes = await fileSystem.readFile(`${gitdir}/maintained`)
  if (bytes === undefined) return undefined
  try {
    const { atMs } = JSON.parse(lossyText(bytes)) as { readonly atMs?: unknown }
    return typeof atMs === "number" && Math.abs(atMs) <= LAST_DATE_MS ? atMs : undefined
  } catch {
    // A damaged one tells nothing.
    return undefined
  }
}

/** The last time that a Date can hold. */
const LAST_DATE_MS = 8.64e15
