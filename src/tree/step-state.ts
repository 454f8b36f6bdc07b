import type { FileVersion } from "../core/change.js"
import type { FileStat } from "../core/file-system.js"
import { nameOf, parentOf, type RepoPath } from "../core/path.js"
import type { PlannedChange } from "../core/restore.js"
import type { Asides } from "./aside.js"
import type { Folders } from "./folders.js"
import { KEPT_PERMISSIONS } from "./permissions.js"
import type { ReadPorts } from "./read-file.js"
import { permissionsOf } from "./stage-together.js"

/** How far a change is: not begun, done, or neither, since somebody else changed the path. */
export type StepState = "before" | "after" | "other"

/** Tells how far a change is, by what stands at its path: kind, bits and content. */
export async function stepState(
  { fileSystem }: Pick<ReadPorts, "fileSystem">,
  folders: Folders,
  asides: Pick<Asides, "isVersion">,
  { path: text, before, after }: PlannedChange,
): Promise<StepState> {
  const path = text as RepoPath
  const folder = parentOf(path)
  const stat = await folders.within(folder, (held) => fileSystem.lstat(held.at(nameOf(path))))
  if (stat === undefined) return after === undefined ? "after" : before === undefined ? "before" : "other"
  // A folder in the place of a file that was to go: the file is gone.
  if (after === undefined && stat.kind === "folder" && before?.mode !== "40000") return "after"
  const bits = stat.permissions & KEPT_PERMISSIONS
  const is = async (version: FileVersion | undefined): Promise<boolean> => {
    if (version === undefined || kindOf(version) !== stat.kind) return false
    return version.mode === "40000" || asides.isVersion({ path, folder, name: nameOf(path) }, version)
  }
  // Where only the bits are changed, they alone tell.
  if (after !== undefined && before?.mode === after.mode && before.oid === after.oid) {
    if (!(await is(after))) return "other"
    return bits === permissionsOf(after) ? "after" : "before"
  }
  if (await is(after)) return "after"
  // A file comes where a folder is once that folder is empty.
  const makesWay = before === undefined && stat.kind === "folder"
  return makesWay || (await is(before)) ? "before" : "other"
}

function kindOf({ mode }: FileVersion): FileStat["kind"] {
  if (mode === "40000") return "folder"
  return mode === "120000" ? "link" : "file"
}
