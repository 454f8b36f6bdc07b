/*
 * That content of what was forgotten is still to go. It has a file of its own, on the medium: no other note may take its
 * place. Only for who holds the maintenance lock.
 */
import { utf8 } from "../core/bytes.js"
import type { FileSystem } from "../core/file-system.js"
import { removeIfThere, writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"

/** Asks the next maintenance to leave nothing unreached in any pack that it folds. */
export async function noteForgotten(fileSystem: FileSystem, layout: GitdirLayout): Promise<void> {
  await writeAtomically(fileSystem, layout.temporary, pathOf(layout), utf8("\n"), true)
}

export async function isForgottenDue(fileSystem: FileSystem, layout: GitdirLayout): Promise<boolean> {
  return (await fileSystem.lstat(pathOf(layout))) !== undefined
}

/** Nothing of it is left. */
export async function dropForgotten(fileSystem: FileSystem, layout: GitdirLayout): Promise<void> {
  await removeIfThere(fileSystem, pathOf(layout))
}

function pathOf({ gitdir }: GitdirLayout): string {
  return `${gitdir}/forgotten`
}
