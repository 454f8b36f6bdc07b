import type { FileSystem } from "../core/file-system.js"
import type { GitdirLayout } from "./gitdir.js"

/** The paths of the packs of a store, as they are now. */
export async function packFiles(fileSystem: FileSystem, { packs }: GitdirLayout): Promise<string[]> {
  return ((await fileSystem.list(packs)) ?? []).flatMap(({ name }) =>
    name.endsWith(".pack") ? [`${packs}/${name}`] : [],
  )
}

/** How many bytes these files have; one that is gone has none. */
export async function bytesOf(fileSystem: FileSystem, paths: readonly string[]): Promise<number> {
  let bytes = 0
  for (const path of paths) bytes += (await fileSystem.lstat(path))?.sizeBytes ?? 0
  return bytes
}
