import { readdir } from "node:fs/promises"
import { join } from "node:path"

/** What a folder holds: paths relative to it, parents before what is in them. */
export interface Listing {
  readonly files: readonly string[]
  /** "" for the folder itself comes first. */
  readonly folders: readonly string[]
}

/** All files and folders below `root`. Anything else, such as a link, throws: not every contender could store it. */
export async function listFiles(root: string): Promise<Listing> {
  const files: string[] = []
  const folders = [""]
  for (const folder of folders) {
    for (const item of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? item.name : `${folder}/${item.name}`
      if (item.isDirectory()) folders.push(path)
      else if (item.isFile()) files.push(path)
      else throw new Error(`the bench knows files and folders only, and ${path} is neither`)
    }
  }
  return { files, folders }
}
