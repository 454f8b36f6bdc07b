import type { FileSystem } from "../core/file-system.js"
import type { GitdirLayout } from "./gitdir.js"

/** The paths of the packs of a store, as they are now. */
export async function packFiles(fileSystem: FileSystem, { packs }: GitdirLayout): Promise<string[]> {
  return ((await fileSystem.list(packs)) ?? []).flatMap(({ name }) =>
    name.endsWith(".pack") ? [`${packs}/${name}`] : [],
  )
}
