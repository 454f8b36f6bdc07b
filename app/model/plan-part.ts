import type { RestorePlan } from "../../src/snapshot-store.js"

/**
 * The part of a plan that is about `ticked` paths. It stays the plan that was shown: what was edited since is no longer
 * what it saw, and is kept as a conflict, where a new plan with these paths would overwrite it. Where a file comes in the
 * place of a folder, what is in the folder goes with it.
 */
export function chosenPart(plan: RestorePlan, ticked: ReadonlySet<string>): RestorePlan {
  const writes = plan.writes.filter(({ path }) => ticked.has(path))
  const written = new Set(writes.map(({ path }) => path))
  const makesRoom = (path: string): boolean => foldersOf(path).some((folder) => written.has(folder))
  const deletes = plan.deletes.filter(({ path }) => ticked.has(path) || makesRoom(path))
  return { ...plan, writes, deletes }
}

function foldersOf(path: string): string[] {
  const names = path.split("/")
  return names.slice(1).map((_, at) => names.slice(0, at + 1).join("/"))
}
