import type { FileSystem } from "../core/file-system.js"
import { isSameFile } from "./other-spelling.js"
import { folderAbove, lastName, pathFrom } from "./system-path.js"

/** The part of a file system that tells one name from another. */
export type NameLookup = Pick<FileSystem, "list" | "lstat">

/**
 * Whether the file system takes two spellings of a name that differ in letter case for one. It is asked without writing:
 * by the other spelling of a name in `folder`, else of the folder's own name. False when no name has a letter.
 */
export async function foldsLetterCase(fs: NameLookup, folder: string): Promise<boolean> {
  const names = ((await fs.list(folder)) ?? []).map(({ name }) => name)
  const taken = new Set(names)
  const name = names.find((each) => swapped(each) !== each && !taken.has(swapped(each)))
  if (name !== undefined) return isOneFile(fs, pathFrom(folder, name), pathFrom(folder, swapped(name)))

  const above = folderAbove(folder)
  const own = lastName(folder)
  if (above === undefined || swapped(own) === own) return false
  return isOneFile(fs, pathFrom(above, own), pathFrom(above, swapped(own)))
}

async function isOneFile(fs: NameLookup, path: string, other: string): Promise<boolean> {
  const [found, again] = [await fs.lstat(path), await fs.lstat(other)]
  return isSameFile(found, again)
}

function swapped(name: string): string {
  return name.replace(/[A-Za-z]/g, (letter) => (letter < "a" ? letter.toLowerCase() : letter.toUpperCase()))
}
