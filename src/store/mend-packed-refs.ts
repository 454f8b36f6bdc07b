import { equalBytes } from "../core/bytes.js"
import type { FileSystem } from "../core/file-system.js"
import { writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"
import { soundLines } from "./packed-refs.js"
import { underPackedRefsLock } from "./packed-refs-lock.js"
import { keepAside, setAside } from "./set-aside.js"
import { isUnreadable } from "./unreadable.js"

/**
 * Writes packed-refs anew without what makes no sense in it; gives where the file as it was is kept. Nothing happens while
 * another tool holds its lock, or when the system does not read it. With `isLost` a file that is gone is made, without
 * refs; `isMade` tells of that. Only for who holds the maintenance lock.
 */
export async function mendPackedRefs(
  { fileSystem, layout }: { readonly fileSystem: FileSystem; readonly layout: GitdirLayout },
  isLost: boolean,
): Promise<{ readonly kept: readonly string[]; readonly isMade: boolean }> {
  const path = `${layout.gitdir}/packed-refs`
  const kept: string[] = []
  let isMade = false
  await underPackedRefsLock({ fileSystem, layout }, async () => {
    const stat = await fileSystem.lstat(path)
    if (isLost && stat === undefined) {
      await writeAtomically(fileSystem, layout.temporary, path, soundLines(new Uint8Array()), true)
      isMade = true
      return
    }
    if (stat?.kind === "folder") {
      const place = await setAside(fileSystem, layout, path)
      if (place !== undefined) kept.push(place)
      return
    }
    const bytes = await fileSystem.readFile(path).catch((error: unknown) => {
      if (isUnreadable(error)) return undefined
      throw error
    })
    const sound = bytes === undefined ? undefined : soundLines(bytes)
    if (bytes === undefined || sound === undefined || equalBytes(bytes, sound)) return
    kept.push(await keepAside(fileSystem, layout, path, bytes))
    await writeAtomically(fileSystem, layout.temporary, path, sound, true)
  })
  return { kept, isMade }
}
