import { readdir, readFile } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import { getMimeType } from "hono/utils/mime"

/** A file of the page. */
export interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
}

/**
 * All files below `folder`, by their paths with forward slashes; none when it is not there. What is not among them is not
 * served, whatever an address says.
 */
export async function readPage(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const items = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = items.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name))
  return new Map(
    await Promise.all(
      files.map(async (file): Promise<[string, PageFile]> => {
        const type = getMimeType(file) ?? "application/octet-stream"
        return [relative(folder, file).split(sep).join("/"), { bytes: new Uint8Array(await readFile(file)), type }]
      }),
    ),
  )
}
